// EnforcerPort over the Unix socket, for the agent and the command line. One connection per request:
// a restart of the enforcer between two requests is then no special case. Whatever the other side
// answers is checked against the shape of the request before it is believed.
//
// SPDX-License-Identifier: Apache-2.0

import type { DecisionEvent } from '../../core/enforcement.ts';
import type { Result } from '../../core/result.ts';
import type { EnforcerPort } from '../../ports.ts';
import { recordBytesShape, recordLinesShape } from '../../wire/decision-record.ts';
import { encodeBundle, encodeBytes, parse, type Shape } from '../../wire/protocol.ts';
import {
  bytes,
  canaryShape,
  enforcedShape,
  eventShape,
  eventsShape,
  glassListShape,
  glassRequestShape,
  glassShape,
  headShape,
  maybeEventShape,
  statusShape,
  trustPreviewShape,
  trustReportShape,
} from '../../wire/protocol-shapes.ts';
import { connect } from './connection.ts';

/** Where the enforcer listens, and how long its answers may take. */
export interface EnforcerClientOptions {
  readonly socketPath: string;
  /** Name and version of this program, for the enforcer's log. */
  readonly client: string;
  readonly replyTimeoutMs: number;
  /** Verification and filling a generation take longer than a question. */
  readonly activateTimeoutMs: number;
  /** The source that is asked about where nobody names one; absent: the main one. */
  readonly source?: string;
}

/** Makes the port. Nothing is opened before the first request. */
export function connectEnforcer(options: EnforcerClientOptions): EnforcerPort {
  const ask = async <T>(
    shape: Shape<T>,
    request: Record<string, unknown>,
    timeoutMs: number = options.replyTimeoutMs,
  ): Promise<Result<T>> => {
    const connection = await connect(options, timeoutMs);
    if (!connection.ok) return connection;
    try {
      const answer = await connection.value.ask({ id: 1, ...request });
      return answer.ok ? parse(shape, answer.value) : answer;
    } finally {
      connection.value.close();
    }
  };
  const change = options.activateTimeoutMs;
  const mine = options.source;
  return {
    status: (source = mine) => ask(statusShape, { request: 'status', source }),
    activate: (bundle) =>
      ask(enforcedShape, { request: 'activate', bundle: encodeBundle(bundle) }, change),
    head: (statements, source = mine) =>
      ask(headShape, { request: 'head', statements: statements.map(encodeBytes), source }, change),
    trust: (statements, force) => {
      const request = force ? 'force-trust' : 'trust';
      return ask(trustReportShape, { request, statements: statements.map(encodeBytes) }, change);
    },
    previewTrust: (document) => {
      const request = { request: 'preview-trust', document: encodeBytes(document) };
      return ask(trustPreviewShape, request, change);
    },
    readTrust: () => ask(bytes, { request: 'read-trust' }),
    probe: () => ask(canaryShape, { request: 'probe' }, change),
    confirm: (digest) => ask(enforcedShape, { request: 'confirm', digest }, change),
    restore: (reason, source = mine) =>
      ask(enforcedShape, { request: 'restore', reason, source }, change),
    rollback: (by, reason, source = mine) =>
      ask(enforcedShape, { request: 'rollback', by, reason, source }, change),
    removeSource: (name, by) => ask(enforcedShape, { request: 'remove-source', name, by }, change),
    resume: (by) => ask(enforcedShape, { request: 'resume', by }, change),
    disable: (by, reason, order) => {
      const encoded = order?.map(encodeBytes) ?? null;
      return ask(enforcedShape, { request: 'disable', by, reason, order: encoded }, change);
    },
    askGlass: () => ask(glassRequestShape, { request: 'ask-glass' }),
    useGlass: (statements, by) =>
      ask(
        glassShape,
        { request: 'use-glass', statements: statements.map(encodeBytes), by },
        change,
      ),
    endGlass: (by) => ask(glassShape, { request: 'end-glass', by }),
    listGlass: () => ask(glassListShape, { request: 'list-glass' }),
    events: (query) => ask(eventsShape, { request: 'events', ...query }),
    event: (eventId) => ask(maybeEventShape, { request: 'event', eventId }),
    records: (limit) => ask(recordLinesShape, { request: 'records', limit }),
    record: (recordId) => ask(recordBytesShape, { request: 'record', recordId }),
    followEvents: (signal) => follow(options, signal),
  };
}

async function* follow(
  options: EnforcerClientOptions,
  signal: AbortSignal,
): AsyncIterable<Result<DecisionEvent>> {
  const connection = await connect(options, null, signal);
  if (!connection.ok) {
    if (!signal.aborted) yield connection;
    return;
  }
  try {
    let answer = await connection.value.ask({ id: 1, request: 'follow' });
    while (!signal.aborted) {
      if (!answer.ok) {
        yield answer;
        return;
      }
      yield parse(eventShape, answer.value);
      answer = await connection.value.next(1);
    }
  } finally {
    connection.value.close();
  }
}
