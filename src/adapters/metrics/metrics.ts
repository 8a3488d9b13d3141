// Metrics as text for node_exporter's textfile collector: no port is opened, and a dead agent shows as
// an old file. Labels are bounded by the code, and every series exists from the start, at 0.
//
// SPDX-License-Identifier: Apache-2.0

import type { Result } from '../../core/result.ts';
import { type AgentStatus, CONDITIONS, type Outcome, type PlaceReport } from '../../core/status.ts';
import type { ReporterPort } from '../../ports.ts';

const OUTCOMES: readonly Outcome['kind'][] = [
  'unchanged',
  'activated',
  'readmitted',
  'held',
  'quarantined',
  'stale',
  'refused',
  'restored',
  'failed',
];

// `sequence` is all; `dropped` were lost, `suppressed` were counted only.
const EVENTS = ['sequence', 'denied', 'audited', 'incomplete', 'dropped', 'suppressed'] as const;

/** Reports as one text with all series; `write` replaces the file as a whole. */
export function metricsReporter(write: (text: string) => Result<void>): ReporterPort {
  const polls = new Map(OUTCOMES.map((kind) => [kind, 0]));
  let durationMs = 0;
  return {
    report: async (status, outcome) => {
      if (outcome !== null) {
        polls.set(outcome.kind, (polls.get(outcome.kind) ?? 0) + 1);
        durationMs += outcome.durationMs;
      }
      return write(render(status, polls, durationMs));
    },
  };
}

function render(
  status: AgentStatus,
  polls: ReadonlyMap<string, number>,
  durationMs: number,
): string {
  const enforced = status.enforced?.kind === 'bundle' ? status.enforced : null;
  const head = status.head?.last ?? null;
  const issuedMs = head === null ? 0 : Date.parse(head.issuedAt);
  const expiresMs = enforced === null ? 0 : Date.parse(enforced.bundle.expires);
  const text = [
    series('polls_total', 'counter', 'Polls by how they ended.', 'outcome', [...polls]),
    series('poll_duration_seconds_total', 'counter', 'Time spent in polls.', null, [
      ['', durationMs / 1000],
    ]),
    series(
      'condition',
      'gauge',
      'Conditions: 1 true, 0 false or unknown.',
      'type',
      CONDITIONS.map((type) => {
        const is = status.conditions.find((it) => it.type === type)?.status === 'True';
        return [type, is ? 1 : 0] as const;
      }),
    ),
    series(
      'events_total',
      'counter',
      'Decisions that were no plain allow, since the programs loaded.',
      'kind',
      EVENTS.map((kind) => [kind, status.events?.[kind] ?? 0] as const),
    ),
    gauge('enforced_version', 'Version of the enforced bundle.', enforced?.bundle.version ?? 0),
    gauge('enforced_generation', 'Generation in the kernel.', enforced?.generation ?? 0),
    gauge('enforced_expires_seconds', 'When the enforced bundle expires.', expiresMs / 1000),
    gauge('floor_version', 'Highest version ever admitted.', status.floor?.highestSeen ?? 0),
    gauge('head_version', 'Version that the newest accepted head names.', head?.version ?? 0),
    gauge('head_issued_seconds', 'When the newest accepted head was made.', issuedMs / 1000),
    gauge('quarantine_digests', 'Digests that failed and are kept out.', status.quarantine.length),
    ...(status.places === undefined ? [] : [placesAnswered(status.places)]),
    gauge('status_time_seconds', 'When this was written.', Date.parse(status.at) / 1000),
    gauge('last_request_success_seconds', 'Last answer of the registry.', seconds(status)),
  ];
  return `${text.join('\n')}\n`;
}

function placesAnswered(places: readonly PlaceReport[]): string {
  const help = 'The reference (0) and its mirrors: 1 when the last answer could be used.';
  const values = places.map(({ state }, at) => [String(at), state === 'answered' ? 1 : 0] as const);
  return series('place_answered', 'gauge', help, 'place', values);
}

function seconds({ lastSuccessfulRequestAt: at }: AgentStatus): number {
  return at === null ? 0 : Date.parse(at) / 1000;
}

function gauge(name: string, help: string, value: number): string {
  return series(name, 'gauge', help, null, [['', value]]);
}

function series(
  name: string,
  type: 'counter' | 'gauge',
  help: string,
  label: string | null,
  values: readonly (readonly [string, number])[],
): string {
  const lines = values.map(([of, value]) =>
    label === null ? `warder_${name} ${value}` : `warder_${name}{${label}="${of}"} ${value}`,
  );
  return [`# HELP warder_${name} ${help}`, `# TYPE warder_${name} ${type}`, ...lines].join('\n');
}
