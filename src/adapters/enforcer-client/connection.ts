// One connection to the enforcer: handshake, one outstanding request, a total deadline. Every way in
// which the other side can go away is `host/enforcer-unavailable`.
//
// SPDX-License-Identifier: Apache-2.0

import { createConnection, type Socket } from 'node:net';
import { LIMITS } from '../../core/limits.ts';
import { err, failure, ok, type Result } from '../../core/result.ts';
import { encodeFrame, FrameReader } from '../../wire/frame.ts';
import { PROTOCOL_VERSION, parseEnforcerHello, parseResponse } from '../../wire/protocol.ts';

/** An open, greeted connection. */
export interface EnforcerConnection {
  /** Sends a request and waits for its answer. */
  ask(request: { readonly id: number } & Record<string, unknown>): Promise<Result<unknown>>;
  /** Waits for a further answer to the same request. */
  next(id: number): Promise<Result<unknown>>;
  close(): void;
}

/** Connects and greets; a `timeoutMs` of null means no deadline after the handshake. */
export async function connect(
  where: { readonly socketPath: string; readonly client: string; readonly replyTimeoutMs: number },
  timeoutMs: number | null,
  signal?: AbortSignal,
): Promise<Result<EnforcerConnection>> {
  const socket = createConnection(where.socketPath);
  const inbox = new Inbox(socket, where.socketPath);
  signal?.addEventListener('abort', () => inbox.stop('stopped'), { once: true });
  if (signal?.aborted) inbox.stop('stopped');
  const handshake = setTimeout(() => inbox.stop('no handshake'), where.replyTimeoutMs);
  socket.write(encodeFrame({ hello: { protocol: PROTOCOL_VERSION, client: where.client } }));
  const first = await inbox.take();
  clearTimeout(handshake);
  const hello = first.ok ? parseEnforcerHello(first.value) : first;
  if (!hello.ok) {
    socket.destroy();
    return hello;
  }
  const deadline =
    timeoutMs === null
      ? undefined
      : setTimeout(() => inbox.stop(`no answer in ${timeoutMs} ms`), timeoutMs);
  const next = async (id: number): Promise<Result<unknown>> => {
    const frame = await inbox.take();
    if (!frame.ok) return frame;
    const response = parseResponse(frame.value);
    if (!response.ok) return response;
    if (response.value.id === id) return response.value.answer;
    return err(failure('host/protocol-invalid', 'the enforcer answered another request'));
  };
  return ok({
    next,
    ask: (request) => {
      socket.write(encodeFrame(request));
      return next(request.id);
    },
    close: () => {
      clearTimeout(deadline);
      socket.destroy();
    },
  });
}

/** Frames in the order of their arrival, then why there are no more. */
class Inbox {
  readonly #socket: Socket;
  readonly #path: string;
  readonly #reader = new FrameReader(LIMITS.enforcerFrameBytesMax);
  readonly #values: unknown[] = [];
  #ended: Result<never> | null = null;
  #wake: (() => void) | null = null;

  constructor(socket: Socket, path: string) {
    this.#socket = socket;
    this.#path = path;
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', (cause: NodeJS.ErrnoException) => this.stop(cause.code ?? cause.message));
    socket.on('end', () => this.stop('it closed the connection'));
    socket.on('close', () => this.stop('the connection is closed'));
  }

  /** The next frame, or why there is none. */
  async take(): Promise<Result<unknown>> {
    while (this.#values.length === 0) {
      if (this.#ended !== null) return this.#ended;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return ok(this.#values.shift());
  }

  /** Ends the connection; what arrived before is still handed out. */
  stop(why: string): void {
    this.#end(
      err(
        failure('host/enforcer-unavailable', `the enforcer at ${this.#path} does not answer`, {
          causes: [why],
          hints: ['check that warder-enforcer runs: its kernel rules stay in force without it'],
        }),
      ),
    );
  }

  #read(chunk: Buffer): void {
    const frames = this.#reader.push(chunk);
    if (!frames.ok) {
      this.#end(frames);
      return;
    }
    this.#values.push(...frames.value);
    this.#wake?.();
  }

  #end(why: Result<never>): void {
    if (this.#ended !== null) return;
    this.#ended = why;
    this.#socket.destroy();
    this.#wake?.();
  }
}
