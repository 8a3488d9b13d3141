// A path that cannot be resolved any more, after the policy that names it was in force here: a disk that is
// not mounted, a folder in memory that is gone after a reboot, a loop of links, a tree that somebody filled.
// Everything else of the policy is in force, and the host says what is not.
//
// SPDX-License-Identifier: Apache-2.0

import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { BundleBytes } from '../../src/core/bundle.ts';
import type { EnforcerStatus } from '../../src/core/enforcement.ts';
import type { Enforcer } from '../../src/enforcer/enforcer.ts';
import { packIdentity } from '../../src/wire/abi.ts';
import { enforce, expectOk, makeBundle, ruleFor, TestHost } from '../support/enforcer.ts';
import { makeSigner, trustIn } from '../support/signed-bundle.ts';

const SCAN_MAX = 20;
const signer = makeSigner();
let host: TestHost;
let dir: string;
let bundle: BundleBytes;

const at = (name: string): string => join(dir, name);
const start = (): Promise<Enforcer> => host.start({ scanEntriesMax: SCAN_MAX });
const statusOf = async (it: Enforcer): Promise<EnforcerStatus> => expectOk(await it.status());
const digestOf = ({ enforced }: EnforcerStatus) =>
  enforced.kind === 'bundle' ? enforced.bundle.digest : enforced.kind;
const causesOf = ({ alerts }: EnforcerStatus) =>
  alerts.filter(({ code }) => code === 'restore/incomplete').flatMap(({ causes }) => causes);

/** Protects a path in `one`, a path in `two`, and `tree`. */
async function bundleOf(version: number, one = 'one/secret'): Promise<BundleBytes> {
  return makeBundle(signer, version, [
    ruleFor('a/one', at(one)),
    ruleFor('a/two', at('two/secret')),
    { ...ruleFor('b/tree', at('tree')), objects: [{ kind: 'tree', path: at('tree') }] },
  ]);
}

/** Whether what has a name now is known to the generation in force. */
function isProtected(name: string): boolean {
  const fact = expectOk(host.kernel.resolve(at(name), false));
  if (fact === null) throw new Error(`${name} does not exist`);
  const committed = expectOk(host.kernel.committed());
  const held = expectOk(host.kernel.readBack(committed?.bank ?? -1));
  return Buffer.from(held?.objects ?? []).includes(Buffer.from(packIdentity(fact)));
}

function layOut(name: string): void {
  mkdirSync(at(name), { recursive: true });
  writeFileSync(at(`${name}/secret`), '');
}

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'warder-left-out-'));
  for (const name of ['one', 'two', 'tree']) layOut(name);
  host = new TestHost(trustIn(signer));
  bundle = await bundleOf(1);
  await enforce(await start(), bundle);
});
afterEach(() => {
  host.remove();
  rmSync(dir, { recursive: true });
});

it('after a reboot without a directory, all the rest is in force, and the host says what is not', async () => {
  host.reboot();
  rmSync(at('one'), { recursive: true });
  const status = await statusOf(await start());
  expect([digestOf(status), status.leftOut]).toEqual([bundle.digest, [at('one/secret')]]);
  expect(causesOf(status)).toEqual([expect.stringMatching(/^stage\/parent-missing: /)]);
  expect(['two/secret', 'tree'].map(isProtected)).toEqual([true, true]);
});

it('what was missing is taken in once it is there, and stays confirmed', async () => {
  host.reboot();
  rmSync(at('one'), { recursive: true });
  const enforcer = await start();
  const before = host.kernel.enforces;
  await enforcer.resolveAgain();
  expect(host.kernel.enforces).toBe(before);
  layOut('one');
  await enforcer.resolveAgain();
  const status = await statusOf(enforcer);
  expect(status).toMatchObject({ leftOut: [], enforced: { kind: 'bundle', confirmed: true } });
  expect([causesOf(status), isProtected('one/secret')]).toEqual([[], true]);
  const after = host.kernel.enforces;
  await enforcer.resolveAgain();
  expect(host.kernel.enforces).toBe(after);
});

it('a restart in the same boot tells it again', async () => {
  host.reboot();
  rmSync(at('one'), { recursive: true });
  await start();
  const again = await start();
  const status = await statusOf(again);
  expect(status).toMatchObject({ adopted: true, leftOut: [at('one/secret')] });
  expect(status.alerts.map(({ code }) => code)).toEqual(['restore/incomplete']);
  await again.resolveAgain();
  expect(causesOf(await statusOf(again))).toHaveLength(1);
});

it('a loop of links in the place of a directory leaves out that path alone', async () => {
  host.reboot();
  rmSync(at('one'), { recursive: true });
  symlinkSync('one', at('one'));
  const enforcer = await start();
  const status = await statusOf(enforcer);
  expect([digestOf(status), status.leftOut]).toEqual([bundle.digest, [at('one/secret')]]);
  expect(causesOf(status)).toEqual([expect.stringMatching(/^stage\/too-many-symlinks: /)]);
  expect(isProtected('two/secret')).toBe(true);
  // Nothing tells when the loop is gone: it is looked for every five minutes.
  await enforcer.resolveAgain();
  rmSync(at('one'));
  layOut('one');
  host.clock.now += 299_999;
  await enforcer.resolveAgain();
  expect((await statusOf(enforcer)).leftOut).toHaveLength(1);
  host.clock.now += 1;
  await enforcer.resolveAgain();
  expect([(await statusOf(enforcer)).leftOut, isProtected('one/secret')]).toEqual([[], true]);
});

it('a tree that somebody filled is still a tree; only files with further names outside are unknown', async () => {
  host.reboot();
  for (let i = 0; i <= SCAN_MAX; i += 1) writeFileSync(at(`tree/${i}`), '');
  const enforcer = await start();
  const status = await statusOf(enforcer);
  expect([digestOf(status), status.leftOut]).toEqual([bundle.digest, [at('tree')]]);
  expect(causesOf(status)).toEqual([expect.stringMatching(/^stage\/tree-too-large: /)]);
  expect(['one/secret', 'two/secret', 'tree'].map(isProtected)).toEqual([true, true, true]);
  // Nothing in it has further names, so the tables are the same when all of it is known.
  await enforcer.resolveAgain();
  for (let i = 0; i <= SCAN_MAX; i += 1) rmSync(at(`tree/${i}`));
  host.clock.now += 300_000;
  await enforcer.resolveAgain();
  expect(await statusOf(enforcer)).toMatchObject({ leftOut: [], alerts: [] });
});

it('a new bundle is not kept out by what is left out already, and refused for anything else', async () => {
  host.reboot();
  rmSync(at('one'), { recursive: true });
  const enforcer = await start();
  const v2 = await bundleOf(2);
  await enforce(enforcer, v2);
  const status = await statusOf(enforcer);
  expect([digestOf(status), status.leftOut]).toEqual([v2.digest, [at('one/secret')]]);
  const v3 = await bundleOf(3, 'three/secret');
  expect(await enforcer.activate(v3)).toMatchObject({ error: { code: 'stage/parent-missing' } });
  expect(digestOf(await statusOf(enforcer))).toBe(v2.digest);
});

it('while it is in force, nothing is left out: what was resolved stays, and is not tried all the time', async () => {
  const mounts = [{ id: 1, dev: 1, root: '/', point: '/' }];
  const enforcer = await host.start({
    scanEntriesMax: SCAN_MAX,
    mounts: () => ({ ok: true, value: [...mounts] }),
  });
  const before = host.kernel.enforces;
  await enforcer.resolveAgain();
  rmSync(at('one'), { recursive: true });
  mounts.push({ id: 2, dev: 2, root: '/', point: at('one') });
  const tries = async () => {
    const { length } = host.kernel.calls;
    await enforcer.resolveAgain();
    return host.kernel.calls.slice(length).includes('resolve');
  };
  expect([await tries(), await tries(), await tries()]).toEqual([true, false, false]);
  const status = await statusOf(enforcer);
  expect([host.kernel.enforces, status.leftOut]).toEqual([before, []]);
  expect(status.alerts.map(({ code }) => code)).toEqual([
    'host/mounts-changed',
    'stage/parent-missing',
  ]);
  host.clock.now += 30_000;
  expect(await tries()).toBe(true);
  mounts.pop();
  layOut('one');
  await enforcer.resolveAgain();
  expect(isProtected('one/secret')).toBe(true);
  expect((await statusOf(enforcer)).alerts.map(({ code }) => code)).toEqual([
    'stage/parent-missing',
  ]);
});

it('resolving that takes long is followed by a pause that is longer, in which others are answered', async () => {
  const mounts = [{ id: 1, dev: 1, root: '/', point: '/' }];
  const enforcer = await host.start({ mounts: () => ({ ok: true, value: [...mounts] }) });
  const scan = host.kernel.scan.bind(host.kernel);
  let scans = 0;
  host.kernel.scan = (root, max) => {
    scans += 1;
    host.clock.now += 30_000;
    mounts.push({ id: mounts.length + 1, dev: 2, root: '/', point: at('tree') });
    return scan(root, max);
  };
  const stop = new AbortController();
  const kept = enforcer.keepResolving(stop.signal);
  const after = async (ms: number) => {
    host.clock.advance(ms);
    await new Promise((resolve) => setImmediate(resolve));
    await enforcer.probe();
    return scans;
  };
  expect(await after(1000)).toBe(1);
  const first = await after(119_999);
  const second = await after(1);
  expect([first, second]).toEqual([1, 2]);
  stop.abort();
  await kept;
});
