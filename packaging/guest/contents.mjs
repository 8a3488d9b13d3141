// SPDX-License-Identifier: Apache-2.0
// What the guest's file system holds, as a list of archive entries.
//
// Laid out like Debian (one /usr, links for the rest). Users: root, warder (the agent, 990), alice (1000)
// and mallory (1001), so that a test can act as an ordinary user of its choice.

import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { basename, join } from 'node:path';
import { SetupError } from '../setup/errors.mjs';
import { BUILD, ROOT } from '../setup/paths.mjs';
import { run, tryRun } from '../setup/run.mjs';
import { dependencyTable, selectModules } from './kernel-modules.mjs';
import { RUNTIME_MOUNT, RUNTIME_PROGRAMS } from './runtime-disk.mjs';

const LOG = 'guest-image';
const BUSYBOX = '/bin/busybox';

// Programs of this machine that busybox does not have, or has with less: all from packages that set-up
// installs or that every Debian has.
const HOST_PROGRAMS = [
  '/usr/sbin/bpftool',
  '/sbin/mke2fs',
  '/sbin/mkfs.fat',
  '/usr/bin/nsenter',
  '/usr/bin/prlimit',
  '/usr/bin/setpriv',
  '/usr/bin/unshare',
];

// The addon's libraries: it is loaded at run time, so no program of the guest lists them.
const LIBRARIES = ['libbpf.so.1', 'libelf.so.1', 'libz.so.1'];

const USERS = [
  { name: 'root', id: 0, home: '/root' },
  { name: 'warder', id: 990, home: '/var/lib/warder' },
  { name: 'alice', id: 1000, home: '/home/alice' },
  { name: 'mallory', id: 1001, home: '/home/mallory' },
];

// Those that stay empty; the others are made for what they hold.
const FOLDERS = [
  'dev',
  'proc',
  'sys',
  'run',
  'disk',
  'mnt',
  'srv',
  'opt/warder',
  RUNTIME_MOUNT.slice(1),
  'usr/local/bin',
  'var/log',
];

const LINKS = {
  bin: 'usr/bin',
  sbin: 'usr/sbin',
  lib: 'usr/lib',
  lib64: 'usr/lib64',
  'var/run': '../run',
};

/** Lists the archive: the system, the kernel's modules, and Warder's bundled programs. */
export function listContents({ kernel, agent, bundle }) {
  const programs = [
    file('usr/bin/busybox', BUSYBOX, 0o755),
    ...HOST_PROGRAMS.map((path) => file(underUsr(path), path, 0o755)),
    file('usr/sbin/guest-agent', agent, 0o755),
    file('init', join(ROOT, 'packaging/guest/init'), 0o755),
    ...helpers(),
  ];
  for (const { source } of programs)
    if (!existsSync(source))
      throw new SetupError(`the guest needs ${source}, which is missing`, {
        hint: 'run "make setup"',
      });
  return withParents([
    ...FOLDERS.map((path) => folder(path)),
    folder('root', { mode: 0o700 }),
    folder('tmp', { mode: 0o1777 }),
    ...USERS.filter(({ id }) => id !== 0).map(({ id, home }) =>
      folder(home.slice(1), { uid: id, gid: id }),
    ),
    ...Object.entries(LINKS).map(([path, target]) => link(path, target)),
    ...applets(programs.map(({ path }) => basename(path))),
    ...Object.keys(RUNTIME_PROGRAMS).map((name) =>
      link(`usr/bin/${name}`, `${RUNTIME_MOUNT}/${name}`),
    ),
    ...programs,
    ...libraries([...programs.map(({ source }) => source), ...Object.values(RUNTIME_PROGRAMS)]),
    ...modules(kernel),
    ...configuration(),
    ...['relay.mjs', 'frames.mjs'].map((name) =>
      file(`usr/lib/relay/${name}`, join(ROOT, 'packaging/guest', name), 0o644),
    ),
    ...[...bundle.files].map(([name, data]) => text(`opt/warder/${name}`, data)),
    ...bundle.programs.map((name) => text(`usr/bin/${name}`, launcher(name), 0o755)),
  ]);
}

// The kernel drops an entry whose folder does not exist yet, without a word.
function withParents(entries) {
  const seen = new Set(entries.filter(({ kind }) => kind === 'symlink').map(({ path }) => path));
  return entries.flatMap((entry) => {
    const missing = [];
    for (let at = entry.path.indexOf('/'); at > 0; at = entry.path.indexOf('/', at + 1)) {
      const parent = entry.path.slice(0, at);
      if (!seen.has(parent)) missing.push(folder(parent));
      seen.add(parent);
    }
    seen.add(entry.path);
    return [...missing, entry];
  });
}

function folder(path, { mode = 0o755, uid = 0, gid = 0 } = {}) {
  return { path, kind: 'directory', mode, uid, gid };
}

function file(path, source, mode) {
  return { path, kind: 'file', mode, source };
}

function text(path, data, mode = 0o644) {
  return { path, kind: 'file', mode, data };
}

function link(path, target) {
  return { path, kind: 'symlink', mode: 0o777, target };
}

// The applets are links to busybox; a real program of the same name takes the place of one.
function applets(taken) {
  const names = run(BUSYBOX, ['--list'], { log: LOG }).split('\n').filter(Boolean);
  return names
    .filter((name) => !taken.includes(name))
    .map((name) => link(`usr/bin/${name}`, 'busybox'));
}

// Small programs that the tests compile for the guest.
function helpers() {
  const built = join(BUILD, 'guest-bin');
  const names = existsSync(built) ? readdirSync(built).sort() : [];
  return names.map((name) => file(`usr/local/bin/${name}`, join(built, name), 0o755));
}

function libraries(programs) {
  const wanted = new Map();
  const add = (path) => wanted.set(path, realpathSync(path));
  const known = run('/sbin/ldconfig', ['-p'], { log: LOG });
  const named = LIBRARIES.map((name) => {
    const path = new RegExp(`^\\s*${name.replaceAll('.', '\\.')} .*=> (\\S+)$`, 'm').exec(
      known,
    )?.[1];
    if (!path)
      throw new SetupError(`the library ${name} is not installed`, { hint: 'run "make setup"' });
    return path;
  });
  for (const path of named) add(path);
  // A static program has no libraries; ldd fails on it, and that is the answer.
  for (const program of [...programs, ...named])
    for (const match of (tryRun('ldd', [program]) ?? '').matchAll(/(\/\S+\.so\S*)/g)) add(match[1]);
  return [...wanted].map(([path, source]) => file(underUsr(path), source, 0o755));
}

function underUsr(path) {
  return path.startsWith('/usr/') ? path.slice(1) : `usr${path}`;
}

function modules(kernel) {
  const { boot, all } =
    kernel.modules === null ? { boot: [], all: new Map() } : selectModules(kernel.modules);
  const base = `usr/lib/modules/${kernel.release}`;
  return [
    ...[...all.values()].map(({ path, data }) => ({
      path: `${base}/${path}`,
      kind: 'file',
      mode: 0o644,
      data,
    })),
    text(`${base}/modules.dep`, dependencyTable(all)),
    text(
      'usr/lib/modules/boot.list',
      boot.map((name) => `/${base}/${all.get(name).path}\n`).join(''),
    ),
  ];
}

function configuration() {
  const line = ({ name, id, home }) => `${name}:x:${id}:${id}:${name}:${home}:/bin/sh\n`;
  return [
    text('etc/passwd', USERS.map(line).join('')),
    text('etc/group', USERS.map(({ name, id }) => `${name}:x:${id}:\n`).join('')),
    text('etc/hostname', 'guest\n'),
    text('etc/hosts', '127.0.0.1 localhost guest\n10.0.2.2 host\n'),
    text('etc/os-release', 'ID=warder-guest\nNAME="Warder laboratory guest"\n'),
  ];
}

function launcher(name) {
  return `#!/bin/sh\nexec ${RUNTIME_MOUNT}/node --disable-warning=ExperimentalWarning /opt/warder/${name}.mjs "$@"\n`;
}
