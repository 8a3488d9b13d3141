// Path -> text of every document that is made from code.
//
// SPDX-License-Identifier: Apache-2.0

import { existsSync, readFileSync } from 'node:fs';
import { summarySchemas } from '../../src/wire/summary.ts';
import { commandReference, manualPage } from './commands.ts';
import { errorsDocument } from './errors.ts';

/** All generated documents, by path from the root of the repository. */
export async function generatedDocuments(): Promise<Readonly<Record<string, string>>> {
  return {
    'docs/errors.md': errorsDocument(),
    'docs/reference/commands.md': commandReference(),
    'packaging/man/warder.1': manualPage(),
    'README.md': withTranscript(read('README.md')),
    ...attestationSchemas(),
  };
}

function attestationSchemas(): Readonly<Record<string, string>> {
  const written = Object.entries(summarySchemas()).map(([name, schema]) => [
    `attestations/${name}`,
    `${JSON.stringify(schema, null, 2)}\n`,
  ]);
  return Object.fromEntries(written);
}

const TRANSCRIPT = 'packaging/demo/transcript.txt';
const BLOCK = /(<!-- demo transcript -->\n```\n)[\s\S]*?(```\n)/;

// The demo keeps its transcript true; the README shows that and nothing else.
function withTranscript(readme: string): string {
  if (!existsSync(new URL(`../../${TRANSCRIPT}`, import.meta.url))) return readme;
  const transcript = read(TRANSCRIPT);
  return readme.replace(BLOCK, (_all, open: string, close: string) => open + transcript + close);
}

function read(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
}
