// What the enforcer tells about itself.
//
// SPDX-License-Identifier: Apache-2.0

import type { Enforced, EnforcerStatus, EventTotals, SelfProtection } from '../core/enforcement.ts';
import type { OpenReport } from '../core/enforcer/kernel.ts';
import type { GenerationRow } from '../core/enforcer/startup.ts';
import type { GlassInUse } from '../core/glass.ts';
import type { Failure } from '../core/result.ts';
import type { AdmissionOptions } from './admission.ts';
import { headStatus } from './head.ts';
import type { Prover } from './prover.ts';
import type { EnforcerStore } from './store/store.ts';

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

/** A generation as people ask for it. */
export function toEnforced(row: GenerationRow | null, store: EnforcerStore): Enforced {
  if (row === null) return { kind: 'nothing' };
  const { generation, confirmed } = row;
  // A process that died between the commit and its record knows the generation, not the moment.
  const since = row.committedAt ?? new Date(0).toISOString();
  const bundle = row.digest === null ? null : (store.admitted(row.digest)?.summary ?? null);
  if (bundle === null) return { kind: 'baseline', generation, since };
  return { kind: 'bundle', generation, since, bundle, confirmed };
}

/** The whole status. */
export function toStatus(facts: {
  readonly admission: AdmissionOptions;
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
  const { store, trust, version } = facts.admission;
  const lastKnownGood = store.read('lastKnownGood');
  return {
    enforced: toEnforced(row, store),
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
    record: row?.digest == null ? null : store.records.admissionOf(row.digest),
    head: headStatus(facts.admission),
    enforcerVersion: version,
    bootId: facts.bootId,
    disabled: store.read('disabled'),
    breakGlass: facts.breakGlass,
    alerts: facts.alerts,
    demoted: row?.demoted ?? [],
  };
}
