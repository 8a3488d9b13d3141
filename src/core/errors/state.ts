// Errors of persistent state.
//
// SPDX-License-Identifier: Apache-2.0

import { type ErrorTable, EXIT } from './spec.ts';

export const STATE_ERRORS = {
  'state/locked': {
    meaning: 'Another process holds this state.',
    exit: EXIT.state,
    retry: 'never',
  },
  'state/corrupt': {
    meaning: 'State on disk fails its integrity check.',
    exit: EXIT.state,
    retry: 'never',
  },
  'state/evidence-damaged': {
    meaning: 'A decision record, or bytes that it names, are not what was written.',
    exit: EXIT.state,
    retry: 'never',
  },
  'state/evidence-incomplete': {
    meaning: 'Bytes that a decision was made from were not kept, so it cannot be repeated.',
    exit: EXIT.state,
    retry: 'never',
  },
  'state/lost': {
    meaning: 'Every copy of the version floor is gone.',
    exit: EXIT.state,
    retry: 'never',
  },
  'stage/write-failed': {
    meaning: 'The evidence of an admitted bundle could not be written; nothing was activated.',
    exit: EXIT.state,
    retry: 'backoff',
  },
  'stage/floor-write-failed': {
    meaning: 'The version floor could not be written; nothing was activated.',
    exit: EXIT.state,
    retry: 'backoff',
  },
  'record/write-failed': {
    meaning: 'State could not be written.',
    exit: EXIT.state,
    retry: 'backoff',
  },
} as const satisfies ErrorTable;
