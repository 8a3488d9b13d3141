// Errors of local configuration files.
//
// SPDX-License-Identifier: Apache-2.0

import { type ErrorTable, EXIT } from './spec.ts';

export const CONFIG_ERRORS = {
  'config/invalid': {
    meaning: 'A configuration file does not fit its schema.',
    exit: EXIT.usage,
    retry: 'never',
  },
  'config/unreadable': {
    meaning: 'A configuration file cannot be read.',
    exit: EXIT.usage,
    retry: 'never',
  },
} as const satisfies ErrorTable;
