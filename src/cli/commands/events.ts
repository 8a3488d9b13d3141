// `warder events [--follow]`: what was denied or would have been. JSON is one document per line when
// following, one document otherwise.
//
// SPDX-License-Identifier: Apache-2.0

import type { DecisionEvent, SuppressedEvents } from '../../core/enforcement.ts';
import { escapeText } from '../../core/text.ts';
import type { EnforcerPort } from '../../ports.ts';
import type { Io } from '../io.ts';
import { done, failed, type Json, type Outcome } from '../outcome.ts';
import { CLI_API_VERSION, jsonLine, type OutputFormat } from '../render.ts';

export interface EventsOptions {
  readonly follow: boolean;
  readonly limit: number;
  readonly after?: string;
}

/** Lists the newest events, or streams new ones until the signal aborts. */
export async function events(
  enforcer: EnforcerPort,
  io: Io,
  format: OutputFormat,
  options: EventsOptions,
): Promise<Outcome> {
  if (options.follow) return follow(enforcer, io, format);
  const found = await enforcer.events({
    limit: options.limit,
    ...(options.after === undefined ? {} : { after: options.after }),
  });
  if (!found.ok) return failed('Events', [found.error]);
  const status = await enforcer.status();
  if (!status.ok) return failed('Events', [status.error]);
  const { suppressed } = status.value;
  const lines = [...found.value.map(eventLine), ...suppressed.map(suppressedLine)];
  const document = {
    events: found.value as unknown as Json,
    suppressed: suppressed as unknown as Json,
  };
  return done('Events', document, lines.length === 0 ? 'no events' : lines.join('\n'));
}

async function follow(enforcer: EnforcerPort, io: Io, format: OutputFormat): Promise<Outcome> {
  for await (const next of enforcer.followEvents(io.signal)) {
    if (!next.ok) return failed('Events', [next.error]);
    io.out(
      format === 'json'
        ? jsonLine({ apiVersion: CLI_API_VERSION, kind: 'Event', event: next.value })
        : `${eventLine(next.value)}\n`,
    );
  }
  return done('EventsEnd', {}, '');
}

const WORDS = { deny: 'DENIED', audit: 'AUDIT ', let: 'LET   ' } as const;

function suppressedLine(it: SuppressedEvents): string {
  const action = WORDS[it.action];
  const rule = it.rule === null ? it.reason : escapeText(it.rule);
  return `${it.lastAt} ${action} ${it.count} more by rule ${rule} since ${it.firstAt}, counted only`;
}

/** One event in one line; `warder explain ID` tells the rest. */
export function eventLine(event: DecisionEvent): string {
  const { process, object } = event;
  const action = WORDS[event.action];
  const token = event.breakGlass === null ? '' : `, break-glass ${event.breakGlass}`;
  return (
    `${event.at} ${action} ${event.operation ?? event.hook} ${escapeText(object.path)} ` +
    `by ${escapeText(process.comm)}[${process.tgid}] uid ${process.uid}, ` +
    `rule ${event.rule === null ? event.reason : escapeText(event.rule)}${token}, event ${event.id}`
  );
}
