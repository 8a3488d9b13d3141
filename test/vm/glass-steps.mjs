// SPDX-License-Identifier: Apache-2.0
// Runs in the guest for glass.test.ts: puts break-glass in use in the kernel, tries what it relaxes and
// what it must not, and prints what was found as one line of JSON.
//
//   node glass-steps.mjs ADDON OBJECT judge      every scope, then everything is taken away
//   node glass-steps.mjs ADDON OBJECT leave MS   leaves it in use for so long, and ends
//
// Rule 0 denies reading `one`, rule 1 reading `two`, both reading `both`. Rule 2 holds for what is in
// `here`, rule 3 for what is in `there`; both list setattr.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const HEADER_BYTES = 2360;
const RULESET_BYTES = 128;
const ENFORCE_AT = 48;
const READ = 1;
const SETATTR = 7;
const SELF_AT = 24;
const TREE_AT = 28;
const AT = { rule: 92, action: 100, reason: 101, token: 144 };
const ACTIONS = [null, 'allow', 'audit', 'deny', 'let'];
const REASONS = [null, 'rule', 'refer', 'incomplete', 'self'];
const PIN_DIR = '/sys/fs/bpf/warder-glass';
const GENERATION = 7;
const TOKEN = 0xfeedn;
const LONG_MS = 60_000;

const [addonPath, objectPath, mode, ms] = process.argv.slice(2);
const addon = createRequire(import.meta.url)(addonPath);
const object = readFileSync(objectPath);
const build = createHash('sha256').update(object).digest('hex').slice(0, 16);
const { kernel, programs } = addon.open({ object, build, pinDir: PIN_DIR });
const rejected = programs.filter((it) => it.state === 'rejected');
if (rejected.length > 0) throw new Error(JSON.stringify(rejected, null, 2));

const dir = '/tmp/glass';
const group = '/sys/fs/cgroup/glass';

function ruleset(bits) {
  const bytes = Buffer.alloc(RULESET_BYTES);
  bytes.writeBigUInt64LE(BigInt(bits), 0);
  return bytes;
}

function objectRow(path, label, at = SELF_AT) {
  const { ino, sub, dev, gen } = kernel.resolve(`${dir}/${path}`, { follow: false });
  const row = Buffer.alloc(48);
  row.writeBigUInt64LE(ino, 0);
  row.writeBigUInt64LE(sub, 8);
  row.writeUInt32LE(dev, 16);
  row.writeUInt32LE(gen, 20);
  row.writeUInt32LE(label, at);
  return row;
}

const labelRow = (label, bits) => {
  const key = Buffer.alloc(4);
  key.writeUInt32LE(label, 0);
  return Buffer.concat([key, ruleset(bits)]);
};

function enforce() {
  for (const name of ['here', 'there']) mkdirSync(`${dir}/${name}`, { recursive: true });
  for (const name of ['one', 'two', 'both', 'here/file', 'there/file'])
    writeFileSync(`${dir}/${name}`, 'content\n');
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeBigUInt64LE(BigInt(GENERATION), 0);
  header.writeUInt32LE(4, 12);
  ruleset(0b1111).copy(header, ENFORCE_AT);
  ruleset(0b0011).copy(header, ENFORCE_AT + RULESET_BYTES * (1 + READ));
  ruleset(0b1100).copy(header, ENFORCE_AT + RULESET_BYTES * (1 + SETATTR));
  kernel.fill(0, {
    header,
    objects: Buffer.concat([
      objectRow('one', 1),
      objectRow('two', 2),
      objectRow('both', 3),
      objectRow('here', 4, TREE_AT),
      objectRow('there', 5, TREE_AT),
    ]),
    names: new Uint8Array(0),
    labels: Buffer.concat(
      [0, 0b0001, 0b0010, 0b0011, 0b0100, 0b1000].map((it, n) => labelRow(n, it)),
    ),
    exempt: new Uint8Array(0),
    groups: new Uint8Array(0),
  });
  kernel.commit(0);
}

// Its first column counts from the boot and through suspend, as bpf_ktime_get_boot_ns() does.
const bootMs = () => Math.round(Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000);

function glass({ rules, ms: lasts = LONG_MS, generation = GENERATION, cgroup = 0n, level = 0 }) {
  const bytes = Buffer.alloc(40);
  bytes.writeBigUInt64LE(TOKEN, 0);
  bytes.writeBigUInt64LE(BigInt(bootMs() + lasts) * 1_000_000n, 8);
  bytes.writeBigUInt64LE(BigInt(generation), 16);
  bytes.writeBigUInt64LE(cgroup, 24);
  bytes.writeUInt32LE(level, 32);
  kernel.setGlass(Buffer.concat([bytes, ruleset(rules)]));
}

const op = (...args) => execFileSync('op', args, { encoding: 'utf8' }).trim().split(' ').at(-1);
const tryAll = () => ['one', 'two', 'both'].map((name) => op('open-read', `${dir}/${name}`));
const inGroup = (path, ...args) =>
  execFileSync('sh', ['-c', `echo $$ > ${path}/cgroup.procs && exec op "$@"`, 'sh', ...args], {
    encoding: 'utf8',
  })
    .trim()
    .split(' ')
    .at(-1);

function events() {
  return kernel.drainEvents(65_536).map((bytes) => {
    const event = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    return [
      ACTIONS[event[AT.action]],
      REASONS[event[AT.reason]],
      event.readUInt32LE(AT.rule),
      event.readBigUInt64LE(AT.token).toString(16),
    ].join(' ');
  });
}

const found = {};
const note = (name, outcome) => {
  found[name] = { outcome, events: events() };
};

function judgeScopes() {
  note('without', tryAll());
  glass({ rules: 0b0001 });
  note('one rule', tryAll());
  glass({ rules: 0b0011 });
  note('two rules', tryAll());
  glass({ rules: 0b0011, generation: GENERATION + 1 });
  note('another generation', tryAll());
  glass({ rules: 0b0011, ms: 0 });
  note('an end that has come', tryAll());
  kernel.setGlass(null);
  note('taken away', tryAll());
}

function judgeGroups() {
  mkdirSync(`${group}/below`, { recursive: true });
  mkdirSync(`${group}-beside`, { recursive: true });
  const cgroup = statSync(group, { bigint: true }).ino;
  glass({ rules: 0b0001, cgroup, level: 1 });
  const one = ['open-read', `${dir}/one`];
  note('outside of the group', [op(...one), inGroup(`${group}-beside`, ...one)]);
  note('in the group', [inGroup(group, ...one), inGroup(`${group}/below`, ...one)]);
}

// What is moved into a tree keeps its protection only while the rule of that tree holds.
function judgeMoves() {
  const move = (from, to) => op('rename', `${dir}/${from}`, `${dir}/${to}`);
  kernel.setGlass(null);
  note('a move that is carried', [
    move('here/file', 'there/moved'),
    move('there/moved', 'here/file'),
  ]);
  glass({ rules: 0b1000 });
  note('a move to where the rule is relaxed', [move('here/file', 'there/moved')]);
  note('a move out of it', [move('there/file', 'here/moved'), move('here/moved', 'there/file')]);
  kernel.setGlass(null);
}

if (mode === 'judge') {
  enforce();
  events();
  judgeScopes();
  judgeGroups();
  judgeMoves();
  const { total } = kernel.counters();
  found.totals = {
    let: Number(total.let),
    accounted: total.emitted + total.dropped === total.sequence,
  };
  console.log(JSON.stringify(found));
} else {
  glass({ rules: 0b0001, ms: Number(ms) });
}
kernel.close();
