// SPDX-License-Identifier: Apache-2.0
// Runs in the guest: one process that lays out trees, commits a generation that denies reading one of
// them, scans, and tells what it found as one line of JSON.
//
//   node scan-steps.mjs ADDON OBJECT OP

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';

const [addonPath, objectPath, op] = process.argv.slice(2);
const addon = createRequire(import.meta.url)(addonPath);
const object = readFileSync(objectPath);
const build = createHash('sha256').update(object).digest('hex').slice(0, 16);
const { kernel } = addon.open({ object, build, pinDir: '/sys/fs/bpf/warder-scan' });

const HEADER_BYTES = 2360;
const READ = 1;
const TOP = '/run/scan';
const GUARDED = `${TOP}/guarded`;
const ODD_NAME = Buffer.from([...Buffer.from(`${GUARDED}/inner/`), 0xff, 0xfe, 0x0a]);

const identityOf = (path) => pick(kernel.resolve(path, { follow: false }));
const pick = ({ dev, ino, gen, sub }) => ({ dev, ino, gen, sub });

function codeOf(action) {
  try {
    action();
    return 'no error';
  } catch (cause) {
    return cause.code;
  }
}

/** A generation whose only rule denies reading below one directory. */
function image(tree) {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeBigUInt64LE(1n, 0);
  header.writeUInt32LE(0, 8); // bank
  header.writeUInt32LE(1, 12); // rules
  header[48] = 1; // enforce
  header[48 + 128 + READ * 128] = 1;
  const row = Buffer.alloc(48);
  row.writeBigUInt64LE(tree.ino, 0);
  row.writeBigUInt64LE(tree.sub, 8);
  row.writeUInt32LE(tree.dev, 16);
  row.writeUInt32LE(tree.gen, 20);
  row.writeUInt32LE(1, 28); // tree: label 1
  const labels = Buffer.alloc(2 * 132);
  labels.writeUInt32LE(1, 132);
  labels[136] = 1;
  const none = new Uint8Array(0);
  return { header, objects: row, names: none, labels, exempt: none, groups: none };
}

function layOut() {
  mkdirSync(`${GUARDED}/inner/below`, { recursive: true });
  writeFileSync(`${TOP}/outside`, '');
  linkSync(`${TOP}/outside`, ODD_NAME);
  mkdirSync(`${TOP}/elsewhere`);
  writeFileSync(`${TOP}/elsewhere/secret`, 'secret\n');
  linkSync(`${TOP}/elsewhere/secret`, `${TOP}/elsewhere/again`);
  symlinkSync('../elsewhere', `${GUARDED}/link`);
  mkdirSync(`${GUARDED}/mounted`);
  execFileSync('mount', ['--bind', `${TOP}/elsewhere`, `${GUARDED}/mounted`]);
  mkdirSync(`${TOP}/deep`);
  writeFileSync(`${TOP}/first`, '');
  linkSync(`${TOP}/first`, `${TOP}/deep/first`);
  execFileSync(op, ['deep-make', `${TOP}/deep`, '3000']);
}

/** What other processes see while this one scans and afterwards; `op` prints "PID OUTCOME". */
const openElsewhere = (path) =>
  execFileSync(op, ['open-read', path], { encoding: 'utf8' }).trim().split(' ').at(-1);

// Another thread of this very process, which tries to list all the while that this one scans.
const OTHER_THREAD = `
  const { readdirSync } = require('node:fs');
  const { workerData } = require('node:worker_threads');
  const [TRIED, LISTED, STOP] = [0, 1, 2];
  while (Atomics.load(workerData.shared, STOP) === 0) {
    try {
      readdirSync(workerData.path);
      Atomics.add(workerData.shared, LISTED, 1);
    } catch (cause) {
      if (cause.code !== 'EACCES') throw cause;
    }
    Atomics.add(workerData.shared, TRIED, 1);
    Atomics.notify(workerData.shared, TRIED);
  }
`;

async function scanBesideAnotherThread() {
  const shared = new Int32Array(new SharedArrayBuffer(12));
  const worker = new Worker(OTHER_THREAD, { eval: true, workerData: { shared, path: GUARDED } });
  const ended = new Promise((resolve, reject) => worker.on('exit', resolve).on('error', reject));
  Atomics.wait(shared, 0, 0);
  const triedBefore = Atomics.load(shared, 0);
  let scans = 0;
  for (; Atomics.load(shared, 0) < triedBefore + 20; scans += 1) kernel.scan(GUARDED, 1000);
  Atomics.store(shared, 2, 1);
  await ended;
  return { scanned: scans > 0, listed: shared[1] };
}

layOut();
const expected = { guarded: identityOf(`${TOP}/outside`), deep: identityOf(`${TOP}/first`) };
const free = kernel.scan(GUARDED, 1000);
kernel.fill(0, image(identityOf(GUARDED)));
kernel.commit(0);
const before = kernel.counters().total;
const guarded = kernel.scan(GUARDED, 1000);
const after = kernel.counters().total;
const found = {
  expected,
  free,
  guarded,
  eventsOfScan: Number(after.sequence - before.sequence),
  others: [GUARDED, `${GUARDED}/inner`].map(openElsewhere),
  self: codeOf(() => readdirSync(GUARDED)),
  selfFile: codeOf(() => readFileSync(ODD_NAME)),
  bound: codeOf(() => kernel.scan(GUARDED, guarded.entries - 1)),
  exact: codeOf(() => kernel.scan(GUARDED, guarded.entries)),
  selfAfterRefusal: codeOf(() => readdirSync(GUARDED)),
  meanwhile: await scanBesideAnotherThread(),
  deep: kernel.scan(`${TOP}/deep`, 10_000),
  file: kernel.scan(`${TOP}/outside`, 10),
  link: kernel.scan(`${GUARDED}/link`, 10),
  missing: codeOf(() => kernel.scan(`${TOP}/missing`, 10)),
  decisions: Number(kernel.counters().total.decisions) > 0,
};
kernel.disable();

console.log(
  JSON.stringify(found, (_, value) => (typeof value === 'bigint' ? value.toString() : value)),
);
