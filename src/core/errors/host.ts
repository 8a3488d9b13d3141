// Errors of the host: what it cannot do, and tools that it lacks.
//
// SPDX-License-Identifier: Apache-2.0

import { type ErrorTable, EXIT } from './spec.ts';

export const HOST_ERRORS = {
  'host/unsupported': {
    meaning:
      'This host cannot enforce: kernel version, BTF, lsm= order, capability or hook is missing.',
    exit: EXIT.hostUnsupported,
    retry: 'never',
  },
  'host/mounts-changed': {
    meaning:
      'Something was mounted, moved or unmounted at a protected path, and its paths are not resolved again yet.',
    exit: EXIT.activation,
    retry: 'backoff',
  },
  'host/facts-unavailable': {
    meaning: 'The program that knows what this host offers did not answer.',
    exit: EXIT.hostUnsupported,
    retry: 'never',
  },
  'host/tool-untrusted': {
    meaning: 'A program that Warder runs is missing, too old, or writable by others.',
    exit: EXIT.usage,
    retry: 'never',
  },
  'host/enforcer-unavailable': {
    meaning: 'The enforcer does not answer on its socket.',
    exit: EXIT.activation,
    retry: 'backoff',
  },
  'host/enforcer-denied': {
    meaning: 'The enforcer does not accept this request from this user.',
    exit: EXIT.usage,
    retry: 'never',
  },
  'host/enforcer-busy': {
    meaning: 'The enforcer has as many connections as it accepts.',
    exit: EXIT.activation,
    retry: 'backoff',
  },
  'host/enforcer-failed': {
    meaning:
      'A bug in the enforcer ended a request; it starts again, the kernel goes on enforcing.',
    exit: EXIT.internal,
    retry: 'quarantine',
  },
  'host/protocol-mismatch': {
    meaning: 'Enforcer and client speak different versions of the protocol.',
    exit: EXIT.usage,
    retry: 'never',
  },
  'host/protocol-invalid': {
    meaning: 'A message on the enforcer socket does not fit the protocol.',
    exit: EXIT.activation,
    retry: 'backoff',
  },
  'host/off-at-boot': {
    meaning: 'The kernel command line keeps enforcement from starting.',
    exit: EXIT.activation,
    retry: 'never',
  },
  'host/self-protected': {
    meaning: 'The pins belong to an enforcer that its launcher started, and are closed to others.',
    exit: EXIT.hostUnsupported,
    retry: 'never',
  },
  'host/events-lost': {
    meaning: 'Decisions were made that no event tells of; the counts stay exact.',
    exit: EXIT.ok,
    retry: 'never',
  },
  'host/proof-lsm': {
    meaning: 'bpf is not an active security module: attached programs are not asked.',
    exit: EXIT.activation,
    retry: 'never',
  },
  'host/proof-link': {
    meaning: 'The pinned link of a program is gone, or leads to another hook.',
    exit: EXIT.activation,
    retry: 'never',
  },
  'host/proof-program': {
    meaning: 'The program behind a pinned link is not the one that the object gives here.',
    exit: EXIT.activation,
    retry: 'never',
  },
  'host/proof-map': {
    meaning: 'A pinned map is gone or another; the next start would not find what is enforced.',
    exit: EXIT.activation,
    retry: 'never',
  },
  'host/proof-skipped': {
    meaning: 'The kernel skipped calls of a program: what they would have denied was allowed.',
    exit: EXIT.activation,
    retry: 'never',
  },
  'host/proof-committed': {
    meaning: 'The kernel has no generation committed, or another one than the store recorded.',
    exit: EXIT.activation,
    retry: 'never',
  },
  'host/proof-content': {
    meaning: 'The maps of the committed generation are not those that were filled for it.',
    exit: EXIT.activation,
    retry: 'never',
  },
  'host/proof-canary': {
    meaning: 'What policy denies was tried, and was not denied as it says.',
    exit: EXIT.activation,
    retry: 'never',
  },
  'host/proof-unanswered': {
    meaning: 'A part of the attach proof gave no answer; what is enforced is unknown.',
    exit: EXIT.activation,
    retry: 'backoff',
  },
  'host/links-alive': {
    meaning:
      'Enforcement was disabled, and programs are still attached: something else holds their links.',
    exit: EXIT.activation,
    retry: 'never',
  },
  'host/clock-suspect': {
    meaning: 'The clock is behind the latest time that this host has seen proven.',
    exit: EXIT.freshness,
    retry: 'backoff',
  },
} as const satisfies ErrorTable;
