// SPDX-License-Identifier: Apache-2.0
// Frames of the relay: number of a connection (u32), length (u32), bytes.

const HEADER_BYTES = 8;

/** One frame; without bytes it closes the connection. */
export function frame(id, data = Buffer.alloc(0)) {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(id, 0);
  header.writeUInt32LE(data.length, 4);
  return Buffer.concat([header, data]);
}

/** Cuts a stream of bytes into frames and calls back with the number and the bytes of each. */
export class FrameReader {
  #rest = Buffer.alloc(0);
  #take;

  constructor(take) {
    this.#take = take;
  }

  push(chunk) {
    let rest = Buffer.concat([this.#rest, chunk]);
    while (rest.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + rest.readUInt32LE(4);
      if (rest.length < end) break;
      this.#take(rest.readUInt32LE(0), rest.subarray(HEADER_BYTES, end));
      rest = rest.subarray(end);
    }
    this.#rest = rest;
  }
}
