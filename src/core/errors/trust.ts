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
  'trust/unreadable': {
    meaning: 'The trust policy or a key file that it names cannot be read.',
    exit: EXIT.usage,
    retry: 'never',
  },
  'trust/key-invalid': {
    meaning: 'A key of the trust policy is not a public key in PEM.',
    exit: EXIT.usage,
    retry: 'never',
  },
  'trust/algorithm': {
    meaning: 'A key of the trust policy is not ECDSA on P-256, the only algorithm in use.',
    exit: EXIT.usage,
    retry: 'never',
  },
  'trust/root-invalid': {
    meaning:
      'The trusted root of the trust policy lacks authorities or logs, or is no trusted root.',
    exit: EXIT.usage,
    retry: 'never',
  },
} as const satisfies ErrorTable;
