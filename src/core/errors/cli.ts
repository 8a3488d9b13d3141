// Errors of the command line itself.
//
// SPDX-License-Identifier: Apache-2.0

import { type ErrorTable, EXIT } from './spec.ts';

export const CLI_ERRORS = {
  'cli/usage': { meaning: 'The command line is not understood.', exit: EXIT.usage, retry: 'never' },
  'cli/internal': { meaning: 'A bug in Warder.', exit: EXIT.internal, retry: 'never' },
} as const satisfies ErrorTable;
