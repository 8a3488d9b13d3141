// SPDX-License-Identifier: Apache-2.0
// Builds the BPF programs, the addon, the decision runners and the guest's test tool with their own
// Makefiles, which know what is up to date.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PINNED_NODE, ROOT } from './paths.mjs';
import { run, tryRun } from './run.mjs';

const FOLDERS = ['bpf', 'native', 'test/vectors', 'test/vm/op'];

/** Runs make in each folder; returns false when there was nothing to do. */
export function buildNativeCode() {
  const folders = FOLDERS.filter((folder) => existsSync(join(ROOT, folder, 'Makefile')));
  return folders.map(buildFolder).includes(true);
}

function buildFolder(folder) {
  const args = ['--silent', '--directory', folder, `NODE=${PINNED_NODE}`];
  // Asked first, because a silent make does not tell whether it did anything.
  if (tryRun('make', [...args, '--question']) !== null) return false;
  run('make', args, { log: folder.replaceAll('/', '-'), env: { MAKEFLAGS: '' } });
  return true;
}
