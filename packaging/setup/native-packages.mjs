// SPDX-License-Identifier: Apache-2.0
// Completes what npm 9 leaves out: together with an optional package for another platform it takes away
// others, among them some that this platform needs. Each is fetched by npm and held to the lockfile's hash.

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SetupError } from './errors.mjs';
import { run } from './run.mjs';

/** Installs the packages of the lockfile that are made for this platform and are not there. */
export function completeNativePackages(root, packages) {
  for (const [path, entry] of Object.entries(packages))
    if (isForThisPlatform(entry) && !existsSync(join(root, path, 'package.json')))
      install(join(root, path), path.replace(/^.*node_modules\//, ''), entry);
}

/** Tells whether a locked package names this very platform. */
export function isForThisPlatform({ os, cpu, libc = ['glibc'] }) {
  const names = (list, name) => [list ?? []].flat().includes(name);
  return names(os, 'linux') && names(cpu, process.arch) && names(libc, 'glibc');
}

function install(folder, name, { version, integrity }) {
  const log = 'node-packages';
  const scratch = mkdtempSync(join(tmpdir(), 'warder-npm-'));
  try {
    const options = ['--silent', '--prefer-offline', '--pack-destination', scratch];
    const file = run('npm', ['pack', ...options, `${name}@${version}`], { log }).trim();
    const archive = join(scratch, file);
    const hash = createHash('sha512').update(readFileSync(archive)).digest('base64');
    if (integrity !== `sha512-${hash}`)
      throw new SetupError(`${name} ${version} is not what the lockfile names`);
    mkdirSync(folder, { recursive: true });
    run('tar', ['-xzf', archive, '-C', folder, '--strip-components=1', '--no-same-owner'], { log });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
