// `warder trust update` against a TUF repository with real signatures that lies in each way of the
// specification's list of attacks (1.5.2), with what was seen kept between updates.
//
// SPDX-License-Identifier: Apache-2.0

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { updateByTuf } from '../../src/adapters/tuf/update.ts';
import { fetchByTuf } from '../../src/compose-update.ts';
import { makeTufKey, TufRepository } from '../support/tuf.ts';

const FILE = 'trusted_root.json';
const REFUSED = 'trust/update-refused';
const UNAVAILABLE = 'trust/update-unavailable';
const text = (value: string) => new TextEncoder().encode(value);
let repository: TufRepository;
let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'warder-tuf-test-'));
  repository = await new TufRepository().start();
  writeFileSync(join(dir, 'root.json'), repository.root(1));
  repository.publish({ version: 5, files: { [FILE]: text('five') } });
});
afterEach(async () => {
  await repository.stop();
  await rm(dir, { recursive: true });
});

/** The file, or the code of the refusal. */
async function update(mirror = repository.url): Promise<string> {
  const place = { mirror, root: join(dir, 'root.json'), stateDir: join(dir, 'state') };
  const fetched = await fetchByTuf(place, [FILE]);
  return fetched.ok ? fetched.value.map((it) => Buffer.from(it)).join() : fetched.error.code;
}

describe('an update', () => {
  it('takes what is new, and says the same again when nothing is', async () => {
    expect(await update()).toBe('five');
    expect(await update()).toBe('five');
    repository.publish({ version: 6, files: { [FILE]: text('six') } });
    expect(await update()).toBe('six');
  });

  it('follows roots one by one, each signed by the one before and by itself', async () => {
    expect(await update()).toBe('five');
    const before = repository.keys.root;
    repository.keys.root = makeTufKey();
    repository.keys.timestamp = makeTufKey();
    repository.served.set('/2.root.json', repository.root(2, [before]));
    repository.publish({ version: 6, files: { [FILE]: text('six') } });
    expect(await update()).toBe('six');
    // The old keys are nobody's now.
    repository.keys.root = before;
    repository.served.set('/3.root.json', repository.root(3));
    expect(await update()).toBe(REFUSED);
  });

  it('asks only https, or http on loopback, and nothing with a user or a query in it', async () => {
    for (const mirror of [
      ...['http://tuf.example.com/', 'http://127.0.0.1.example.com/', 'file:///etc', 'tuf'],
      ...['https://a:b@tuf.example.com/', 'https://tuf.example.com/?a=b'],
    ]) {
      expect(await update(mirror), mirror).toBe('trust/update-mirror');
    }
    expect(repository.requests).toEqual([]);
  });

  it('does not begin again from another root by itself', async () => {
    expect(await update()).toBe('five');
    const stranger = await new TufRepository().start();
    writeFileSync(join(dir, 'root.json'), stranger.root(1));
    expect(await update()).toBe('trust/update-root');
    await stranger.stop();
  });

  it('keeps nothing of a repository whose root is not the one that was given', async () => {
    writeFileSync(join(dir, 'root.json'), new TufRepository().root(1));
    expect(await update()).toBe(REFUSED);
    writeFileSync(join(dir, 'root.json'), 'no root');
    expect(await update()).toBe(REFUSED);
    expect(readdirSync(dir)).toEqual(['root.json']);
  });
});

describe('a repository that lies', () => {
  it('with an older timestamp, or an older snapshot in a newer one, is refused', async () => {
    const old = repository.served.get('/timestamp.json');
    repository.publish({ version: 6, files: { [FILE]: text('six') } });
    expect(await update()).toBe('six');
    if (old !== undefined) repository.served.set('/timestamp.json', old);
    expect(await update()).toBe(REFUSED);
    repository.timestamp(7, 5);
    expect(await update()).toBe(REFUSED);
    repository.timestamp(8, 6);
    expect(await update()).toBe('six');
  });

  it('with expired metadata is refused, whichever it is', async () => {
    for (const [index, role] of (['timestamp', 'snapshot', 'targets'] as const).entries()) {
      const version = 10 + index;
      repository.publish({ version, files: { [FILE]: text('x') }, expires: { [role]: -1 } });
      expect(await update(), role).toBe(REFUSED);
    }
    repository.served.set('/2.root.json', repository.root(2, [], -1));
    repository.publish({ version: 20, files: { [FILE]: text('x') } });
    expect(await update(), 'root').toBe(REFUSED);
  });

  it('with metadata that another key signed is refused', async () => {
    for (const role of ['timestamp', 'snapshot', 'targets'] as const) {
      const right = repository.keys[role];
      repository.keys[role] = makeTufKey();
      repository.publish({ version: 6, files: { [FILE]: text('evil') } });
      repository.keys[role] = right;
      expect(await update(), role).toBe(REFUSED);
    }
    repository.keys.root = makeTufKey();
    repository.served.set('/2.root.json', repository.root(2));
    expect(await update(), 'root').toBe(REFUSED);
  });

  it('by mixing what belongs to different versions is refused', async () => {
    const targets = repository.served.get('/5.targets.json');
    const snapshot = repository.served.get('/5.snapshot.json');
    repository.publish({ version: 6, files: { [FILE]: text('six') } });
    const right = repository.served.get('/6.targets.json');
    if (targets === undefined || snapshot === undefined || right === undefined) throw new Error();
    repository.served.set('/6.targets.json', targets);
    expect(await update()).toBe(REFUSED);
    repository.served.set('/6.targets.json', right);
    repository.served.set('/6.snapshot.json', snapshot);
    repository.timestamp(7, 6);
    // What was verified of version 6 is kept, and what is served beside it is not looked at.
    expect(await update()).toBe('six');
    await rm(join(dir, 'state'), { recursive: true });
    expect(await update()).toBe(REFUSED);
  });

  it('with a file that does not fit its hash, its length or any SHA-256 is refused', async () => {
    const other = text('FIVE');
    for (const [path] of [...repository.served].filter(([it]) => it.startsWith('/targets/'))) {
      repository.served.set(path, other);
      expect(await update()).toBe(REFUSED);
      repository.served.set(path, text('five and more'));
      expect(await update()).toBe(REFUSED);
    }
    repository.publish({ version: 6, files: { [FILE]: text('six') }, hashes: {} });
    repository.served.set(`/targets/undefined.${FILE}`, text('six'));
    expect(await update()).toBe(REFUSED);
    repository.publish({ version: 7, files: { 'other.json': text('seven') } });
    expect(await update()).toBe(REFUSED);
    repository.publish({ version: 8, files: { [FILE]: new Uint8Array(2 ** 20 + 1) } });
    expect(await update()).toBe(REFUSED);
  });

  it('without end is cut off, whichever file it is', async () => {
    for (const path of ['/2.root.json', '/timestamp.json', '/6.snapshot.json', '/6.targets.json']) {
      repository.publish({ version: 6, files: { [FILE]: text('six') } });
      let closed = false;
      repository.served.set(path, (response) => {
        response.on('close', () => {
          closed = true;
        });
        const more = () => {
          while (!closed && response.write(Buffer.alloc(65_536, 0x20)));
        };
        response.on('drain', more);
        more();
      });
      expect(await update(), path).toBe(REFUSED);
      await expect.poll(() => closed, { message: path }).toBe(true);
      repository.served.delete(path);
      await rm(join(dir, 'state'), { recursive: true, force: true });
    }
  });

  it('by sending elsewhere, by silence or by an error is not available', async () => {
    repository.served.set('/timestamp.json', (response) => {
      response.writeHead(302, { location: '/5.targets.json' }).end();
    });
    expect(await update()).toBe(UNAVAILABLE);
    repository.served.set('/timestamp.json', (response) => response.writeHead(500).end());
    expect(await update()).toBe(UNAVAILABLE);
    repository.served.set('/timestamp.json', (response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{');
      setImmediate(() => response.destroy());
    });
    expect(await update()).toBe(UNAVAILABLE);
    repository.served.set('/timestamp.json', (response) => response.write('{'));
    const kept = new Map([['root.json', readFileSync(join(dir, 'root.json'))]]);
    const request = { mirror: repository.url, kept, targets: [FILE], timeoutMs: 200 };
    expect((await updateByTuf(request)).files).toMatchObject({ error: { code: UNAVAILABLE } });
  });
});
