// Errors of policy documents and their tests.
//
// SPDX-License-Identifier: Apache-2.0

import { type ErrorTable, EXIT } from './spec.ts';

export const POLICY_ERRORS = {
  'policy/syntax': { meaning: 'A policy file is not YAML.', exit: EXIT.content, retry: 'never' },
  'policy/schema': {
    meaning: 'A policy file does not fit the schema.',
    exit: EXIT.content,
    retry: 'quarantine',
  },
} as const satisfies ErrorTable;
