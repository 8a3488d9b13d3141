// SPDX-License-Identifier: Apache-2.0
// The host's side of the guest agent's protocol (packaging/guest/agent.c has the other side).
//
// A frame is { u32 length, u32 id, u8 kind, payload }, little endian. Every request gets an id of its own,
// so any number may be in flight; when the guest goes, every open request fails with the same reason.

import type { Socket } from 'node:net';

const REQUEST = { run: 1, kill: 2, put: 3, get: 4 } as const;
const ANSWER = { ready: 1, started: 2, stdout: 3, stderr: 4, exit: 5, file: 6, error: 7 } as const;
const HEAD_BYTES = 9;
const ID_AND_KIND_BYTES = 5;

/** What a request hears, in order; `file` and `exit` are the last one. */
export interface Listener {
  started?(pid: number): void;
  stdout?(bytes: Buffer): void;
  stderr?(bytes: Buffer): void;
  exit?(exit: Exit): void;
  file?(bytes: Buffer): void;
  failed(reason: Error): void;
}

export interface Exit {
  readonly exitCode: number;
  readonly signal: number;
  readonly timedOut: boolean;
  readonly durationMs: number;
}

export interface Command {
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly cwd: string;
  readonly uid: number;
  readonly gid: number;
  readonly timeoutMs: number;
  readonly stdin: Uint8Array;
}

export class Channel {
  readonly ready: Promise<void>;
  readonly #socket: Socket;
  readonly #listeners = new Map<number, Listener>();
  #nextId = 1;
  #received: Buffer[] = [];
  #receivedBytes = 0;
  #closed: Error | null = null;
  #becomeReady: () => void = () => {};

  constructor(socket: Socket) {
    this.#socket = socket;
    this.ready = new Promise((resolve) => {
      this.#becomeReady = resolve;
    });
    socket.on('data', (bytes: Buffer) => this.#receive(bytes));
    socket.on('error', () => {}); // 'close' follows, and the reason is known to whoever runs QEMU
  }

  /** Starts a command and returns its id, which kill() takes. */
  run(command: Command, listener: Listener): number {
    const numbers = [command.uid, command.gid, command.timeoutMs].map(u32);
    const parts = [...numbers, string(command.cwd), strings(command.args), strings(command.env)];
    return this.#request(REQUEST.run, [...parts, Buffer.from(command.stdin)], listener);
  }

  /** Sends a signal to the process group of a command. */
  kill(id: number, signal: number, listener: Listener): void {
    this.#request(REQUEST.kill, [u32(id), u32(signal)], listener);
  }

  put(path: string, bytes: Uint8Array, mode: number, listener: Listener): void {
    this.#request(REQUEST.put, [u32(mode), string(path), Buffer.from(bytes)], listener);
  }

  get(path: string, listener: Listener): void {
    this.#request(REQUEST.get, [string(path)], listener);
  }

  /** Fails every open request, and every later one, with the reason. */
  close(reason: Error): void {
    if (this.#closed) return;
    this.#closed = reason;
    this.#socket.destroy();
    const listeners = [...this.#listeners.values()];
    this.#listeners.clear();
    for (const listener of listeners) listener.failed(reason);
  }

  #request(kind: number, parts: readonly Buffer[], listener: Listener): number {
    if (this.#closed) {
      listener.failed(this.#closed);
      return 0;
    }
    const id = this.#nextId++;
    const payload = Buffer.concat(parts);
    const head = Buffer.alloc(HEAD_BYTES);
    head.writeUInt32LE(payload.length + ID_AND_KIND_BYTES, 0);
    head.writeUInt32LE(id, 4);
    head.writeUInt8(kind, 8);
    this.#listeners.set(id, listener);
    this.#socket.write(head);
    this.#socket.write(payload);
    return id;
  }

  #receive(bytes: Buffer): void {
    this.#received.push(bytes);
    this.#receivedBytes += bytes.length;
    while (this.#receivedBytes >= HEAD_BYTES) {
      let buffer = this.#received[0] ?? bytes;
      if (buffer.length < HEAD_BYTES) buffer = this.#join();
      const size = buffer.readUInt32LE(0) + 4;
      if (this.#receivedBytes < size) return;
      if (buffer.length < size) buffer = this.#join();
      const rest = buffer.subarray(size);
      if (rest.length === 0) this.#received.shift();
      else this.#received[0] = rest;
      this.#receivedBytes -= size;
      this.#answer(buffer.readUInt32LE(4), buffer.readUInt8(8), buffer.subarray(HEAD_BYTES, size));
    }
  }

  #join(): Buffer {
    const joined = Buffer.concat(this.#received);
    this.#received = [joined];
    return joined;
  }

  #answer(id: number, kind: number, payload: Buffer): void {
    if (kind === ANSWER.ready) this.#becomeReady();
    const listener = this.#listeners.get(id);
    if (!listener) return;
    if (kind === ANSWER.exit || kind === ANSWER.file || kind === ANSWER.error)
      this.#listeners.delete(id);
    if (kind === ANSWER.started) listener.started?.(payload.readUInt32LE(0));
    else if (kind === ANSWER.stdout) listener.stdout?.(payload);
    else if (kind === ANSWER.stderr) listener.stderr?.(payload);
    else if (kind === ANSWER.file) listener.file?.(payload);
    else if (kind === ANSWER.error) listener.failed(new Error(`guest: ${payload.toString()}`));
    else if (kind === ANSWER.exit) listener.exit?.(toExit(payload));
  }
}

function toExit(payload: Buffer): Exit {
  const signal = payload.readUInt32LE(4);
  return {
    // As a shell reports it.
    exitCode: signal === 0 ? payload.readUInt32LE(0) : 128 + signal,
    signal,
    timedOut: payload.readUInt32LE(8) === 1,
    durationMs: payload.readUInt32LE(12) / 1000,
  };
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function string(text: string): Buffer {
  const bytes = Buffer.from(`${text}\0`);
  return Buffer.concat([u32(bytes.length), bytes]);
}

function strings(list: readonly string[]): Buffer {
  return Buffer.concat([u32(list.length), ...list.map(string)]);
}
