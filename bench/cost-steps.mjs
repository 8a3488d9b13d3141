// SPDX-License-Identifier: Apache-2.0
// Runs in the guest for bench.ts: loads the programs, puts a generation in force, and lets `cost` measure
// with the programs attached and not. Prints one line of JSON about the loading, then what `cost` prints.
//
//   node cost-steps.mjs ADDON OBJECT COST OBJECTS QUADS DIR [PROFILE]
//
// The rule lists every operation, so every hook has something to ask, and it covers nothing that a
// workload touches: what is measured is the price that everybody else pays.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';

const PIN_DIR = '/sys/fs/bpf/warder-cost';
const HEADER_BYTES = 2360;
const RULESET_BYTES = 128;
const ENFORCE_AT = 48;
const OPERATIONS = 9; // all but use, which has a price of its own
const LABEL = 1;
const MINOR_BITS = 20;
const FIRST_INO = 1_000_000n;

const [addonPath, objectPath, cost, objects, quads, dir, profile = ''] = process.argv.slice(2);
const addon = createRequire(import.meta.url)(addonPath);
const object = readFileSync(objectPath);
mkdirSync(dir, { recursive: true });

function ruleset(bits) {
  const bytes = Buffer.alloc(RULESET_BYTES);
  bytes.writeBigUInt64LE(BigInt(bits), 0);
  return bytes;
}

function labelRow(bits, label) {
  const key = Buffer.alloc(4);
  key.writeUInt32LE(label, 0);
  return Buffer.concat([key, ruleset(bits)]);
}

/** Identities on the file system of `dir`, of files that are not there: only their number matters. */
function objectRows(count) {
  const { dev } = statSync(dir, { bigint: true });
  const kernelDev = Number(((dev >> 8n) << BigInt(MINOR_BITS)) | (dev & 0xffn));
  const rows = Buffer.alloc(48 * count);
  for (let i = 0; i < count; i += 1) {
    const at = i * 48;
    rows.writeBigUInt64LE(FIRST_INO + BigInt(i), at);
    rows.writeUInt32LE(kernelDev, at + 16);
    rows.writeUInt32LE(i + 1, at + 20);
    rows.writeUInt32LE(LABEL, at + 24);
  }
  return rows;
}

function imageOf(count) {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeBigUInt64LE(1n, 0);
  header.writeUInt32LE(1, 12);
  ruleset(1).copy(header, ENFORCE_AT);
  for (let op = 1; op <= OPERATIONS; op += 1)
    ruleset(1).copy(header, ENFORCE_AT + RULESET_BYTES * (1 + op));
  return {
    header,
    objects: objectRows(count),
    names: new Uint8Array(0),
    labels: Buffer.concat([labelRow(0, 0), labelRow(1, LABEL)]),
    exempt: new Uint8Array(0),
    groups: new Uint8Array(0),
  };
}

const { kernel, programs } = addon.open({
  object,
  build: createHash('sha256').update(object).digest('hex').slice(0, 16),
  pinDir: PIN_DIR,
});
for (const { program, state, log } of programs)
  if (state === 'rejected') throw new Error(`the kernel rejects ${program}: ${log}`);
const image = imageOf(Number(objects));
const startMs = performance.now();
if (image.objects.length > 0) kernel.fill(0, image);
const filledMs = performance.now();
if (image.objects.length > 0) kernel.commit(0);
const committedMs = performance.now();
const attached = kernel.proof().programs.filter(({ progId }) => progId !== null && progId > 0);
console.log(
  JSON.stringify({
    programs: attached.length,
    fillMs: filledMs - startMs,
    commitMs: committedMs - filledMs,
  }),
);
const ids = attached.map(({ progId }) => progId).join(',');
const names = profile === '' ? [] : [profile];
const child = spawn(cost, [ids, quads, dir, ...names], { stdio: ['pipe', 'pipe', 'inherit'] });
child.stdout.on('data', (bytes) => {
  if (bytes.toString().startsWith('ready\n')) {
    // The measuring program holds the programs now, and through them what is committed: disabling would
    // end that first.
    rmSync(PIN_DIR, { recursive: true });
    kernel.close();
    child.stdin.end();
  }
  process.stdout.write(bytes);
});
const status = await new Promise((resolve) => {
  child.once('close', resolve);
});
process.exitCode = status ?? 1;
