// The Unix socket: who may connect, how many at a time. Nobody is served before the kernel said who
// they are; a stranger is told no and nothing else.
//
// SPDX-License-Identifier: Apache-2.0

import { chmodSync, chownSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { type Peer, roleOf, type SocketOwners } from '../core/enforcer/roles.ts';
import { type Failure, failure, type Result } from '../core/result.ts';
import type { EnforcerPort } from '../ports.ts';
import { encodeFrame } from '../wire/frame.ts';
import { type SessionLimits, serveSession } from './session.ts';

/** How the socket is served. */
export interface ServerOptions {
  readonly path: string;
  readonly owners: SocketOwners;
  readonly enforcer: EnforcerPort;
  readonly enforcerVersion: string;
  /** Who is at the other end, from the kernel. */
  readonly peerOf: (socket: Socket) => Result<Peer>;
  readonly connectionsMax: number;
  readonly limits: SessionLimits;
  /** A request threw: a bug, after which what this process remembers cannot be relied on. */
  readonly onBug: (cause: unknown) => void;
}

const SOCKET_MODE = 0o660;

/** A listening socket; closing it ends every session. */
export interface RunningServer {
  close(): Promise<void>;
}

/** Listens. The caller holds the instance lock, so a socket file that is there is a leftover. */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => accept(socket, open, options));
  rmSync(options.path, { force: true });
  await listenClosed(server, options.path);
  // Root's own processes need no group; a host without the group keeps the socket for root.
  chownSync(options.path, 0, options.owners.readGid);
  chmodSync(options.path, SOCKET_MODE);
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

/** Binds with a mode for nobody else, so that there is no moment before chmod with a wider one. */
function listenClosed(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const before = process.umask(0o177);
    server.once('error', reject);
    server.listen(path, () => resolve());
    process.umask(before);
  });
}

function accept(socket: Socket, open: Set<Socket>, options: ServerOptions): void {
  if (open.size >= options.connectionsMax) {
    refuse(socket, failure('host/enforcer-busy', `${options.connectionsMax} connections are open`));
    return;
  }
  const peer = options.peerOf(socket);
  if (!peer.ok) {
    refuse(socket, peer.error);
    return;
  }
  const role = roleOf(peer.value, options.owners);
  if (role === 'stranger') {
    refuse(socket, failure('host/enforcer-denied', 'this user is not served'));
    return;
  }
  open.add(socket);
  void serveSession(socket, {
    enforcer: options.enforcer,
    role,
    uid: peer.value.uid,
    enforcerVersion: options.enforcerVersion,
    limits: options.limits,
    onBug: options.onBug,
  }).then(() => open.delete(socket));
}

function refuse(socket: Socket, why: Failure): void {
  socket.on('error', () => socket.destroy());
  socket.end(encodeFrame({ closing: why }), () => socket.destroy());
}
