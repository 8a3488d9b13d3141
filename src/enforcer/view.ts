// What the enforcer tells about itself.
//
// SPDX-License-Identifier: Apache-2.0

import type {
  Enforced,
  EnforcerStatus,
  EventTotals,
  SelfProtection,
  SourceStatus,
} from '../core/enforcement.ts';
import type { OpenReport } from '../core/enforcer/kernel.ts';
import type { GenerationRow } from '../core/enforcer/startup.ts';
import type { GlassInUse } from '../core/glass.ts';
import type { Failure } from '../core/result.ts';
import { headStatus } from './head.ts';
import type { Prover } from './prover.ts';
import type { SourceOptions, Sources } from './sources.ts';

/** Counts of programs that are not loaded. */
export const NO_TOTALS: EventTotals = {
  sequence: 0,
  emitted: 0,
  dropped: 0,
  denied: 0,
  audited: 0,
  let: 0,
  incomplete: 0,
  suppressed: 0,
};

const SUPPRESSED_SHOWN = 20;

/** A generation as people ask for it, with the bundle of one source. */
export function toEnforced(
  row: GenerationRow | null,
  source: SourceOptions,
  sources: Sources,
): Enforced {
  if (row === null) return { kind: 'nothing' };
  const { generation } = row;
  // A process that died between the commit and its record knows the generation, not the moment.
  const since = row.committedAt ?? new Date(0).toISOString();
  const digest = sources.partOf(row.content, source);
  const bundle = digest === null ? null : (source.store.admitted(digest)?.summary ?? null);
  // What another source waits for is not this one's to confirm.
  const confirmed = row.confirmed || row.changed !== digest;
  if (bundle === null) return { kind: 'baseline', generation, since };
  return { kind: 'bundle', generation, since, bundle, confirmed };
}

/** The whole status. */
export function toStatus(facts: {
  readonly source: SourceOptions;
  readonly sources: Sources;
  readonly row: GenerationRow | null;
  readonly prover: Prover;
  readonly opened: OpenReport;
  readonly selfProtection: SelfProtection;
  readonly totals: EventTotals;
  readonly alerts: readonly Failure[];
  readonly bootId: string;
  readonly breakGlass: GlassInUse | null;
}): EnforcerStatus {
  const { row, opened } = facts;
  const { store, trust, version } = facts.source;
  const lastKnownGood = store.read('lastKnownGood');
  const mine = row === null ? null : facts.sources.partOf(row.content, facts.source);
  return {
    enforced: toEnforced(row, facts.source, facts.sources),
    lastKnownGood: lastKnownGood === null ? null : (store.admitted(lastKnownGood)?.summary ?? null),
    highestSeen: store.read('floor')?.highestSeen ?? null,
    hold: store.read('hold'),
    canary: facts.prover.canary,
    proof: facts.prover.status(),
    hooks: opened.programs.map(({ hook, program, state, detail }) => ({
      hook,
      program,
      state,
      detail,
    })),
    totals: facts.totals,
    suppressed: store.history.suppressed(SUPPRESSED_SHOWN),
    adopted: opened.adopted,
    selfProtection: facts.selfProtection,
    trust: { version: trust.version, fingerprint: trust.fingerprint },
    record: mine === null ? null : store.records.admissionOf(mine),
    head: headStatus(facts.source),
    sources: facts.sources.all.slice(1).map((it) => toSourceStatus(row, it, facts.sources)),
    enforcerVersion: version,
    bootId: facts.bootId,
    disabled: store.read('disabled'),
    breakGlass: facts.breakGlass,
    alerts: facts.alerts,
    demoted: row?.demoted ?? [],
    leftOut: row?.leftOut ?? [],
  };
}

function toSourceStatus(
  row: GenerationRow | null,
  source: SourceOptions,
  sources: Sources,
): SourceStatus {
  const { name, repository, channel, isConfigured, store } = source;
  const good = store.read('lastKnownGood');
  return {
    ...{ name, repository, channel, isConfigured },
    enforced: toEnforced(row, source, sources),
    lastKnownGood: good === null ? null : (store.admitted(good)?.summary ?? null),
    highestSeen: store.read('floor')?.highestSeen ?? null,
    hold: store.read('hold'),
    head: headStatus(source),
  };
}
