// Errors of staging, activating, confirming and restoring a generation.
//
// SPDX-License-Identifier: Apache-2.0

import { type ErrorTable, EXIT } from './spec.ts';

export const ACTIVATE_ERRORS = {
  'stage/parent-missing': {
    meaning: 'A protected path lies in a directory that does not exist on this host.',
    exit: EXIT.activation,
    retry: 'backoff',
  },
  'activate/load-rejected': {
    meaning: 'The kernel refused a program that an active rule needs.',
    exit: EXIT.hostUnsupported,
    retry: 'never',
  },
  'activate/partial': {
    meaning: 'A hook that an active rule needs cannot attach; nothing was changed.',
    exit: EXIT.hostUnsupported,
    retry: 'never',
  },
  'confirm/health-failed': {
    meaning:
      'A canary or a health probe failed after activation; the previous generation was restored.',
    exit: EXIT.activation,
    retry: 'quarantine',
  },
  'confirm/health-no-data': {
    meaning: 'A canary or a probe gave no answer; the previous generation was restored.',
    exit: EXIT.activation,
    retry: 'quarantine',
  },
} as const satisfies ErrorTable;
