// Errors of building, signing and pushing a bundle.
//
// SPDX-License-Identifier: Apache-2.0

import { type ErrorTable, EXIT } from './spec.ts';

export const PUBLISH_ERRORS = {
  'publish/not-a-repository': {
    meaning: 'The folder is not a policy repository with a commit.',
    exit: EXIT.usage,
    retry: 'never',
  },
} as const satisfies ErrorTable;
