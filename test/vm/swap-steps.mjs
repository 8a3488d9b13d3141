// SPDX-License-Identifier: Apache-2.0
// Runs in the guest for swap.test.ts: swaps generations under threads that open files without pause, and
// prints what was seen as one line of JSON.
//
//   node swap-steps.mjs ADDON OBJECT THREADS COMMITS DECISIONS SECONDS
//
// It goes on until both numbers are reached (of decisions, those whose event was read), or the time is over. The time of an event must lie between the
// call that committed its generation and the return of the call that committed the next.
//
// Two kinds of generation alternate. `old` denies both files, `new` denies only the first. They number
// their rules and labels differently, so a decision that mixed the header of one with the rows of the
// other would find an empty rule set and allow.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const BOTH = '/tmp/both';
const ONE = '/tmp/one';
const HEADER_BYTES = 2360;
const RULESET_BYTES = 128;
const ENFORCE_AT = 48;
const READ = 1;
const DRAIN_MAX = 65_536;
const REFILL_EVERY = 8;
const EVENT = { generation: 8, boottime: 16, rule: 92, action: 100 };
const DENY = 3;

const KINDS = {
  old: { rules: 2, enforce: 0b011, labels: [0, 0b001, 0b010, 0], both: 1, one: 2 },
  new: { rules: 3, enforce: 0b100, labels: [0, 0, 0, 0b100], both: 3, one: null },
};
// Which rule an event of a kind may name: `old` numbers them 0 and 1, `new` has only 2.
const RULES = { old: [0, 1], new: [2] };

const [addonPath, objectPath, threads, commitsMin, decisionsMin, seconds] = process.argv.slice(2);
const addon = createRequire(import.meta.url)(addonPath);
const object = readFileSync(objectPath);
for (const path of [BOTH, ONE]) writeFileSync(path, 'content\n');
const { kernel } = addon.open({
  object,
  build: createHash('sha256').update(object).digest('hex').slice(0, 16),
  pinDir: '/sys/fs/bpf/warder-swap',
});
const identities = {
  both: kernel.resolve(BOTH, { follow: false }),
  one: kernel.resolve(ONE, { follow: false }),
};

/** Every generation that was filled, by number, with its kind and whether it was ever committed. */
const generations = new Map();
const found = { events: 0, uncommitted: 0, foreign: 0, stale: 0 };

function ruleset(bits) {
  const bytes = Buffer.alloc(RULESET_BYTES);
  bytes.writeBigUInt64LE(BigInt(bits), 0);
  return bytes;
}

function objectRow({ ino, sub, dev, gen }, label) {
  const row = Buffer.alloc(48);
  row.writeBigUInt64LE(ino, 0);
  row.writeBigUInt64LE(sub, 8);
  row.writeUInt32LE(dev, 16);
  row.writeUInt32LE(gen, 20);
  row.writeUInt32LE(label, 24);
  return row;
}

function labelRow(bits, label) {
  const key = Buffer.alloc(4);
  key.writeUInt32LE(label, 0);
  return Buffer.concat([key, ruleset(bits)]);
}

function fill(kind, bank) {
  const { rules, enforce, labels, both, one } = KINDS[kind];
  const generation = generations.size + 1;
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeBigUInt64LE(BigInt(generation), 0);
  header.writeUInt32LE(bank, 8);
  header.writeUInt32LE(rules, 12);
  ruleset(enforce).copy(header, ENFORCE_AT);
  ruleset(enforce).copy(header, ENFORCE_AT + RULESET_BYTES * (1 + READ));
  const rows = [objectRow(identities.both, both)];
  if (one !== null) rows.push(objectRow(identities.one, one));
  kernel.fill(bank, {
    header,
    objects: Buffer.concat(rows.sort(Buffer.compare)),
    names: new Uint8Array(0),
    labels: Buffer.concat(labels.map(labelRow)),
    exempt: new Uint8Array(0),
    groups: new Uint8Array(0),
  });
  generations.set(generation, { kind, committed: false, spans: [] });
  return generation;
}

const isIn = ({ from, to }, at) => from <= at && (to === null || at <= to);

// The latest first: an event is read soon after its decision.
function wasCurrent({ spans }, at) {
  for (let i = spans.length - 1; i >= 0; i -= 1) if (isIn(spans[i], at)) return true;
  return false;
}

function drain() {
  for (const bytes of kernel.drainEvents(DRAIN_MAX)) {
    const event = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const generation = generations.get(Number(event.readBigUInt64LE(EVENT.generation)));
    found.events += 1;
    if (!generation?.committed || event[EVENT.action] !== DENY) found.uncommitted += 1;
    else if (!wasCurrent(generation, event.readBigUInt64LE(EVENT.boottime))) found.stale += 1;
    else if (!RULES[generation.kind].includes(event.readUInt32LE(EVENT.rule))) found.foreign += 1;
  }
}

// The kernel's boot time, which is its monotonic time: a guest does not sleep.
const now = () => process.hrtime.bigint();
let current = null;

/** Said before it is done, because a decision may follow at once; over when the next one is there. */
function commit({ bank, generation }) {
  const next = generations.get(generation);
  const span = { from: now(), to: null };
  next.committed = true;
  next.spans.push(span);
  kernel.commit(bank);
  if (current !== null) current.to = now();
  current = span;
}

const decisions = () => Number(kernel.counters().total.decisions);

/**
 * Pinned generations are swapped back and forth, as a restore does; now and then a new one comes. Answers
 * how many commits there were.
 */
function swap(banks) {
  // Whatever the machine, it ends: threads that never pause can make a grace period long.
  const endMs = performance.now() + Number(seconds) * 1000;
  for (let count = 0; ; count += 1) {
    if (performance.now() > endMs) return count;
    // An event that was lost shows nothing: what counts is what was told, and checked.
    if (count >= Number(commitsMin) && found.events >= Number(decisionsMin)) return count;
    const kind = count % 2 === 0 ? 'new' : 'old';
    const place = banks[kind];
    if (count % REFILL_EVERY < 2) {
      place.bank = place.bank < 2 ? place.bank + 2 : place.bank - 2;
      place.generation = fill(kind, place.bank);
    }
    drain();
    commit(place);
    drain();
  }
}

const banks = {
  old: { bank: 0, generation: fill('old', 0) },
  new: { bank: 1, generation: fill('new', 1) },
};
commit(banks.old);
const swarm = spawn('swarm', [threads, BOTH, ONE], { stdio: ['pipe', 'pipe', 'inherit'] });
let report = '';
await new Promise((resolve) => {
  swarm.stdout.on('data', (bytes) => {
    report += bytes;
    if (report.startsWith('ready\n')) resolve();
  });
});
const commits = swap(banks);
swarm.stdin.end();
await new Promise((resolve) => {
  swarm.once('close', resolve);
});
drain();

function countsOf(path) {
  const match = new RegExp(`^${path} allowed=(\\d+) denied=(\\d+) other=(\\d+)$`, 'm').exec(report);
  const [allowed, denied, other] = match.slice(1).map(Number);
  return { allowed, denied, other };
}

const { sequence, emitted, dropped, denied, incomplete } = kernel.counters().total;
console.log(
  JSON.stringify({
    commits,
    generations: generations.size,
    decisions: decisions(),
    both: countsOf(BOTH),
    one: countsOf(ONE),
    found,
    totals: {
      sequence: Number(sequence),
      emitted: Number(emitted),
      dropped: Number(dropped),
      denied: Number(denied),
      incomplete: Number(incomplete),
    },
  }),
);
kernel.disable();
