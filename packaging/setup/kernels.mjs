// SPDX-License-Identifier: Apache-2.0
// Brings guest kernels into the cache, one per series: downloaded with apt, unpacked, never installed.
//
// A kernel in the cache is used as it is, without a network; WARDER_LAB_REFRESH=1 asks the index again.

import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { SetupError } from './errors.mjs';
import { FLAVOUR, KERNEL_SERIES, NEWEST_MAJOR, NEWEST_SOURCE, sourceOf } from './kernel-series.mjs';
import { LAB_CACHE } from './paths.mjs';
import { run } from './run.mjs';
import { openSuite } from './suite.mjs';

/**
 * Returns the cached kernel of a series ({ series, release, image, modules }) or null. `modules` is null for
 * a kernel whose modules Debian has dropped: it has what is built in.
 */
export function findKernel(series) {
  const file = join(homeOf(series), 'kernel.json');
  if (!existsSync(file)) return null;
  const kernel = parseRecord(readFileSync(file, 'utf8'));
  if (!kernel) return null;
  const home = homeOf(series);
  // Paths are kept relative, so that a cache may be moved.
  const image = join(home, kernel.image);
  const modules = kernel.modules === null ? null : join(home, kernel.modules);
  return existsSync(image) ? { ...kernel, series, image, modules } : null;
}

/** Tells whether a kernel of the cache is still what was unpacked: a disk may have damaged it since. */
export function isIntact({ image, modules, sha256 }) {
  // Older caches have no hash.
  return sha256 === undefined || hashOf(image, modules) === sha256;
}

/** The newest series of a major version in the cache, or null; a full series is itself. */
export function findSeries(wanted) {
  if (wanted.includes('.')) return wanted;
  const folder = join(LAB_CACHE, 'kernels');
  const cached = existsSync(folder) ? readdirSync(folder) : [];
  return newest(cached.filter((it) => it.startsWith(`${wanted}.`) && findKernel(it)));
}

/**
 * Makes sure that a series is in the cache. Returns { series, fetched }: which one it is, and the release
 * when it was fetched just now. Throws SetupError when it is gone.
 */
export function provideKernel(wanted, { refresh = process.env.WARDER_LAB_REFRESH === '1' } = {}) {
  const cached = findSeries(wanted);
  const kernel = cached && findKernel(cached);
  if (kernel && !refresh && isIntact(kernel)) return { series: cached, fetched: null };
  const series = wanted.includes('.') ? wanted : newestListed(wanted);
  return { series, fetched: fetchKernel(series).release };
}

function newestListed(major) {
  const { suite, image } = NEWEST_SOURCE;
  const names = openSuite(suite, `kernel-${major}`).names(`${image}${major}.`);
  const listed = names
    .filter((name) => name.endsWith(FLAVOUR))
    .map((name) => /^\d+\.\d+/.exec(name.slice(image.length))?.[0])
    .filter(Boolean);
  const series = newest(listed);
  if (!series) throw new SetupError(`Debian ${suite} carries no kernel ${major}.*`);
  return series;
}

function newest(list) {
  return list.sort((x, y) => x.localeCompare(y, 'en', { numeric: true })).at(-1) ?? null;
}

/** Fetches the newest kernel of a series; throws SetupError when the series is unknown or gone. */
export function fetchKernel(series) {
  const source = sourceOf(series);
  if (!source)
    throw new SetupError(`unknown kernel series "${series}"`, {
      hint: `known: ${[...KERNEL_SERIES.keys(), `${NEWEST_MAJOR}.*`].join(', ')}`,
    });
  const log = `kernel-${series}`;
  const suite = openSuite(source.suite, log);
  const packages = newestPackages(source, suite);
  const [image] = packages;
  const home = homeOf(series);
  const partial = join(home, '.unpacking');
  try {
    // What a killed set-up left; the cache is locked, so no other one is at work.
    rmSync(partial, { recursive: true, force: true });
    mkdirSync(partial, { recursive: true });
    for (const name of packages) run('dpkg', ['-x', suite.download(name), partial], { log });
    const found = locate(partial, image);
    rmSync(join(home, image), { recursive: true, force: true });
    renameSync(partial, join(home, image));
    writeRecord(series, {
      release: found.release,
      image: join(image, found.image),
      modules: found.modules === null ? null : join(image, found.modules),
    });
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  return findKernel(series);
}

/** Writes down the kernel that was unpacked into the cache, with a hash of it. */
export function writeRecord(series, record) {
  const home = homeOf(series);
  const modules = record.modules === null ? null : join(home, record.modules);
  const sha256 = hashOf(join(home, record.image), modules);
  const file = join(home, 'kernel.json');
  writeFileSync(`${file}.new`, `${JSON.stringify({ ...record, sha256 }, null, 2)}\n`);
  renameSync(`${file}.new`, file);
}

// A record that a full disk cut short is none.
function parseRecord(text) {
  try {
    return JSON.parse(text);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    return null;
  }
}

function hashOf(image, modules) {
  const hash = createHash('sha256').update(readFileSync(image));
  if (modules === null) return hash.digest('hex');
  // The image build unpacks modules beside the compressed ones.
  const names = readdirSync(modules, { recursive: true }).filter((it) => /\.ko(\.\w+)?$/.test(it));
  for (const name of names.sort())
    hash.update(`${name}\n`).update(readFileSync(join(modules, name)));
  return hash.digest('hex');
}

function homeOf(series) {
  return join(LAB_CACHE, 'kernels', series);
}

// A mirror may keep an image and drop its modules. An older image with its modules is better than a newer
// one without; an image alone is taken when there is nothing else.
function newestPackages(source, suite) {
  const listed = suite
    .names(source.image)
    .filter((name) => name.startsWith(source.image) && name.endsWith(FLAVOUR));
  if (listed.length === 0)
    throw new SetupError(`Debian ${source.suite} no longer carries ${source.image}*${FLAVOUR}`);
  const modules = new Set(source.modules ? suite.names(source.modules) : []);
  const sets = listed
    .sort((x, y) => x.localeCompare(y, 'en', { numeric: true }))
    .map((image) =>
      source.modules ? [image, image.replace(source.image, source.modules)] : [image],
    )
    .filter(([, needed]) => needed === undefined || modules.has(needed));
  return sets.at(-1) ?? [listed.at(-1)];
}

// Older packages keep the image in /boot, the newest ones beside the modules.
function locate(root, name) {
  for (const base of ['lib/modules', 'usr/lib/modules']) {
    const folder = join(root, base);
    const release = existsSync(folder) ? readdirSync(folder)[0] : undefined;
    if (!release) continue;
    const modules = join(base, release);
    const images = [`boot/vmlinuz-${release}`, join(modules, 'vmlinuz')];
    const image = images.find((it) => existsSync(join(root, it)));
    if (image) return { release, image, modules };
  }
  const boot = join(root, 'boot');
  const alone = existsSync(boot) ? readdirSync(boot).find((it) => it.startsWith('vmlinuz-')) : null;
  if (alone) {
    const release = alone.slice('vmlinuz-'.length);
    return { release, image: join('boot', alone), modules: null };
  }
  throw new SetupError(`the package ${name} holds no kernel where Debian puts it`);
}
