// One connection: handshake, then requests one after the other. The role is fixed by the kernel's
// answer about the peer before the first byte is read. Anything that does not fit ends the connection
// with a reason; nothing that a peer sends can throw.
//
// SPDX-License-Identifier: Apache-2.0

import type { Socket } from 'node:net';
import type { RecordBytes } from '../core/decision/record.ts';
import { checkRole, type Role } from '../core/enforcer/roles.ts';
import { LIMITS } from '../core/limits.ts';
import { err, type Failure, failure, ok, type Result, unreachable } from '../core/result.ts';
import { escapeAndCut } from '../core/text.ts';
import type { EnforcerPort } from '../ports.ts';
import { encodeFrame, FrameReader } from '../wire/frame.ts';
import {
  encodeBytes,
  PROTOCOL_VERSION,
  parseClientHello,
  parseRequest,
  type Request,
} from '../wire/protocol.ts';

/** Bounds of one connection. */
export interface SessionLimits {
  /** From the connection to its handshake, and from the first byte of a frame to its last. */
  readonly frameMs: number;
  /** Without a request. */
  readonly idleMs: number;
  /** Unsent bytes of a follower that does not read. */
  readonly unsentBytesMax: number;
}

/** What a session serves, and for whom. */
export interface SessionContext {
  readonly enforcer: EnforcerPort;
  readonly role: Role;
  readonly uid: number;
  readonly enforcerVersion: string;
  readonly limits: SessionLimits;
  /** A request threw: a bug. Who asked has been told already. */
  readonly onBug: (cause: unknown) => void;
}

const BUG_TEXT_MAX = 500;
const SMALL_FRAME_BYTES_MAX = 64 * 1024;

/** Serves a connection until it ends; resolves when it has ended. */
export function serveSession(socket: Socket, context: SessionContext): Promise<void> {
  return new Promise((resolve) => {
    const session = new Session(socket, context);
    socket.on('data', (chunk: Buffer) => session.take(chunk));
    // A peer that vanishes is no event for anybody; `close` follows in any case.
    socket.on('error', () => socket.destroy());
    socket.on('end', () => socket.end());
    socket.on('close', () => {
      session.end();
      resolve();
    });
  });
}

class Session {
  readonly #socket: Socket;
  readonly #context: SessionContext;
  readonly #reader = new FrameReader(SMALL_FRAME_BYTES_MAX);
  readonly #ended = new AbortController();
  #greeted = false;
  #waiting: Request[] = [];
  #busy = false;
  #timer: NodeJS.Timeout;

  constructor(socket: Socket, context: SessionContext) {
    this.#socket = socket;
    this.#context = context;
    this.#timer = this.#arm(context.limits.frameMs);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#ended.abort();
    this.#waiting = [];
  }

  take(chunk: Buffer): void {
    if (this.#ended.signal.aborted) return;
    const wasInside = this.#reader.isInside;
    const frames = this.#reader.push(chunk);
    if (!frames.ok) {
      this.#close(frames.error);
      return;
    }
    for (const value of frames.value) {
      const problem = this.#greeted ? this.#request(value) : this.#greet(value);
      if (problem !== null) {
        this.#close(problem);
        return;
      }
    }
    // A frame that trickles keeps the deadline it began with.
    if (!wasInside || frames.value.length > 0) this.#rearm();
  }

  #greet(value: unknown): Failure | null {
    const hello = parseClientHello(value);
    if (!hello.ok) return hello.error;
    this.#greeted = true;
    const { role, enforcerVersion } = this.#context;
    // Only those who may activate get room for a bundle.
    if (role === 'root' || role === 'agent') this.#reader.allow(LIMITS.enforcerFrameBytesMax);
    this.#send({ hello: { protocol: PROTOCOL_VERSION, enforcer: enforcerVersion, role } });
    return null;
  }

  #request(value: unknown): Failure | null {
    const request = parseRequest(value);
    if (!request.ok) return request.error;
    // A peer that sends faster than it is answered holds bundles in memory: one at a time is enough.
    if (this.#waiting.length >= 1) {
      return failure('host/protocol-invalid', 'requests are sent one after the other');
    }
    this.#waiting.push(request.value);
    if (!this.#busy) void this.#work();
    return null;
  }

  async #work(): Promise<void> {
    this.#busy = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      try {
        await this.#serve(next);
      } catch (cause) {
        // The agent must hear it, or it would send the same bundle again after the restart.
        this.#answer(next.id, err(toFailure(next, cause)));
        this.#context.onBug(cause);
      }
    }
    this.#busy = false;
    this.#rearm();
  }

  async #serve(next: Request): Promise<void> {
    const allowed = checkRole(this.#context.role, next.request);
    if (!allowed.ok) this.#answer(next.id, allowed);
    else if (next.request === 'follow') await this.#follow(next.id);
    else this.#answer(next.id, await perform(next, this.#context));
  }

  async #follow(id: number): Promise<void> {
    clearTimeout(this.#timer);
    for await (const event of this.#context.enforcer.followEvents(this.#ended.signal)) {
      if (this.#ended.signal.aborted) return;
      this.#answer(id, event);
      if (this.#socket.writableLength > this.#context.limits.unsentBytesMax) {
        this.#close(failure('host/protocol-invalid', 'the follower does not read'));
        return;
      }
    }
  }

  #answer(id: number, result: Result<unknown>): void {
    this.#send(
      result.ok ? { id, ok: true, value: result.value } : { id, ok: false, failure: result.error },
    );
  }

  #send(value: unknown): void {
    if (!this.#ended.signal.aborted && this.#socket.writable) {
      this.#socket.write(encodeFrame(value));
    }
  }

  #close(why: Failure): void {
    this.#send({ closing: why });
    this.end();
    this.#socket.end();
    // A peer that never reads must not keep the connection.
    const last = setTimeout(() => this.#socket.destroy(), this.#context.limits.frameMs);
    this.#socket.once('close', () => clearTimeout(last));
  }

  #rearm(): void {
    clearTimeout(this.#timer);
    if (this.#busy || this.#ended.signal.aborted) return;
    const { frameMs, idleMs } = this.#context.limits;
    this.#timer = this.#arm(this.#reader.isInside || !this.#greeted ? frameMs : idleMs);
  }

  #arm(ms: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.#close(failure('host/protocol-invalid', 'the peer took too long'));
    }, ms);
  }
}

function toFailure({ request }: Request, cause: unknown): Failure {
  const told = cause instanceof Error ? cause.message : String(cause);
  return failure('host/enforcer-failed', `a bug ended the request ${request}`, {
    causes: [escapeAndCut(told, BUG_TEXT_MAX)],
    hints: ['the journal of warder-enforcer has the stack'],
  });
}

/** What a request asks of the enforcer. The name of who asks is completed by what the kernel knows. */
async function perform(
  request: Exclude<Request, { request: 'follow' }>,
  { enforcer, uid }: SessionContext,
): Promise<Result<unknown>> {
  switch (request.request) {
    case 'status':
      return enforcer.status(request.source);
    case 'activate':
      return enforcer.activate(request.bundle);
    case 'head':
      return enforcer.head(request.statements, request.source);
    case 'trust':
      return enforcer.trust(request.statements, false);
    case 'force-trust':
      return enforcer.trust(request.statements, true);
    case 'preview-trust':
      return enforcer.previewTrust(request.document);
    case 'read-trust':
      return encodeAnswer(await enforcer.readTrust());
    case 'probe':
      return enforcer.probe();
    case 'confirm':
      return enforcer.confirm(request.digest);
    case 'restore':
      return enforcer.restore(request.reason, request.source);
    case 'rollback':
      return enforcer.rollback(`${request.by} (uid ${uid})`, request.reason, request.source);
    case 'resume':
      return enforcer.resume(`${request.by} (uid ${uid})`);
    case 'remove-source':
      return enforcer.removeSource(request.name, `${request.by} (uid ${uid})`);
    case 'disable':
      return enforcer.disable(`${request.by} (uid ${uid})`, request.reason, request.order);
    case 'ask-glass':
      return enforcer.askGlass();
    case 'use-glass':
      return enforcer.useGlass(request.statements, `${request.by} (uid ${uid})`);
    case 'end-glass':
      return enforcer.endGlass(`${request.by} (uid ${uid})`);
    case 'list-glass':
      return enforcer.listGlass();
    case 'events':
      return enforcer.events({
        limit: request.limit,
        ...(request.after === undefined ? {} : { after: request.after }),
      });
    case 'event':
      return enforcer.event(request.eventId);
    case 'records':
      return enforcer.records(request.limit);
    case 'record':
      return encodeRecordAnswer(await enforcer.record(request.recordId));
    default:
      return unreachable(request);
  }
}

function encodeRecordAnswer(answer: Result<RecordBytes | null>): Result<unknown> {
  if (!answer.ok || answer.value === null) return answer;
  const { record, blobs } = answer.value;
  return ok({ record: encodeBytes(record), blobs: blobs.map(encodeBytes) });
}

function encodeAnswer(answer: Result<Uint8Array>): Result<string> {
  return answer.ok ? { ok: true, value: encodeBytes(answer.value) } : answer;
}
