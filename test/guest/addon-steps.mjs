// SPDX-License-Identifier: Apache-2.0
// Runs in the guest: one step of addon.test.ts per process, its findings as one line of JSON.
//
//   node addon-steps.mjs STEP OBJECT

import { createHash } from 'node:crypto';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';

const addon = createRequire(import.meta.url)('/opt/addon/warder.node');
const PIN_DIR = '/sys/fs/bpf/warder-test';
const SECRET = '/tmp/secret';
const HEADER_BYTES = 2360;
const READ = 1;
const CGROUP = '/sys/fs/cgroup';
const STARVING_OBJECTS = 200_000;

const [step, objectPath] = process.argv.slice(2);
const object = readFileSync(objectPath);
const build = createHash('sha256').update(object).digest('hex').slice(0, 16);

function open(name = build) {
  return addon.open({ object, build: name, pinDir: PIN_DIR });
}

/** A generation whose only rule denies reading the objects. */
function image({ generation, bank, objects }) {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeBigUInt64LE(BigInt(generation), 0);
  header.writeUInt32LE(bank, 8);
  header.writeUInt32LE(1, 12); // rules
  header[48] = 1; // enforce
  header[48 + 128 + READ * 128] = 1;
  return {
    header,
    objects: Buffer.concat(objects.map(objectRow)),
    names: new Uint8Array(0),
    labels: Buffer.concat([labelRow(0, 0), labelRow(1, 1)]),
    exempt: new Uint8Array(0),
    groups: new Uint8Array(0),
  };
}

function objectRow({ dev, ino, gen, sub }) {
  const row = Buffer.alloc(48);
  row.writeBigUInt64LE(ino, 0);
  row.writeBigUInt64LE(sub, 8);
  row.writeUInt32LE(dev, 16);
  row.writeUInt32LE(gen, 20);
  row.writeUInt32LE(1, 24); // self: label 1
  return row;
}

function labelRow(label, bits) {
  const row = Buffer.alloc(132);
  row.writeUInt32LE(label, 0);
  row[4] = bits;
  return row;
}

function read(path = SECRET) {
  try {
    readFileSync(path);
    return 'allowed';
  } catch (cause) {
    return cause.code;
  }
}

function codeOf(action) {
  try {
    action();
    return 'no error';
  } catch (cause) {
    return cause.code;
  }
}

function errorOf(action) {
  try {
    action();
    return null;
  } catch ({ code, errno }) {
    return { code, errno };
  }
}

function linksOf(kernel) {
  return kernel.proof().programs.map(({ linkId }) => linkId);
}

const STEPS = {
  host: () => addon.probeHost(),

  // Nothing is committed before the first fill; a swap and its restore are one update each.
  activate() {
    writeFileSync(SECRET, 'secret\n');
    const { kernel, adopted, programs } = open();
    const before = { committed: kernel.committed(), read: read() };
    const found = kernel.resolve(SECRET, { follow: false });
    const stat = statSync(SECRET);
    kernel.fill(0, image({ generation: 1, bank: 0, objects: [found] }));
    kernel.fill(1, image({ generation: 2, bank: 1, objects: [] }));
    const filled = { committed: kernel.committed(), read: read() };
    kernel.commit(0);
    const denied = { committed: kernel.committed().bank, read: read() };
    const refused = {
      fill: codeOf(() => kernel.fill(0, image({ generation: 3, bank: 0, objects: [] }))),
      clear: codeOf(() => kernel.clear(0)),
      empty: codeOf(() => kernel.commit(2)),
      twice: codeOf(() =>
        kernel.fill(2, image({ generation: 3, bank: 2, objects: [found, found] })),
      ),
    };
    kernel.commit(1);
    const swapped = { committed: kernel.committed().bank, read: read() };
    kernel.commit(0);
    const restored = { committed: kernel.committed().bank, read: read() };
    const back = kernel.readBack(0);
    return {
      adopted,
      programs,
      before,
      filled,
      denied,
      refused,
      swapped,
      restored,
      sameInode: BigInt(stat.ino) === found.ino,
      sameRows: Buffer.compare(back.objects, objectRow(found)) === 0,
      sameHeader:
        Buffer.compare(back.header, image({ generation: 1, bank: 0, objects: [] }).header) === 0,
      links: linksOf(kernel),
      bankIds: kernel.bankIds(),
      counters: kernel.counters().total,
      events: kernel.drainEvents(100).length,
    };
  },

  // What is in force stays, whatever keeps the next generation from being filled.
  starve() {
    const { kernel } = open();
    const found = kernel.resolve(SECRET, { follow: false });
    const next = image({ generation: 3, bank: 2, objects: [found] });
    const beyond = { ...next, labels: Buffer.concat([labelRow(0, 0), labelRow(7, 1)]) };
    const objects = Array.from({ length: STARVING_OBJECTS }, (_, i) => ({
      ...found,
      ino: BigInt(i),
    }));
    const large = image({ generation: 3, bank: 2, objects });
    const full = errorOf(() => kernel.fill(2, beyond));
    // What this process has is not counted again; what the kernel makes for it from now on is.
    mkdirSync(`${CGROUP}/starving`);
    writeFileSync(`${CGROUP}/starving/memory.max`, '4M');
    writeFileSync(`${CGROUP}/starving/cgroup.procs`, String(process.pid));
    const starved = errorOf(() => kernel.fill(2, large));
    writeFileSync(`${CGROUP}/cgroup.procs`, String(process.pid));
    const answer = { full, starved, committed: kernel.committed().bank, read: read() };
    // The next step counts the events of its own.
    kernel.drainEvents(100);
    return answer;
  },

  // What an operator's restart does: everything is as before, and nothing was made again.
  adopt() {
    const { kernel, adopted, programs } = open();
    const busy = codeOf(() => open());
    const events = [kernel.drainEvents(1).length, kernel.drainEvents(100).length];
    const tries = addon.probe([
      { op: 'open-read', path: SECRET },
      { op: 'open-read', path: '/etc/passwd' },
    ]);
    return {
      adopted,
      programs,
      busy,
      events,
      tries,
      read: read(),
      committed: { ...kernel.committed(), header: undefined },
      proof: kernel.proof().programs,
      counters: kernel.counters().total,
      moreEvents: kernel.drainEvents(100).length,
    };
  },

  // A new build beside the old one: the old one goes only after the new one enforces.
  upgrade() {
    const { kernel, adopted } = open('feedfeedfeedfeed');
    const early = codeOf(() => kernel.retireOther());
    const found = kernel.resolve(SECRET, { follow: true });
    kernel.fill(3, image({ generation: 9, bank: 3, objects: [found] }));
    kernel.commit(3);
    const retired = kernel.retireOther();
    return { adopted, early, retired, again: kernel.retireOther(), read: read() };
  },

  closed() {
    const { kernel } = open('feedfeedfeedfeed');
    kernel.close();
    const prototype = Object.getPrototypeOf(kernel);
    const methods = Object.getOwnPropertyNames(prototype).filter((name) => name !== 'constructor');
    return Object.fromEntries(methods.map((name) => [name, codeOf(() => kernel[name]())]));
  },

  disable() {
    const { kernel } = open('feedfeedfeedfeed');
    const removed = kernel.disable();
    return {
      removed,
      read: read(),
      closed: codeOf(() => kernel.committed()),
      again: addon.disablePins(PIN_DIR),
    };
  },

  // Whatever a hook answers to one more program is told as it is.
  crowded() {
    const { kernel, programs } = open('c0c0c0c0c0c0c0c0');
    const { state, step, errno } = programs.find(({ program }) => program === 'file_open');
    kernel.disable();
    return { state, step, errno };
  },

  // A process that died while it assembled a build leaves <build>-new, with links attached.
  interrupted() {
    open().kernel.close();
    renameSync(`${PIN_DIR}/${build}`, `${PIN_DIR}/${build}-new`);
    const { kernel, adopted } = open();
    const found = { adopted, builds: readdirSync(PIN_DIR), committed: kernel.committed() };
    kernel.close();
    return found;
  },

  // Pins that somebody took away: a link is attached again, a map is never made again.
  damaged() {
    const attachedNow = ({ programs }) =>
      programs.filter(({ state }) => state === 'attached').length;
    const links = `${PIN_DIR}/${build}/links`;
    const first = open();
    unlinkSync(`${links}/file_open`);
    const unpinned = first.kernel.proof().programs.find(({ program }) => program === 'file_open');
    first.kernel.close();
    const second = open();
    const repaired = { attached: attachedNow(second), pins: readdirSync(links).length };
    second.kernel.close();
    unlinkSync(`${PIN_DIR}/${build}/maps/objects`);
    const refused = codeOf(() => open());
    const maps = readdirSync(`${PIN_DIR}/${build}/maps`);
    addon.disablePins(PIN_DIR);
    const { adopted, kernel } = open();
    kernel.close();
    return {
      attached: attachedNow(first),
      unpinned: { attached: unpinned.attached, pinned: unpinned.pinned },
      repaired,
      refused,
      remade: maps.includes('objects'),
      afresh: adopted === false,
    };
  },

  // 65,536 objects, as a measure of what a large generation costs.
  large() {
    const { kernel } = open();
    const objects = Array.from({ length: 65_536 }, (_, index) => ({
      dev: 1,
      ino: BigInt(index + 1),
      gen: 7,
      sub: 0n,
    }));
    const packed = image({ generation: 10, bank: 0, objects });
    const startMs = performance.now();
    kernel.fill(0, packed);
    const fillMs = performance.now() - startMs;
    kernel.commit(0);
    const back = kernel.readBack(0);
    return { fillMs, bytes: back.objects.length, read: read() };
  },
};

console.log(
  JSON.stringify(STEPS[step](), (_, value) =>
    typeof value === 'bigint' ? value.toString() : value,
  ),
);
