// The addon where no kernel support is needed: it loads, refuses wrong arguments before it does
// anything, and describes the host without failing. Handles are tested in test/guest/addon.test.ts.
//
// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Addon, buildOf, isAddonError, loadAddon } from '../../src/adapters/kernel/addon.ts';
import { SIZE } from '../../src/wire/abi.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PIN_DIR = '/sys/fs/bpf/warder-host-test';

let addon: Addon;
let folder: string;

beforeAll(() => {
  execFileSync('make', ['--silent', '--directory', join(ROOT, 'native')]);
  addon = loadAddon();
  folder = mkdtempSync(join(tmpdir(), 'warder-addon-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function errorOf(action: () => unknown): { code: string; errno: string | null; object: string } {
  try {
    action();
  } catch (cause) {
    if (!isAddonError(cause)) throw cause;
    expect(cause.message).toContain(cause.code);
    expect(cause.detail).not.toBe('');
    return { code: cause.code, errno: cause.errno, object: cause.object };
  }
  throw new Error('nothing was thrown');
}

/** A call as JavaScript could make it, whatever the types say. */
function call(name: keyof Addon, ...args: unknown[]): unknown {
  const method: unknown = addon[name];
  if (typeof method !== 'function') throw new Error(`${name} is no function`);
  return method.apply(addon, args);
}

describe('the addon', () => {
  test('was built with the layouts that user space packs', () => {
    expect(addon.abi).toMatchObject({
      headerBytes: SIZE.generation,
      objects: { keyBytes: SIZE.identity, valueBytes: SIZE.object },
      names: { keyBytes: SIZE.nameKey, valueBytes: SIZE.object },
      labels: { keyBytes: 4, valueBytes: SIZE.ruleset },
      exempt: { keyBytes: SIZE.exemptKey, valueBytes: 4 },
      groups: { keyBytes: SIZE.groupKey, valueBytes: SIZE.group },
    });
  });

  test('describes any host without failing', () => {
    const host = addon.probeHost();
    expect(host.release).toMatch(/^\d+\.\d+/);
    expect(host.hooks.map(({ hook }) => hook)).toContain('inode_setattr');
    expect(new Set(host.hooks.map(({ hook }) => hook)).size).toBe(host.hooks.length);
    for (const { present, nargs, program } of host.hooks) {
      expect(nargs !== null).toBe(present);
      expect(present || program === null).toBe(true);
    }
  });

  test('names a build by its bytes', () => {
    expect(buildOf(new Uint8Array([1]))).toMatch(/^[0-9a-f]{16}$/);
    expect(buildOf(new Uint8Array([1]))).not.toBe(buildOf(new Uint8Array([2])));
  });
});

describe('wrong arguments', () => {
  const object = new Uint8Array([1, 2, 3]);
  const good = { object, build: '0123456789abcdef', pinDir: PIN_DIR };
  const cases: [string, keyof Addon, unknown[], string][] = [
    ['open without options', 'open', [], 'options'],
    ['open with a string for the object', 'open', [{ ...good, object: 'path' }], 'object'],
    ['open with an empty object', 'open', [{ ...good, object: new Uint8Array() }], 'object'],
    ['open with words for the object', 'open', [{ ...good, object: new Uint16Array(4) }], 'object'],
    ['open with a relative directory', 'open', [{ ...good, pinDir: 'bpf' }], 'pinDir'],
    ['open with a zero byte', 'open', [{ ...good, pinDir: '/sys/\0' }], 'pinDir'],
    ['open with a build that is a path', 'open', [{ ...good, build: '../other' }], 'build'],
    ['open with a build in the making', 'open', [{ ...good, build: '01234567-new' }], 'build'],
    ['open with an empty build', 'open', [{ ...good, build: '' }], 'build'],
    ['disablePins without a directory', 'disablePins', [], 'pinDir'],
    ['disablePins with a very long path', 'disablePins', [`/${'x'.repeat(5000)}`], 'pinDir'],
    ['probe with something else than a list', 'probe', [{}], 'tries'],
    ['probe with too many', 'probe', [new Array(1025).fill({})], 'tries'],
    ['probe with an unknown operation', 'probe', [[{ op: 'format', path: '/x' }]], 'format'],
    ['probe with a relative path', 'probe', [[{ op: 'unlink', path: 'x' }]], 'path'],
    ['probe of a link without its name', 'probe', [[{ op: 'link', path: '/x' }]], 'path2'],
    ['peerCredentials of no number', 'peerCredentials', ['3'], 'fd'],
    ['peerCredentials of a negative one', 'peerCredentials', [-1], 'fd'],
    ['peerCredentials of a fraction', 'peerCredentials', [0.5], 'fd'],
    ['peerCredentials of NaN', 'peerCredentials', [Number.NaN], 'fd'],
    ['sdNotify without a message', 'sdNotify', [''], 'message'],
  ];

  test.each(cases)('%s is refused', (_, name, args, argument) => {
    expect(errorOf(() => call(name, ...args))).toMatchObject({
      code: 'argument',
      object: argument,
    });
  });

  test('a getter that throws is passed on as it is', () => {
    const options = {
      get build() {
        throw new RangeError('mine');
      },
    };
    expect(() => call('open', options)).toThrow(RangeError);
  });
});

describe('what the host refuses', () => {
  test('pins outside a BPF file system', () => {
    expect(errorOf(() => addon.disablePins(folder)).code).toBe('bpffs');
    const options = { object: new Uint8Array([1]), build: '01234567', pinDir: folder };
    expect(errorOf(() => addon.open(options)).code).toBe('bpffs');
  });

  test('pins that are not there are disabled already', () => {
    expect(addon.disablePins(join(folder, 'none'))).toEqual({ links: 0, builds: 0, alive: 0 });
  });

  test('credentials of what is no socket', () => {
    expect(errorOf(() => addon.peerCredentials(1_000_000))).toMatchObject({
      code: 'peer',
      errno: 'EBADF',
    });
  });
});

describe('a probe', () => {
  test('tells the answer of each system call, in order', () => {
    const file = join(folder, 'file');
    writeFileSync(file, 'text');
    chmodSync(file, 0o600);
    const answers = addon.probe([
      { op: 'open-read', path: file },
      { op: 'create', path: file },
      { op: 'exec', path: file },
      { op: 'exec', path: process.execPath },
      { op: 'link', path: file, path2: join(folder, 'link') },
      { op: 'rename', path: join(folder, 'link'), path2: join(folder, 'moved') },
      { op: 'unlink', path: join(folder, 'moved') },
      { op: 'unlink', path: join(folder, 'moved') },
    ]);
    expect(answers.every(({ answered }) => answered)).toBe(true);
    expect(answers.map(({ errno }) => errno)).toEqual([
      null,
      'EEXIST',
      'EACCES',
      null,
      null,
      null,
      null,
      'ENOENT',
    ]);
  });

  test('knows every operation that it lists', () => {
    expect(addon.probeOps).toContain('open-read');
    for (const op of addon.probeOps) {
      const path = join(folder, 'absent', op);
      expect(addon.probe([{ op, path, path2: path }])).toMatchObject([
        { op, path, answered: true, errno: 'ENOENT' },
      ]);
    }
  });

  test('leaves no child behind', () => {
    addon.probe([{ op: 'open-read', path: '/' }]);
    const children = execFileSync('sh', ['-c', `cat /proc/${process.pid}/task/*/children`], {
      encoding: 'utf8',
    });
    const states = children
      .trim()
      .split(/\s+/)
      .filter(Boolean)
      .map((pid) =>
        execFileSync('sh', ['-c', `cat /proc/${pid}/stat 2>/dev/null || true`]).toString(),
      );
    expect(states.filter((state) => / Z /.test(state))).toEqual([]);
  });
});

test('a peer is known by its credentials', async () => {
  const path = join(folder, 'socket');
  const server = createServer();
  await new Promise<void>((listening) => server.listen(path, listening));
  const client = connect(path);
  const peer = await new Promise<Socket>((accepted) => server.once('connection', accepted));
  const handle: unknown = Reflect.get(peer, '_handle');
  const fd: unknown = Reflect.get(Object(handle), 'fd');
  expect(addon.peerCredentials(Number(fd))).toEqual({
    pid: process.pid,
    uid: process.getuid?.(),
    gid: process.getgid?.(),
  });
  client.destroy();
  peer.destroy();
  await new Promise((closed) => server.close(closed));
});

describe('the service manager', () => {
  test('is not told when there is none', () => {
    delete process.env['NOTIFY_SOCKET'];
    expect(addon.sdNotify('READY=1')).toBe(false);
  });

  test('that does not listen is an error', () => {
    process.env['NOTIFY_SOCKET'] = join(folder, 'nobody');
    expect(errorOf(() => addon.sdNotify('READY=1'))).toMatchObject({
      code: 'notify',
      errno: 'ENOENT',
    });
    delete process.env['NOTIFY_SOCKET'];
  });
});

test('the loader tests pass under sanitizers', () => {
  const output = execFileSync('make', ['--silent', '--directory', join(ROOT, 'native'), 'test'], {
    encoding: 'utf8',
  });
  expect(output).toMatch(/\d+ loader tests passed/);
});
