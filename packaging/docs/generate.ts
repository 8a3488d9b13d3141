// Writes every generated document; a test compares them, so a forgotten run does not pass.
//
//   node packaging/docs/generate.ts
//
// SPDX-License-Identifier: Apache-2.0

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { generatedDocuments } from './documents.ts';

for (const [path, text] of Object.entries(await generatedDocuments())) {
  const file = new URL(`../../${path}`, import.meta.url);
  mkdirSync(dirname(file.pathname), { recursive: true });
  writeFileSync(file, text);
}
