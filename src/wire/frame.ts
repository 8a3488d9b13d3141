// Frames of the enforcer socket: four bytes of length (big endian), then that many bytes of JSON in
// UTF-8. The reader never holds more than one frame beyond its bound, and says why it gave up; after
// that it stays given up, because a stream that lost its framing has no next frame.
//
// SPDX-License-Identifier: Apache-2.0

import { err, failure, ok, type Result } from '../core/result.ts';

const LENGTH_BYTES = 4;

/** One value as a frame. */
export function encodeFrame(value: unknown): Uint8Array {
  const body = Buffer.from(JSON.stringify(value), 'utf8');
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + body.length);
  frame.writeUInt32BE(body.length, 0);
  body.copy(frame, LENGTH_BYTES);
  return frame;
}

/** Cuts a stream of bytes into frames. */
export class FrameReader {
  #bytesMax: number;
  #chunks: Uint8Array[] = [];
  #held = 0;
  #broken = false;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Raises or lowers the bound for frames that have not begun: a peer earns room by who it is. */
  allow(bytesMax: number): void {
    this.#bytesMax = bytesMax;
  }

  /** A frame has begun and is not complete. */
  get isInside(): boolean {
    return this.#held > 0;
  }

  /** Takes bytes and answers the values that they complete. */
  push(chunk: Uint8Array): Result<unknown[]> {
    if (this.#broken) return refuse('the stream is already refused');
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    const values: unknown[] = [];
    for (;;) {
      const length = this.#peekLength();
      if (length === null) return ok(values);
      if (length === 0 || length > this.#bytesMax) {
        return this.#give(`a frame says that it has ${length} bytes; at most ${this.#bytesMax}`);
      }
      if (this.#held < LENGTH_BYTES + length) return ok(values);
      const value = parseBody(this.#take(LENGTH_BYTES + length).subarray(LENGTH_BYTES));
      if (!value.ok) return this.#give(value.error);
      values.push(value.value);
    }
  }

  #give(why: string): Result<never> {
    this.#broken = true;
    this.#chunks = [];
    this.#held = 0;
    return refuse(why);
  }

  #peekLength(): number | null {
    if (this.#held < LENGTH_BYTES) return null;
    const first = this.#chunks[0];
    if (first !== undefined && first.length < LENGTH_BYTES) this.#join();
    const head = this.#chunks[0] ?? new Uint8Array(LENGTH_BYTES);
    return new DataView(head.buffer, head.byteOffset, LENGTH_BYTES).getUint32(0);
  }

  #join(): void {
    this.#chunks = [Buffer.concat(this.#chunks, this.#held)];
  }

  #take(bytes: number): Uint8Array {
    if (this.#chunks.length > 1) this.#join();
    const all = this.#chunks[0] ?? new Uint8Array(0);
    this.#held -= bytes;
    this.#chunks = this.#held === 0 ? [] : [all.subarray(bytes)];
    return all.subarray(0, bytes);
  }
}

const DECODER = new TextDecoder('utf-8', { fatal: true });

function parseBody(body: Uint8Array): Result<unknown, string> {
  try {
    return ok(JSON.parse(DECODER.decode(body)));
  } catch (cause) {
    // TypeError: not UTF-8. SyntaxError: not JSON. Nothing else is expected of bytes.
    if (cause instanceof SyntaxError || cause instanceof TypeError) {
      return err('a frame is not JSON in UTF-8');
    }
    throw cause;
  }
}

function refuse(why: string): Result<never> {
  return err(failure('host/protocol-invalid', `the peer broke the protocol: ${why}`));
}
