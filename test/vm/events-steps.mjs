// SPDX-License-Identifier: Apache-2.0
// Runs in the guest for events.test.ts: makes decisions while nobody reads their events, reads them, and
// prints what was found as one line of JSON.
//
//   node events-steps.mjs ADDON OBJECT
//
// Rule 0 denies reading `denied`; rule 1 audits reading `audited`, and a file of an overlay by both of its
// identities, that of the merged tree and that of the layer beneath.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const HEADER_BYTES = 2360;
const RULESET_BYTES = 128;
const ENFORCE_AT = 48;
const READ = 1;
const DRAIN_MAX = 65_536;
const AT = { sequence: 0, cpu: 88, rule: 92, action: 100, tgid: 112, kernel: 128, user: 136 };
const ACTIONS = [null, 'allow', 'audit', 'deny'];
const PIN_DIR = '/sys/fs/bpf/warder-events';
const FLOOD = 3000;

const [addonPath, objectPath] = process.argv.slice(2);
const addon = createRequire(import.meta.url)(addonPath);
const object = readFileSync(objectPath);
const build = createHash('sha256').update(object).digest('hex').slice(0, 16);
const { kernel, programs } = addon.open({ object, build, pinDir: PIN_DIR });
const rejected = programs.filter((it) => it.state === 'rejected');
if (rejected.length > 0) throw new Error(JSON.stringify(rejected, null, 2));

const dir = '/tmp/events';
for (const name of ['lower', 'upper', 'work', 'merged'])
  mkdirSync(`${dir}/${name}`, { recursive: true });
for (const name of ['denied', 'audited', 'lower/file'])
  writeFileSync(`${dir}/${name}`, 'content\n');
const layers = `lowerdir=${dir}/lower,upperdir=${dir}/upper,workdir=${dir}/work`;
execFileSync('modprobe', ['overlay']);
execFileSync('mount', ['-t', 'overlay', '-o', layers, 'overlay', `${dir}/merged`]);

function ruleset(bits) {
  const bytes = Buffer.alloc(RULESET_BYTES);
  bytes.writeBigUInt64LE(BigInt(bits), 0);
  return bytes;
}

function objectRow(path, label) {
  const { ino, sub, dev, gen } = kernel.resolve(`${dir}/${path}`, { follow: false });
  const row = Buffer.alloc(48);
  row.writeBigUInt64LE(ino, 0);
  row.writeBigUInt64LE(sub, 8);
  row.writeUInt32LE(dev, 16);
  row.writeUInt32LE(gen, 20);
  row.writeUInt32LE(label, 24);
  return row;
}

const labelRow = (label, bits) => {
  const key = Buffer.alloc(4);
  key.writeUInt32LE(label, 0);
  return Buffer.concat([key, ruleset(bits)]);
};

const header = Buffer.alloc(HEADER_BYTES);
header.writeBigUInt64LE(1n, 0);
header.writeUInt32LE(2, 12);
ruleset(0b01).copy(header, ENFORCE_AT);
ruleset(0b11).copy(header, ENFORCE_AT + RULESET_BYTES * (1 + READ));
kernel.fill(0, {
  header,
  objects: Buffer.concat([
    objectRow('denied', 1),
    objectRow('audited', 2),
    objectRow('merged/file', 2),
    objectRow('lower/file', 2),
  ]),
  names: new Uint8Array(0),
  labels: Buffer.concat([labelRow(0, 0), labelRow(1, 0b01), labelRow(2, 0b10)]),
  exempt: new Uint8Array(0),
  groups: new Uint8Array(0),
});
kernel.commit(0);

const stackKeys = new Set();

function drain() {
  return kernel.drainEvents(DRAIN_MAX).map((bytes) => {
    const event = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    const kernelStack = event.readBigUInt64LE(AT.kernel);
    const userStack = event.readBigUInt64LE(AT.user);
    stackKeys.add(kernelStack).add(userStack);
    return {
      cpu: event.readUInt32LE(AT.cpu),
      sequence: Number(event.readBigUInt64LE(AT.sequence)),
      rule: event.readUInt32LE(AT.rule),
      action: ACTIONS[event[AT.action]],
      stacks: kernelStack !== 0n && userStack !== 0n,
    };
  });
}

const counters = () =>
  kernel.counters().perCpu.map((it) => ({
    sequence: Number(it.sequence),
    emitted: Number(it.emitted),
    dropped: Number(it.dropped),
  }));
const open = (...args) => execFileSync('op', args, { encoding: 'utf8' }).trim().split(' ').at(-1);
const actions = (events) => events.map(({ action, rule }) => `${action} ${rule}`);

// One open, one event, whichever layers a rule covers.
open('open-read', `${dir}/merged/file`);
const overlay = actions(drain());
open('open-read', `${dir}/merged/file`);
const again = actions(drain());
open('open-read', `${dir}/lower/file`);
const beneath = actions(drain());

// More would-denials than their ring holds, then one denial; nobody reads meanwhile.
const before = counters();
open('open-many', `${dir}/audited`, String(FLOOD));
const outcome = open('open-read', `${dir}/denied`);
const flooded = drain();
const after = counters();

console.log(
  JSON.stringify({
    overlay,
    again,
    beneath,
    outcome,
    flooded: {
      first: flooded[0],
      told: flooded.length,
      sequences: before.map((it, cpu) => ({
        rise: after[cpu].sequence - it.sequence,
        told: flooded.filter((event) => event.cpu === cpu).length,
        dropped: after[cpu].dropped - it.dropped,
        accounted: after[cpu].emitted + after[cpu].dropped === after[cpu].sequence,
        distinct: new Set(flooded.filter((event) => event.cpu === cpu).map((it) => it.sequence))
          .size,
      })),
      stacks: flooded.every((event) => event.stacks),
    },
    stackKeys: [...stackKeys].map((key) => key.toString(16).padStart(16, '0')),
    stacksKept: execFileSync(
      'bpftool',
      ['-j', 'map', 'dump', 'pinned', `${PIN_DIR}/${build}/maps/stacks`],
      {
        encoding: 'utf8',
        maxBuffer: 1 << 26,
      },
    ),
  }),
);
execFileSync('umount', [`${dir}/merged`]);
kernel.disable();
