// The command as a process of its own: exit codes, a reader that goes away, Ctrl-C, a terminal's colour.
//
// SPDX-License-Identifier: Apache-2.0

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const WARDER = fileURLToPath(new URL('../../bin/warder', import.meta.url));
const ENVIRONMENT = { PATH: process.env['PATH'] ?? '' };

describe.skipIf(!existsSync(WARDER))('bin/warder (made by `make setup`)', () => {
  it('ends with the exit code of the outcome, and prints nothing of Node', () => {
    const ended = spawnSync(WARDER, ['lint', '/nonexistent'], {
      encoding: 'utf8',
      env: ENVIRONMENT,
    });
    expect(ended.status).toBe(2);
    expect(ended.stdout).toBe('');
    expect(ended.stderr).toMatch(
      /^error: "\/nonexistent" cannot be read\n {2}code: cli\/file-unreadable\n/,
    );
  });

  it('works through a link in a folder of PATH', () => {
    const ended = spawnSync(WARDER, ['--version'], { encoding: 'utf8', env: ENVIRONMENT });
    expect(ended).toMatchObject({ status: 0, stderr: '' });
  });

  it('a reader that has seen enough is no error', () => {
    const script = `set -o pipefail; '${WARDER}' man | head -1`;
    const ended = spawnSync('/bin/bash', ['--norc', '-c', script], {
      encoding: 'utf8',
      env: ENVIRONMENT,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    expect(ended).toMatchObject({ status: 0, stderr: '' });
    expect(ended.stdout).toMatch(/^\.TH WARDER 1/);
  });

  it('a reader that is gone before the first line is no error', async () => {
    const child = spawn(WARDER, ['man'], { env: ENVIRONMENT, stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.destroy();
    let complaint = '';
    child.stderr.on('data', (chunk) => {
      complaint += chunk;
    });
    const [code] = await once(child, 'close');
    expect({ code, complaint }).toEqual({ code: 0, complaint: '' });
  });

  it('has no colour where there is no terminal', () => {
    const ended = spawnSync(WARDER, ['lnit'], { encoding: 'utf8', env: ENVIRONMENT });
    expect(ended.stderr).not.toContain('\u001b');
  });

  describe('while it waits for an enforcer that says nothing', () => {
    let dir: string;
    let server: Server;
    let child: ChildProcess | null;
    const sockets = new Set<Socket>();
    beforeEach(async () => {
      dir = mkdtempSync(join(tmpdir(), 'warder-mute-'));
      server = createServer((socket) => sockets.add(socket)).listen(join(dir, 'sock'));
      await once(server, 'listening');
      child = null;
    });
    afterEach(() => {
      child?.kill('SIGKILL');
      for (const socket of sockets) socket.destroy();
      server.close();
      rmSync(dir, { recursive: true });
    });

    it('Ctrl-C ends `warder events --follow` at once', async () => {
      child = spawn(WARDER, ['events', '--follow', '--socket', join(dir, 'sock')], {
        env: ENVIRONMENT,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      await once(server, 'connection');
      const ended = once(child, 'exit');
      child.kill('SIGINT');
      expect(await ended).toEqual([0, null]);
    });

    it('Ctrl-C ends a command that waits for its answer', async () => {
      child = spawn(WARDER, ['status', '--socket', join(dir, 'sock')], {
        env: ENVIRONMENT,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      await once(server, 'connection');
      const ended = once(child, 'exit');
      child.kill('SIGINT');
      expect(await ended).toEqual([null, 'SIGINT']);
    });
  });
});
