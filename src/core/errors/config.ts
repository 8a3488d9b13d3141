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
  'config/source-unknown': {
    meaning: 'A source is not known on this host, or not configured any more.',
    exit: EXIT.usage,
    retry: 'backoff',
  },
  'config/source-gone': {
    meaning:
      'A source is not configured any more; what it brought stays in force until root removes it.',
    exit: EXIT.usage,
    retry: 'never',
  },
  'config/source-in-use': {
    meaning: 'A source is to be removed that is still configured.',
    exit: EXIT.usage,
    retry: 'never',
  },
  'config/unreadable': {
    meaning: 'A configuration file cannot be read.',
    exit: EXIT.usage,
    retry: 'never',
  },
} as const satisfies ErrorTable;
