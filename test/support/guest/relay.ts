// SPDX-License-Identifier: Apache-2.0
// The host's end of packaging/guest/relay.mjs: makes the guest's connections on this machine's loopback.

import { connect, type Socket } from 'node:net';

interface Frames {
  frame(id: number, data?: Buffer): Buffer;
  FrameReader: new (take: (id: number, data: Buffer) => void) => { push(chunk: Buffer): void };
}

const FRAMES = new URL('../../../packaging/guest/frames.mjs', import.meta.url).href;

/** Serves the connections that come over `guest` until it closes; all go to `port`. */
export async function relay(guest: Socket, port: number): Promise<void> {
  const { frame, FrameReader } = (await import(FRAMES)) as Frames;
  const sockets = new Map<number, Socket>();
  const open = (id: number): Socket => {
    const socket = connect(port, '127.0.0.1');
    sockets.set(id, socket);
    socket.on('data', (data) => guest.write(frame(id, data)));
    socket.on('close', () => {
      if (sockets.delete(id)) guest.write(frame(id));
    });
    socket.on('error', () => socket.destroy());
    return socket;
  };
  const frames = new FrameReader((id, data) => {
    if (data.length > 0) {
      (sockets.get(id) ?? open(id)).write(data);
      return;
    }
    sockets.get(id)?.end();
    sockets.delete(id);
  });
  guest.on('data', (chunk: Buffer) => frames.push(chunk));
  guest.on('close', () => {
    for (const socket of sockets.values()) socket.destroy();
  });
}
