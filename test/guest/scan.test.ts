// The look for hard links in a real kernel, with the programs that are installed: trees that no path
// reaches, names that are no text, and a generation in force that denies the very reading that its
// successor needs.
//
// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AddonScan } from '../../src/adapters/kernel/addon.ts';
import { bootGuest, type Guest } from '../support/guest/guest.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FOLDER = '/opt/scan';

interface Found {
  readonly expected: { readonly guarded: unknown; readonly deep: unknown };
  readonly free: AddonScan;
  readonly guarded: AddonScan;
  readonly eventsOfScan: number;
  readonly others: readonly string[];
  readonly self: string;
  readonly selfFile: string;
  readonly bound: string;
  readonly exact: string;
  readonly selfAfterRefusal: string;
  readonly meanwhile: { readonly scanned: boolean; readonly listed: number };
  readonly deep: AddonScan;
  readonly file: AddonScan;
  readonly link: AddonScan;
  readonly missing: string;
  readonly decisions: boolean;
}

let guest: Guest | undefined;
let found: Found;

beforeAll(async () => {
  for (const folder of ['native', 'bpf', 'test/vm/op']) {
    execFileSync('make', ['--silent', '--directory', join(ROOT, folder)]);
  }
  guest = await bootGuest();
  await guest.sh(`mkdir -p ${FOLDER}`);
  const files = [
    ['warder.node', 'build/native/warder.node', 0o644],
    ['warder.bpf.o', 'bpf/build/warder.bpf.o', 0o644],
    ['op', 'build/guest-bin/op', 0o755],
    ['scan-steps.mjs', 'test/guest/scan-steps.mjs', 0o644],
  ] as const;
  for (const [name, source, mode] of files) {
    await guest.put(`${FOLDER}/${name}`, readFileSync(join(ROOT, source)), mode);
  }
  const args = ['scan-steps.mjs', 'warder.node', 'warder.bpf.o', 'op'];
  const { exitCode, stdout, stderr } = await guest.run([
    'node',
    ...args.map((it) => `${FOLDER}/${it}`),
  ]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  found = JSON.parse(stdout) as Found;
});

afterAll(async () => {
  await guest?.stop();
});

test('a hard link whose name is no text is found, and neither links nor mounts are entered', () => {
  // inner, its two, link and mounted
  expect(found.free).toEqual({ identities: [found.expected.guarded], entries: 5 });
});

test('a tree that everybody is denied to read is still scanned, without an event', () => {
  expect(found.guarded).toEqual(found.free);
  expect(found.eventsOfScan).toBe(0);
});

test('nobody else may list it, nor the same thread outside a scan, nor read a file in it', () => {
  expect(found.others).toEqual(['EACCES', 'EACCES']);
  expect([found.self, found.selfFile, found.selfAfterRefusal]).toEqual([
    'EACCES',
    'EACCES',
    'EACCES',
  ]);
  expect(found.decisions).toBe(true);
});

test('another thread of the scanning process may not list it, not even during a scan', () => {
  expect(found.meanwhile).toEqual({ scanned: true, listed: 0 });
});

test('the bound is exact, and a refusal says so', () => {
  expect([found.exact, found.bound]).toEqual(['no error', 'too-large']);
});

test('a tree of 3,000 levels is scanned', () => {
  expect(found.deep).toMatchObject({ identities: [found.expected.deep], entries: 3002 });
});

test('what is no directory has no entries, and what is missing is told', () => {
  const nothing = { identities: [], entries: 0 };
  expect([found.file, found.link]).toEqual([nothing, nothing]);
  expect(found.missing).toBe('open');
});
