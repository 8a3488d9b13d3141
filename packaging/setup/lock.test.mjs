// SPDX-License-Identifier: Apache-2.0
// Two set-ups at once, and one that is killed.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { holdLock, withLock } from './lock.mjs';
import { ROOT } from './paths.mjs';

const LOCK = join(ROOT, 'packaging/setup/lock.mjs');
let folder;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'warder-lock-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the lock of a folder', () => {
  it('lets the second in when the first is done, and leaves nothing in the folder', async () => {
    const release = await holdLock(folder);
    let held = true;
    const second = withLock(folder, () => held);
    expect(spawnSync('flock', ['--nonblock', folder, 'true']).status).toBe(1);
    held = false;
    release();
    expect(await second).toBe(false);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('does not outlive a process that is killed', async () => {
    const body = `const { holdLock } = await import(${JSON.stringify(LOCK)});
      await holdLock(${JSON.stringify(folder)}); console.log('held');`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', body], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    const release = await holdLock(folder);
    release();
  });

  it('names what is missing where there is no flock', async () => {
    const { PATH } = process.env;
    process.env.PATH = folder;
    const refusal = holdLock(folder);
    process.env.PATH = PATH;
    await expect(refusal).rejects.toMatchObject({ name: 'SetupError' });
  });
});
