// SPDX-License-Identifier: Apache-2.0
// Chooses kernel modules for the guest and puts each behind the ones that it needs.
//
// The dependencies are read from the modules themselves (the .modinfo section), because a kernel package
// that is only unpacked has no modules.dep. Newer kernels compress their modules.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../setup/run.mjs';

const FILE = /^(.+)\.ko(\.xz|\.zst)?$/;

/** Loaded at boot: the control port, the disk and the network card. */
export const BOOT_MODULES = ['virtio_pci', 'virtio_console', 'virtio_blk', 'virtio_net'];

/** Carried for the tests, which load them with modprobe. */
export const EXTRA_MODULES = [
  'overlay',
  'loop',
  'btrfs',
  'xfs',
  'erofs',
  'squashfs',
  'fuse',
  'vfat',
  // What vfat reads names with unless told otherwise.
  'nls_cp437',
  'nls_ascii',
  'dummy',
  'veth',
];

/**
 * Returns { boot, all }: names in load order; `all` maps a name to { path, data, needs }, where path is
 * relative to the modules folder and not compressed. A name that the kernel has built in is left out.
 */
export function selectModules(folder) {
  const files = listModules(folder);
  const all = new Map();
  const visit = (name) => {
    const file = files.get(name);
    if (!file || all.has(name)) return;
    const data = readModule(join(folder, file));
    const needs = dependenciesOf(data);
    for (const need of needs) visit(need);
    all.set(name, {
      path: file.replace(FILE, '$1.ko'),
      data,
      needs: needs.filter((need) => files.has(need)),
    });
  };
  for (const name of BOOT_MODULES) visit(name);
  const boot = [...all.keys()];
  for (const name of EXTRA_MODULES) visit(name);
  return { boot, all };
}

/** Writes modules.dep for modprobe: "path: path of each module it needs, nearest first". */
export function dependencyTable(all) {
  const closure = (name) => all.get(name).needs.flatMap((need) => [need, ...closure(need)]);
  const lines = [...all].map(([name, { path }]) => {
    const needs = [...new Set(closure(name))].map((need) => all.get(need).path);
    return `${path}: ${needs.join(' ')}`.trim();
  });
  return `${lines.join('\n')}\n`;
}

function listModules(folder) {
  const files = new Map();
  for (const file of readdirSync(join(folder, 'kernel'), { recursive: true })) {
    const name = FILE.exec(file.slice(file.lastIndexOf('/') + 1))?.[1];
    if (name) files.set(normalise(name), join('kernel', file));
  }
  return files;
}

function readModule(file) {
  if (file.endsWith('.ko')) return readFileSync(file);
  const unpack = file.endsWith('.xz') ? 'xz' : 'zstd';
  // Through a file and not a pipe: run() reads text.
  const copy = `${file}.unpacked`;
  run('sh', ['-c', `${unpack} -dc "$1" > "$2"`, 'sh', file, copy], { log: 'guest-image' });
  return readFileSync(copy);
}

function dependenciesOf(data) {
  const start = data.indexOf('\0depends=');
  if (start < 0) return [];
  const text = data.toString('latin1', start + '\0depends='.length, data.indexOf(0, start + 1));
  return text.split(',').filter(Boolean).map(normalise);
}

// The kernel treats both signs as one in a module's name.
function normalise(name) {
  return name.replaceAll('-', '_');
}
