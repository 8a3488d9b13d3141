// Errors of the command line itself.
//
// SPDX-License-Identifier: Apache-2.0

import { type ErrorTable, EXIT } from './spec.ts';

export const CLI_ERRORS = {
  'cli/usage': {
    meaning: 'The command line is not understood.',
    exit: EXIT.usage,
    retry: 'never',
  },
  'cli/internal': { meaning: 'A bug in Warder.', exit: EXIT.internal, retry: 'never' },
  'cli/event-not-found': {
    meaning: 'No event has this id, or nothing was denied yet.',
    exit: EXIT.usage,
    retry: 'never',
  },
  'cli/record-not-found': {
    meaning: 'No decision record is known by this name; old ones make room for new ones.',
    exit: EXIT.usage,
    retry: 'never',
  },
  'cli/file-unreadable': {
    meaning: 'A file named on the command line cannot be read.',
    exit: EXIT.usage,
    retry: 'never',
  },
  'cli/file-unwritable': {
    meaning: 'A file or folder named on the command line cannot be written, or is there already.',
    exit: EXIT.usage,
    retry: 'never',
  },
  'cli/confirmation-needed': {
    meaning: 'The command ends enforcement, or that of a source, and was not confirmed with --yes.',
    exit: EXIT.usage,
    retry: 'never',
  },
} as const satisfies ErrorTable;
