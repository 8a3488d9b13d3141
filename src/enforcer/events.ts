// Events from the rings to people: drain, explain, keep, hand to followers. Canaries that this process
// ran are told apart here, so that a health check is never shown as an incident; a touch of the canary
// directory by anybody else is shown.
//
// Losses are exact: the kernel counts what did not fit, and every rise is kept as an alert. In a flood
// only as many events are explained as explain-budget.ts grants; the rest is counted by rule. And one
// turn ends after a moment, so that a flood costs events and never the process.
//
// SPDX-License-Identifier: Apache-2.0

import type { Digest } from '../core/digest.ts';
import type { DecisionEvent } from '../core/enforcement.ts';
import type { CanarySighting } from '../core/enforcer/canary.ts';
import {
  type ExplainContext,
  explainDecision,
  type KernelDecision,
  pathInside,
  toIso,
} from '../core/enforcer/explain.ts';
import type { GenerationRow } from '../core/enforcer/startup.ts';
import { CANARY_RULE } from '../core/policy/baseline.ts';
import { sourceOfRule } from '../core/policy/sources.ts';
import { ok, type Result } from '../core/result.ts';
import { type EventGlimpse, glimpseEvent, unpackEvent } from '../wire/abi-events.ts';
import { ExplainBudget, type ExplainRates } from './explain-budget.ts';
import type { KernelPort } from './kernel-port.ts';
import { locate, type Mount } from './mounts.ts';
import type { EnforcerStore } from './store/store.ts';
import type { Suppressed } from './store/tally.ts';

/** What explaining an event asks of the host. */
export interface EventPumpOptions {
  readonly kernel: Pick<KernelPort, 'drainEvents'>;
  readonly store: EnforcerStore;
  readonly bootId: string;
  readonly pid: number;
  readonly rates: ExplainRates;
  readonly mounts: () => readonly Mount[];
  readonly bootEpochMs: () => number;
  /** Never set back. */
  readonly uptimeMs: () => number;
  readonly findExe: (tgid: number, startBoottimeNs: bigint) => string | null;
}

const BATCH = 256;
// One turn of the loop; the rings are read again at the next, and what did not fit is counted.
const TURN_MS = 40;

/** What one turn took. */
interface Turn {
  readonly sightings: CanarySighting[];
  readonly events: DecisionEvent[];
  readonly groups: Map<string, Suppressed>;
  readonly bootEpochMs: number;
  readonly nowMs: number;
  unread: number;
  /** Read when the first event is explained. */
  around: { readonly mounts: readonly Mount[]; readonly rings: number } | null;
}

/** Moves events out of the kernel. */
export class EventPump {
  readonly #options: EventPumpOptions;
  readonly #budget: ExplainBudget;
  readonly #followers = new Set<(event: DecisionEvent) => void>();
  readonly #rows = new Map<number, GenerationRow | null>();

  constructor(options: EventPumpOptions) {
    this.#options = options;
    this.#budget = new ExplainBudget(options.rates, options.uptimeMs());
  }

  /** Takes what is in the rings; answers this process's own canaries, keeps or counts the rest. */
  drain(): Result<readonly CanarySighting[]> {
    const { kernel, uptimeMs, bootEpochMs } = this.#options;
    const turn: Turn = {
      sightings: [],
      events: [],
      groups: new Map(),
      bootEpochMs: bootEpochMs(),
      nowMs: uptimeMs(),
      unread: 0,
      around: null,
    };
    let refused: Result<never> | null = null;
    for (let last = BATCH; last === BATCH && uptimeMs() - turn.nowMs < TURN_MS; ) {
      const records = kernel.drainEvents(BATCH);
      if (!records.ok) refused = records;
      last = records.ok ? records.value.length : 0;
      if (records.ok) for (const record of records.value) this.#take(record, turn);
    }
    const kept = this.#keep(turn);
    return refused ?? (kept.ok ? ok(turn.sightings) : kept);
  }

  /** Calls back for every explained event from now on, until the answer is called. */
  follow(listener: (event: DecisionEvent) => void): () => void {
    this.#followers.add(listener);
    return () => this.#followers.delete(listener);
  }

  #take(record: Uint8Array, turn: Turn): void {
    const glimpse = glimpseEvent(record);
    const { action = null, reason = null } = glimpse ?? {};
    if (glimpse === null || reason === null || action === null || action === 'allow') {
      // Another build's ring, or nothing that a program of ours writes.
      turn.unread += 1;
      return;
    }
    const row = this.#rowOf(glimpse.generation);
    const isCanary = this.#isOwnCanary(glimpse, row);
    const key = `${glimpse.generation} ${action} ${reason} ${glimpse.rule}`;
    if (!isCanary && !this.#budget.take(key, turn.nowMs)) {
      countSuppressed(turn, key, { ...glimpse, action, reason }, row);
      return;
    }
    const decision = unpackEvent(record);
    if (decision === null) return;
    if (isCanary) turn.sightings.push(decision);
    else {
      const event = explainDecision(decision, this.#context(decision, row, turn));
      if (event !== null) turn.events.push(event);
    }
  }

  #keep({ events, groups, sightings, unread }: Turn): Result<void> {
    if (events.length + groups.size + sightings.length + unread === 0) return ok(undefined);
    const kept = this.#options.store.history.append({
      events,
      suppressed: [...groups.values()],
      canaries: sightings.length,
      unread,
    });
    // Followers see an event even if the disk is full: the decision was made either way.
    for (const event of events) for (const listener of this.#followers) listener(event);
    return kept;
  }

  #isOwnCanary({ reason, ppid, rule }: EventGlimpse, row: GenerationRow | null): boolean {
    return (
      reason !== 'incomplete' && ppid === this.#options.pid && row?.rules[rule]?.id === CANARY_RULE
    );
  }

  #context(decision: KernelDecision, row: GenerationRow | null, turn: Turn): ExplainContext {
    const { store, bootId } = this.#options;
    const digest = row === null ? null : this.#bundleOf(decision, row);
    turn.around ??= {
      mounts: this.#options.mounts(),
      rings: store.history.tally().rings,
    };
    const { mounts, rings } = turn.around;
    return {
      bootId,
      rings,
      bootEpochMs: turn.bootEpochMs,
      rules: row?.rules ?? null,
      bundle: digest === null ? null : (store.admitted(digest)?.summary ?? null),
      path: decision.pathCut ? null : locate(mounts, decision.object.dev, pathInside(decision)),
      exe: this.#options.findExe(decision.tgid, decision.startBoottimeNs),
    };
  }

  // Of the source whose rule decided; what no rule decided is told with the first one.
  #bundleOf({ reason, rule }: KernelDecision, { content, rules }: GenerationRow): Digest | null {
    const named = reason === 'rule' || reason === 'refer' ? rules[rule] : undefined;
    const source = sourceOfRule(named?.id ?? '');
    const { store } = this.#options;
    return content.find((it) => store.admitted(it)?.source === source) ?? content[0] ?? null;
  }

  #rowOf(generation: number): GenerationRow | null {
    const cached = this.#rows.get(generation);
    if (cached !== undefined) return cached;
    const row = this.#options.store.generations.get(generation);
    // Rows do not change in what explains an event; a handful of generations live at one time.
    if (row !== null) this.#rows.set(generation, row);
    return row;
  }
}

function countSuppressed(
  turn: Turn,
  key: string,
  of: Pick<Suppressed, 'action' | 'reason' | 'generation'> & EventGlimpse,
  row: GenerationRow | null,
): void {
  const at = toIso(turn.bootEpochMs, of.boottimeNs);
  const known = turn.groups.get(key);
  if (known !== undefined) {
    turn.groups.set(key, { ...known, count: known.count + 1, lastAt: at });
    return;
  }
  const { action, reason, generation } = of;
  const named = reason === 'rule' || reason === 'refer' ? row?.rules[of.rule] : undefined;
  const rule = named?.id ?? null;
  turn.groups.set(key, { rule, action, reason, generation, count: 1, firstAt: at, lastAt: at });
}
