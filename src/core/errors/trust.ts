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
  'trust/builder-unbound': {
    meaning:
      'A version of the trust policy that is to be signed leaves open which signer speaks for the builders.',
    exit: EXIT.usage,
    retry: 'never',
  },
  'trust/threshold-not-met': {
    meaning: 'Too few of the root keys signed a version of the trust policy.',
    exit: EXIT.signature,
    retry: 'never',
  },
  'trust/version-gap': {
    meaning: 'A version of the trust policy does not follow the one in force.',
    exit: EXIT.rollback,
    retry: 'never',
  },
  'trust/would-distrust': {
    meaning: 'A version of the trust policy would distrust what is active, and is not forced.',
    exit: EXIT.signature,
    retry: 'never',
  },
  'trust/unsigned': {
    meaning: 'The trust policy in force has root keys, and what is offered is not signed by them.',
    exit: EXIT.signature,
    retry: 'never',
  },
  'trust/statement-invalid': {
    meaning: 'What is offered is no signed trust policy.',
    exit: EXIT.usage,
    retry: 'never',
  },
  'trust/update-mirror': {
    meaning: 'The address of a TUF repository is not https, or holds what an address must not.',
    exit: EXIT.usage,
    retry: 'never',
  },
  'trust/update-root': {
    meaning: 'The TUF metadata kept on this host was begun from another root file.',
    exit: EXIT.usage,
    retry: 'never',
  },
  'trust/update-unavailable': {
    meaning: 'A TUF repository cannot be reached, or does not answer in time.',
    exit: EXIT.registry,
    retry: 'never',
  },
  'trust/update-refused': {
    meaning:
      'The metadata or a file of a TUF repository is not signed, expired, older than what was seen, or not what was promised.',
    exit: EXIT.signature,
    retry: 'never',
  },
  'trust/fixture-failed': {
    meaning: 'A fixture of `warder trust test` has another outcome than it expects.',
    exit: EXIT.content,
    retry: 'never',
  },
} as const satisfies ErrorTable;
