// SPDX-License-Identifier: Apache-2.0

// The real addon and a real socket: the kernel's word about the peer, by way of Node's descriptor.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { ADDON_PATH, loadAddon } from '../../src/adapters/kernel/addon.ts';
import { descriptorOf, Kernel } from '../../src/adapters/kernel/kernel.ts';
import { groupsOf } from '../../src/enforcer/processes.ts';
import { expectOk } from '../support/enforcer.ts';

const dir = mkdtempSync(join(tmpdir(), 'warder-peer-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

it.skipIf(!existsSync(ADDON_PATH))('is this very process, with its own groups', async () => {
  const kernel = new Kernel(loadAddon());
  const path = join(dir, 'socket');
  const accepted = new Promise<Socket>((resolve) => {
    const server = createServer((socket) => {
      server.close();
      resolve(socket);
    });
    server.listen(path, () => createConnection(path).unref());
  });
  const socket = await accepted;
  const peer = expectOk(kernel.peerCredentials(descriptorOf(socket) ?? -1));
  expect(peer).toEqual({ pid: process.pid, uid: process.getuid?.(), gid: process.getgid?.() });
  expect(groupsOf(peer.pid)).toEqual(
    expect.arrayContaining((process.getgroups?.() ?? []).filter((it) => it !== peer.gid)),
  );
  socket.destroy();
  expect(descriptorOf(socket)).toBeNull();
});
