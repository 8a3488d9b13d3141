// Events from the ring to people: drain, explain, keep, hand to followers. Canaries that this process
// ran are told apart here, so that a health check is never shown as an incident; a touch of the canary
// directory by anybody else is shown.
//
// Losses are exact: the kernel counts what did not fit, and every rise is kept as an alert.
//
// SPDX-License-Identifier: Apache-2.0

import type { DecisionEvent } from '../core/enforcement.ts';
import type { CanarySighting } from '../core/enforcer/canary.ts';
import {
  type ExplainContext,
  explainDecision,
  type KernelDecision,
  pathInside,
} from '../core/enforcer/explain.ts';
import type { GenerationRow } from '../core/enforcer/startup.ts';
import { CANARY_RULE } from '../core/policy/baseline.ts';
import { ok, type Result } from '../core/result.ts';
import { unpackEvent } from '../wire/abi-events.ts';
import type { KernelPort } from './kernel-port.ts';
import { locate, type Mount } from './mounts.ts';
import type { EnforcerStore } from './store/store.ts';

/** What explaining an event asks of the host. */
export interface EventPumpOptions {
  readonly kernel: Pick<KernelPort, 'drainEvents'>;
  readonly store: EnforcerStore;
  readonly bootId: string;
  readonly pid: number;
  readonly mounts: () => readonly Mount[];
  readonly bootEpochMs: () => number;
  readonly findExe: (tgid: number, startBoottimeNs: bigint) => string | null;
}

const BATCH = 256;
// One turn of the loop: a flood of denials must not keep the process from answering.
const BATCHES_MAX = 64;

/** Moves events out of the kernel. */
export class EventPump {
  readonly #options: EventPumpOptions;
  readonly #followers = new Set<(event: DecisionEvent) => void>();
  readonly #rows = new Map<number, GenerationRow | null>();

  constructor(options: EventPumpOptions) {
    this.#options = options;
  }

  /** Takes what is in the ring; answers this process's own canaries, keeps the rest. */
  drain(): Result<readonly CanarySighting[]> {
    const sightings: CanarySighting[] = [];
    for (let batch = 0; batch < BATCHES_MAX; batch += 1) {
      const records = this.#options.kernel.drainEvents(BATCH);
      if (!records.ok) return records;
      const kept = this.#take(records.value, sightings);
      if (!kept.ok) return kept;
      if (records.value.length < BATCH) break;
    }
    return ok(sightings);
  }

  /** Calls back for every event from now on, until the answer is called. */
  follow(listener: (event: DecisionEvent) => void): () => void {
    this.#followers.add(listener);
    return () => this.#followers.delete(listener);
  }

  #take(records: readonly Uint8Array[], sightings: CanarySighting[]): Result<void> {
    if (records.length === 0) return ok(undefined);
    const mounts = this.#options.mounts();
    const bootEpochMs = this.#options.bootEpochMs();
    const events: DecisionEvent[] = [];
    for (const record of records) {
      const decision = unpackEvent(record);
      // A record of another size belongs to another build's ring; it is counted there.
      if (decision === null) continue;
      const row = this.#rowOf(decision.generation);
      if (this.#isOwnCanary(decision, row)) {
        sightings.push(decision);
        continue;
      }
      const event = explainDecision(decision, this.#context(decision, row, mounts, bootEpochMs));
      if (event !== null) events.push(event);
    }
    const kept = this.#options.store.history.append(events);
    // Followers see an event even if the disk is full: the decision was made either way.
    for (const event of events) for (const listener of this.#followers) listener(event);
    return kept;
  }

  #isOwnCanary(decision: KernelDecision, row: GenerationRow | null): boolean {
    return (
      decision.reason !== 'incomplete' &&
      decision.ppid === this.#options.pid &&
      row?.rules[decision.rule]?.id === CANARY_RULE
    );
  }

  #context(
    decision: KernelDecision,
    row: GenerationRow | null,
    mounts: readonly Mount[],
    bootEpochMs: number,
  ): ExplainContext {
    const { store, bootId } = this.#options;
    const { digest } = row ?? { digest: null };
    return {
      bootId,
      bootEpochMs,
      rules: row?.rules ?? null,
      bundle: digest === null ? null : (store.admitted(digest)?.summary ?? null),
      path: decision.pathCut ? null : locate(mounts, decision.object.dev, pathInside(decision)),
      exe: this.#options.findExe(decision.tgid, decision.startBoottimeNs),
    };
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
