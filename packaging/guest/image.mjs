// SPDX-License-Identifier: Apache-2.0
// Builds the guest's initramfs and its runtime disk, once for each state of what goes into them.
//
// The archive is not compressed: unpacking is what an emulated processor is slow at, and copying is not.

import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs';
import { join } from 'node:path';
import { SetupError } from '../setup/errors.mjs';
import { findKernel } from '../setup/kernels.mjs';
import { BUILD, ROOT } from '../setup/paths.mjs';
import { run } from '../setup/run.mjs';
import { bundlePrograms } from './bundle.mjs';
import { listContents } from './contents.mjs';
import { writeCpio } from './cpio.mjs';
import { prepareRuntimeDisk } from './runtime-disk.mjs';

const IMAGES = join(BUILD, 'guest');
const IMAGES_KEPT_MAX = 4;

/**
 * Returns { series, release, kernel, hasModules, initramfs, runtimeDisk, built } for a series whose kernel is
 * in the cache.
 */
export async function prepareImage(series) {
  const kernel = findKernel(series);
  if (!kernel)
    throw new SetupError(`there is no guest kernel ${series} in the cache`, {
      hint: `run "make setup", or "make kernels" for the others`,
    });
  mkdirSync(IMAGES, { recursive: true });
  const entries = listContents({ kernel, agent: compileAgent(), bundle: await bundlePrograms() });
  const initramfs = join(IMAGES, `${series}-${hashOf(entries)}.cpio`);
  const built = !existsSync(initramfs);
  if (built) {
    const partial = `${initramfs}.partial-${process.pid}`;
    writeCpio(partial, entries);
    renameSync(partial, initramfs);
  }
  const runtimeDisk = prepareRuntimeDisk(IMAGES);
  // The oldest by use go first. A guest that runs has read its initramfs, and holds its disk open.
  for (const file of [initramfs, runtimeDisk]) utimesSync(file, new Date(), new Date());
  prune();
  const { release, image, modules } = kernel;
  const hasModules = modules !== null;
  return { series, release, kernel: image, hasModules, initramfs, runtimeDisk, built };
}

function compileAgent() {
  const source = join(ROOT, 'packaging/guest/agent.c');
  const output = join(IMAGES, 'guest-agent');
  if (existsSync(output) && statSync(output).mtimeMs > statSync(source).mtimeMs) return output;
  const partial = `${output}.partial-${process.pid}`;
  run('gcc', ['-static', '-O2', '-Wall', '-Wextra', '-Werror', '-o', partial, source], {
    log: 'guest-image',
  });
  renameSync(partial, output);
  return output;
}

// Large files of the machine are known by size and time; everything else by its bytes.
function hashOf(entries) {
  const hash = createHash('sha256');
  for (const { source, data, ...rest } of entries) {
    hash.update(JSON.stringify(rest));
    if (source !== undefined) {
      const { size, mtimeMs } = statSync(source);
      hash.update(`${source} ${size} ${mtimeMs}`);
    } else if (data !== undefined) hash.update(data);
  }
  return hash.digest('hex').slice(0, 16);
}

function prune() {
  for (const ending of ['.cpio', '.img']) pruneKind(ending);
}

function pruneKind(ending) {
  const images = readdirSync(IMAGES).filter((name) => name.endsWith(ending));
  const byUse = images
    .map((name) => join(IMAGES, name))
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  for (const image of byUse.slice(IMAGES_KEPT_MAX)) rmSync(image, { force: true });
}
