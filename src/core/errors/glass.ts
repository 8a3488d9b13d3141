// Errors of break-glass and of signed orders to disable.
//
// SPDX-License-Identifier: Apache-2.0

import { type ErrorTable, EXIT } from './spec.ts';

export const GLASS_ERRORS = {
  'glass/not-configured': {
    meaning: 'The trust policy names no keys that may sign orders for this host.',
    exit: EXIT.signature,
    retry: 'never',
  },
  'glass/threshold-not-met': {
    meaning: 'Too few of the keys for break-glass signed the order.',
    exit: EXIT.signature,
    retry: 'never',
  },
  'glass/statement-invalid': {
    meaning: 'What is offered is no request for break-glass, or no signed order.',
    exit: EXIT.usage,
    retry: 'never',
  },
  'glass/unsigned': {
    meaning: 'Enforcement ends by a signed order only.',
    exit: EXIT.signature,
    retry: 'never',
  },
  'glass/wrong-host': {
    meaning: 'The order is for another host.',
    exit: EXIT.signature,
    retry: 'never',
  },
  'glass/wrong-boot': {
    meaning: 'The order is for another boot of this host.',
    exit: EXIT.signature,
    retry: 'never',
  },
  'glass/nonce-unknown': {
    meaning: 'The order answers no request of this host.',
    exit: EXIT.signature,
    retry: 'never',
  },
  'glass/used': {
    meaning: 'The order was used before; each is good for once.',
    exit: EXIT.rollback,
    retry: 'never',
  },
  'glass/expired': {
    meaning: 'The order answers a request that is too old.',
    exit: EXIT.freshness,
    retry: 'never',
  },
  'glass/over-limit': {
    meaning: 'The order asks for more time than the trust policy grants.',
    exit: EXIT.signature,
    retry: 'never',
  },
  'glass/rule-unknown': {
    meaning: 'The order names a rule that is not enforced on this host.',
    exit: EXIT.content,
    retry: 'never',
  },
  'glass/rule-protected': {
    meaning: 'The order names a rule of the baseline, which nothing relaxes.',
    exit: EXIT.content,
    retry: 'never',
  },
  'glass/cgroup-unknown': {
    meaning: 'The order names a control group that this host does not have.',
    exit: EXIT.content,
    retry: 'never',
  },
  'glass/wrong-action': {
    meaning: 'An order to disable was used as break-glass, or the other way round.',
    exit: EXIT.usage,
    retry: 'never',
  },
  'glass/in-use': {
    meaning: 'Break-glass is in use already; one order at a time.',
    exit: EXIT.activation,
    retry: 'never',
  },
  'glass/not-in-use': {
    meaning: 'There is no break-glass that could be ended.',
    exit: EXIT.notFound,
    retry: 'never',
  },
} as const satisfies ErrorTable;
