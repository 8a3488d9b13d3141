// Errors of verification, in the order of docs/verification.md.
//
// SPDX-License-Identifier: Apache-2.0

import { type ErrorTable, EXIT } from './spec.ts';

export const VERIFY_ERRORS = {
  'verify/no-attestations': {
    meaning: 'Nothing is attached to the bundle.',
    exit: EXIT.noSignature,
    retry: 'backoff',
  },
} as const satisfies ErrorTable;
