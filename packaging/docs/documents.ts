// Path -> text of every document that is made from code.
//
// SPDX-License-Identifier: Apache-2.0

import { commandReference, manualPage } from './commands.ts';
import { errorsDocument } from './errors.ts';

/** All generated documents, by path from the root of the repository. */
export async function generatedDocuments(): Promise<Readonly<Record<string, string>>> {
  return {
    'docs/errors.md': errorsDocument(),
    'docs/reference/commands.md': commandReference(),
    'packaging/man/warder.1': manualPage(),
  };
}
