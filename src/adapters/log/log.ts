// Structured log lines on standard error: one per outcome, with a fixed sentence and fields in the words
// of docs/glossary.md. Nothing else in the agent logs above debug.
//
// SPDX-License-Identifier: Apache-2.0

import { type DestinationStream, destination, pino } from 'pino';
import { type Failure, ok } from '../../core/result.ts';
import type { Outcome } from '../../core/status.ts';
import type { ReporterPort } from '../../ports.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

const SENTENCE: Record<Outcome['kind'], readonly [Exclude<LogLevel, 'error'>, string]> = {
  unchanged: ['debug', 'nothing new'],
  activated: ['info', 'candidate enforced'],
  readmitted: ['info', 'enforced bundle admitted again'],
  held: ['warn', 'candidate held'],
  quarantined: ['debug', 'candidate in quarantine'],
  stale: ['warn', 'channel head is stale'],
  refused: ['warn', 'candidate refused'],
  restored: ['warn', 'last known good restored'],
  failed: ['warn', 'poll failed'],
};

/** Reports outcomes as log lines; `to` is standard error unless a test says otherwise. */
export function logReporter(level: LogLevel, to: DestinationStream = destination(2)): ReporterPort {
  const log = createLog(level, to);
  return {
    report: async (_status, outcome) => {
      if (outcome === null) return ok(undefined);
      const [how, sentence] = SENTENCE[outcome.kind];
      log[how](toFields(outcome), sentence);
      return ok(undefined);
    },
  };
}

/** Writes a failure that belongs to no poll, as a warning with a fixed sentence. */
export function failureLog(level: LogLevel, sentence: string): (why: Failure) => void {
  const log = createLog(level, destination(2));
  return (why) => log.warn({ code: why.code, failures: [toLine(why)] }, sentence);
}

function createLog(level: LogLevel, to: DestinationStream) {
  return pino({ level, base: null, timestamp: () => `,"time":"${new Date().toISOString()}"` }, to);
}

function toFields(outcome: Outcome) {
  const { stage, digest, version, failures, durationMs } = outcome;
  return {
    stage,
    digest,
    version,
    duration_ms: durationMs,
    ...(failures.length === 0 ? {} : { code: failures[0]?.code, failures: failures.map(toLine) }),
  };
}

function toLine({ code, message, causes }: Failure): string {
  return [`${code}: ${message}`, ...causes].join('; ');
}
