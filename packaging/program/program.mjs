// SPDX-License-Identifier: Apache-2.0
// Writes `warder` as a program: bundled, for the Node that runs this, with the start-up snapshot of
// `warder verify`. It stays where it was written; another Node needs it to be written again.

import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundlePrograms } from '../guest/bundle.mjs';
import { makeSnapshot } from './snapshot.mjs';

/** Writes the program into a folder, which is replaced; answers the file to run. */
export async function writeProgram(dir) {
  const { files } = await bundlePrograms();
  const snapshot = await makeSnapshot();
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  for (const [name, bytes] of files) writeFileSync(join(dir, name), bytes);
  writeFileSync(join(dir, 'verify.blob'), snapshot);
  const file = join(dir, 'warder');
  writeFileSync(file, launcher(dir));
  chmodSync(file, 0o755);
  return file;
}

function launcher(dir) {
  return `#!/bin/sh
# Written by "make program".
node=${quote(process.execPath)}
lib=${quote(dir)}
if [ "$1" = verify ]; then
  exec "$node" --snapshot-blob "$lib/verify.blob" "$lib/warder.mjs" "$@"
fi
exec "$node" --disable-warning=ExperimentalWarning "$lib/warder.mjs" "$@"
`;
}

const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;
