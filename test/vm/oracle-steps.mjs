// SPDX-License-Identifier: Apache-2.0
// Runs in the guest for oracle.test.ts: lets a storm loose on a tree under an object that compares every
// kept answer with the walk, swaps generations meanwhile, and prints the counts as one line of JSON.
//
//   node oracle-steps.mjs ADDON OBJECT DIR COUNT ENOUGH SECONDS
//
// It ends when the oracle has counted ENOUGH of COUNT (`kept` or `different`), or after SECONDS.

import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';

const HEADER_BYTES = 2360;
const RULESET_BYTES = 128;
const ENFORCE_AT = 48;
const OPERATIONS = 9; // all but use
const MATCHES_AT = 2352;
const NAME_BYTES = 256;
const HAS_NAMES = 1;
const EXEMPT_UID = 2;
const UID = 1000;
const SWAP_EVERY_MS = 150;
const SWAPS_PER_LOOK = 10;
const DRAIN_MAX = 65_536;
const TREE = 1;
const NAME = 2;
const BOTH = 3;

const [addonPath, objectPath, dir, count, enough, seconds] = process.argv.slice(2);
const addon = createRequire(import.meta.url)(addonPath);
const object = readFileSync(objectPath);
const build = createHash('sha256').update(object).digest('hex').slice(0, 16);
const pinDir = '/sys/fs/bpf/warder-oracle';

function numbers(...values) {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [at, value] of values.entries()) bytes.writeUInt32LE(value, at * 4);
  return bytes;
}

function ruleset(bits) {
  const bytes = Buffer.alloc(RULESET_BYTES);
  bytes.writeBigUInt64LE(BigInt(bits), 0);
  return bytes;
}

function keyOf({ ino, sub, dev, gen }) {
  const key = Buffer.alloc(16);
  key.writeBigUInt64LE(ino, 0);
  key.writeBigUInt64LE(sub, 8);
  return Buffer.concat([key, numbers(dev, gen)]);
}

function rowValue({ self = 0, tree = 0, ancestor = 0, flags = 0 }) {
  return numbers(self, tree, ancestor, 0, flags, 0);
}

const objectRow = (identity, value) => Buffer.concat([keyOf(identity), rowValue(value)]);

function nameRow(parent, name, value) {
  const bytes = Buffer.alloc(NAME_BYTES);
  bytes.write(name);
  return Buffer.concat([keyOf(parent), bytes, rowValue(value)]);
}

/** Both rules list every operation and exempt the user that moves things. */
function imageOf(generation, bank, objects, names) {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeBigUInt64LE(BigInt(generation), 0);
  header.writeUInt32LE(bank, 8);
  header.writeUInt32LE(2, 12);
  ruleset(BOTH).copy(header, ENFORCE_AT);
  for (let op = 1; op <= OPERATIONS; op += 1)
    ruleset(BOTH).copy(header, ENFORCE_AT + RULESET_BYTES * (1 + op));
  header.writeUInt32LE(1 << EXEMPT_UID, MATCHES_AT);
  return {
    header,
    objects: Buffer.concat(objects),
    names: Buffer.concat(names),
    labels: Buffer.concat(
      [0, TREE, NAME, BOTH].map((it) => Buffer.concat([numbers(it), ruleset(it)])),
    ),
    exempt: numbers(0, 0, 0, UID, EXEMPT_UID, BOTH),
    groups: new Uint8Array(0),
  };
}

/** The first protects in/, names in out/ and in one wandering directory, and one file; the second out/d2. */
function fillBoth(kernel) {
  const at = (path) => kernel.resolve(path === '' ? dir : `${dir}/${path}`, { follow: false });
  const self = { self: NAME, tree: NAME };
  kernel.fill(
    0,
    imageOf(
      1,
      0,
      [
        objectRow(at(''), { ancestor: TREE, flags: HAS_NAMES }),
        objectRow(at('in'), { tree: TREE }),
        objectRow(at('out'), { ancestor: NAME, flags: HAS_NAMES }),
        objectRow(at('out/d0'), { ancestor: NAME, flags: HAS_NAMES }),
        objectRow(at('out/d1/e1/f1'), { self: NAME }),
      ],
      [
        nameRow(at(''), 'in', { tree: TREE }),
        nameRow(at('out'), 'd3', self),
        nameRow(at('out/d0'), 'fresh', self),
      ],
    ),
  );
  kernel.fill(1, imageOf(2, 1, [objectRow(at('out/d2'), { tree: TREE })], []));
}

function readOracle() {
  const pin = `${pinDir}/${build}/maps/oracle`;
  const [row] = JSON.parse(
    execFileSync('bpftool', ['-j', 'map', 'dump', 'pinned', pin], { encoding: 'utf8' }),
  );
  return row.formatted?.value ?? row.value;
}

mkdirSync(dir, { recursive: true });
const storm = spawn('storm', [dir, String(UID)], { stdio: ['pipe', 'pipe', 'inherit'] });
let report = '';
const told = (word) =>
  new Promise((resolve) => {
    const look = () => report.includes(word) && resolve();
    storm.stdout.on('data', look);
    look();
  });
storm.stdout.on('data', (bytes) => {
  report += bytes;
});
await told('laid out\n');
const { kernel, programs } = addon.open({ object, build, pinDir });
const rejected = programs
  .filter(({ state }) => state === 'rejected')
  .map(({ program, log }) => `${program}: ${log}`);
fillBoth(kernel);
kernel.commit(0);
storm.stdin.write('\n');
await told('ready\n');
const endMs = performance.now() + Number(seconds) * 1000;
let swaps = 0;
while (performance.now() < endMs && readOracle()[count] < Number(enough)) {
  for (let i = 0; i < SWAPS_PER_LOOK; i += 1) {
    await delay(SWAP_EVERY_MS);
    swaps += 1;
    kernel.commit(swaps % 2);
    kernel.drainEvents(DRAIN_MAX);
  }
}
const oracle = readOracle();
storm.stdin.end();
await new Promise((resolve) => {
  storm.once('close', resolve);
});
const rounds = Object.fromEntries(
  [...report.matchAll(/^(\w+)=(\d+)$/gm)].map(([, name, rounds]) => [name, Number(rounds)]),
);
const { decisions, denied, incomplete } = kernel.counters().total;
console.log(
  JSON.stringify({
    rejected,
    swaps,
    oracle,
    rounds,
    totals: {
      decisions: Number(decisions),
      denied: Number(denied),
      incomplete: Number(incomplete),
    },
  }),
);
kernel.disable();
