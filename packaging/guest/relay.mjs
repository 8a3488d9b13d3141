// SPDX-License-Identifier: Apache-2.0
// The network of a guest whose kernel has no network card: connections to one port of 10.0.2.2 travel over
// a virtio port to the host, which makes them on its own loopback.
// usage: node relay.mjs DEVICE PORT
//
// Frames, both ways: number of the connection (u32), bytes that follow (u32), and these. The first frame
// of a connection opens it, one without bytes closes it; both are the guest's and the host's alike.

import { createReadStream, createWriteStream, openSync } from 'node:fs';
import { createServer } from 'node:net';
import { FrameReader, frame } from './frames.mjs';

const HOST = '10.0.2.2';

const [device, port] = process.argv.slice(2);
// A port can be opened once.
const fd = openSync(device, 'r+');
const toHost = createWriteStream(device, { fd });
const sockets = new Map();
let last = 0;

const server = createServer({ allowHalfOpen: false }, (socket) => {
  last += 1;
  const id = last;
  sockets.set(id, socket);
  socket.on('data', (data) => {
    toHost.write(frame(id, data));
  });
  socket.on('close', () => {
    if (sockets.delete(id)) toHost.write(frame(id));
  });
  socket.on('error', () => socket.destroy());
});
const frames = new FrameReader((id, data) => {
  const socket = sockets.get(id);
  if (socket === undefined) return;
  if (data.length > 0) {
    socket.write(data);
    return;
  }
  sockets.delete(id);
  socket.end();
});
createReadStream(device, { fd }).on('data', (chunk) => frames.push(chunk));
server.listen(Number(port), HOST, () => process.stdout.write('ready\n'));
