// SPDX-License-Identifier: Apache-2.0

import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readFileIfPresent, readRecord, writeFileAtomic, writeRecord } from './atomic-file.ts';
import { openDatabase, transaction } from './database.ts';
import { acquireLock } from './lock.ts';

let folder: string;

beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), 'warder-disk-'));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

const codeOf = (result: { ok: boolean; error?: { code: string } }) => result.error?.code ?? null;

test('a record is read back as it was written, and replaced as a whole', () => {
  const path = join(folder, 'floor');
  expect(readRecord(path, 1000)).toEqual({ ok: true, value: null });
  expect(writeRecord(path, '{"a":1}').ok).toBe(true);
  expect(writeRecord(path, '{"a":2,"é":"ü"}').ok).toBe(true);
  expect(readRecord(path, 1000)).toEqual({ ok: true, value: '{"a":2,"é":"ü"}' });
  expect(fs.statSync(path).mode & 0o777).toBe(0o600);
  expect(fs.readdirSync(folder)).toEqual(['floor']);
});

test('V14 a record that was truncated, zeroed, extended or flipped anywhere is corrupt', () => {
  const path = join(folder, 'floor');
  writeRecord(path, '{"highestSeen":42}');
  const good = fs.readFileSync(path);
  const damaged = [good.subarray(0, good.length - 1), Buffer.alloc(0), Buffer.alloc(good.length)];
  damaged.push(Buffer.concat([good, Buffer.from(' ')]));
  for (let at = 0; at < good.length; at += 1) {
    const flipped = Buffer.from(good);
    flipped[at] = (flipped[at] ?? 0) ^ 1;
    damaged.push(flipped);
  }
  for (const bytes of damaged) {
    fs.writeFileSync(path, bytes);
    expect(codeOf(readRecord(path, 1000))).toBe('state/corrupt');
  }
});

test('a file beyond its bound is refused, and a folder that cannot be written is a failure', () => {
  const path = join(folder, 'blob');
  writeFileAtomic(path, new Uint8Array(100));
  expect(codeOf(readFileIfPresent(path, 99))).toBe('state/corrupt');
  expect(codeOf(writeFileAtomic(join(folder, 'no/where'), new Uint8Array(1)))).toBe(
    'record/write-failed',
  );
});

test('V17 a lock is refused while it is held, in this process and in another, and free after release', () => {
  const path = join(folder, 'lock');
  const first = acquireLock(path);
  expect(first.ok).toBe(true);
  expect(codeOf(acquireLock(path))).toBe('state/locked');
  if (first.ok) first.value.release();
  const again = acquireLock(path);
  expect(again.ok).toBe(true);
  if (again.ok) again.value.release();
});

test('V17 a lock dies with the process that held it, however it died', async () => {
  const path = join(folder, 'lock');
  const source = `import { acquireLock } from ${JSON.stringify(join(import.meta.dirname, 'lock.ts'))};
    const lock = acquireLock(process.argv[1]); process.stdout.write(lock.ok ? 'held' : lock.error.code);
    setInterval(() => lock, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', source, '--', path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said = await new Promise((resolve) => child.stdout.once('data', (it) => resolve(`${it}`)));
  expect(said).toBe('held');
  expect(codeOf(acquireLock(path))).toBe('state/locked');
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
  const after = acquireLock(path);
  expect(after.ok).toBe(true);
  if (after.ok) after.value.release();
});

test('a database keeps what was committed, rolls back what was not, and refuses a newer file', () => {
  const path = join(folder, 'state.db');
  const first = openDatabase(path, ['CREATE TABLE t (n INTEGER NOT NULL) STRICT']);
  if (!first.ok) throw new Error(first.error.code);
  expect(
    transaction(first.value, 'adding', () => first.value.exec('INSERT INTO t VALUES (1)')).ok,
  ).toBe(true);
  expect(() =>
    transaction(first.value, 'adding', () => {
      first.value.exec('INSERT INTO t VALUES (2)');
      throw new TypeError('a bug');
    }),
  ).toThrow(TypeError);
  expect(first.value.prepare('SELECT n FROM t').all()).toEqual([{ n: 1 }]);
  first.value.close();
  expect(codeOf(openDatabase(path, []))).toBe('state/corrupt');
  const migrated = openDatabase(path, [
    'CREATE TABLE t (n INTEGER NOT NULL) STRICT',
    'ALTER TABLE t ADD COLUMN m INTEGER',
  ]);
  if (!migrated.ok) throw new Error(migrated.error.code);
  expect(migrated.value.prepare('SELECT n, m FROM t').all()).toEqual([{ n: 1, m: null }]);
  migrated.value.close();
});

test('V14 a database that is not one, or is damaged inside, is corrupt', () => {
  const path = join(folder, 'state.db');
  fs.writeFileSync(path, 'this is not a database'.repeat(300));
  expect(codeOf(openDatabase(path, []))).toBe('state/corrupt');
  fs.rmSync(path);
  const opened = openDatabase(path, ['CREATE TABLE t (n TEXT PRIMARY KEY) STRICT']);
  if (!opened.ok) throw new Error(opened.error.code);
  for (let n = 0; n < 2000; n += 1) opened.value.exec(`INSERT INTO t VALUES ('row ${n}')`);
  opened.value.close();
  const bytes = fs.readFileSync(path);
  bytes.fill(0xa5, 4096 * 3, 4096 * 5);
  fs.writeFileSync(path, bytes);
  expect(codeOf(openDatabase(path, ['CREATE TABLE t (n TEXT PRIMARY KEY) STRICT']))).toBe(
    'state/corrupt',
  );
});
