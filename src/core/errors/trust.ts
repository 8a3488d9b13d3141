// Errors of the trust policy.
//
// SPDX-License-Identifier: Apache-2.0

import { type ErrorTable, EXIT } from './spec.ts';

export const TRUST_ERRORS = {
  'trust/invalid': {
    meaning: 'The trust policy does not fit its schema or is vacuous.',
    exit: EXIT.usage,
    retry: 'never',
  },
} as const satisfies ErrorTable;
