// Asks the kernel for the attach proof and remembers the last answer with its age. What it means is
// judged in core/enforcer/proof.ts. A change of what is enforced makes the last answer worthless.
//
// SPDX-License-Identifier: Apache-2.0

import type { Digest } from '../core/digest.ts';
import type { CanaryReport, ProofReport, ProofStatus } from '../core/enforcement.ts';
import { applyProof } from '../core/enforcer/hooks.ts';
import type { KernelProgram, ProgramProof } from '../core/enforcer/kernel.ts';
import { judgeProof, unanswered } from '../core/enforcer/proof.ts';
import type { GenerationRow } from '../core/enforcer/startup.ts';
import { type Failure, ok, type Result } from '../core/result.ts';
import { jitteredMs } from '../core/schedule.ts';
import type { ClockPort } from '../ports.ts';
import { digestPacked } from '../wire/abi.ts';
import { runCanaries } from './canary.ts';
import type { EventPump } from './events.ts';
import type { Generations } from './generations.ts';
import type { KernelPort } from './kernel-port.ts';

/** What proving needs. */
export interface ProverOptions {
  readonly kernel: KernelPort;
  readonly pump: EventPump;
  readonly generations: Generations;
  readonly clock: ClockPort;
  /** Milliseconds since boot: unlike the clock it only moves on. */
  readonly uptimeMs: () => number;
  readonly periodMs: number;
  /** Called with every reason that the proof before did not have. */
  readonly tell: (reason: Failure) => void;
  /** Called with every proof, and with null when a change made the last one worthless. */
  readonly publish: (report: ProofReport | null) => void;
}

/** One proof, and what it showed of programs and canaries. */
export interface Proven {
  readonly report: ProofReport;
  readonly programs: readonly KernelProgram[];
  /** Null when no canary could be run. */
  readonly canary: CanaryReport | null;
}

/** Proves, and knows how old the last proof is. */
export class Prover {
  readonly #options: ProverOptions;
  #last: { readonly proven: Proven; readonly uptimeMs: number } | null = null;
  #told: ReadonlySet<string> = new Set();

  constructor(options: ProverOptions) {
    this.#options = options;
  }

  /** The canaries of the last proof; null after a change. */
  get canary(): CanaryReport | null {
    return this.#last?.proven.canary ?? null;
  }

  /** The last proof with its age; null after a change. */
  status(): ProofStatus | null {
    if (this.#last === null) return null;
    const { uptimeMs, periodMs } = this.#options;
    const ageMs = Math.max(0, Math.round(uptimeMs() - this.#last.uptimeMs));
    return { ...this.#last.proven.report, ageMs, periodMs };
  }

  /** What is enforced changed: nothing is proven until the next proof. */
  forget(): void {
    this.#last = null;
    this.#options.publish(null);
  }

  /** Asks everything once. The programs are those of the open handle. */
  prove(programs: readonly KernelProgram[]): Proven {
    const { kernel, clock, uptimeMs } = this.#options;
    const at = new Date(clock.nowMs()).toISOString();
    const missed: Failure[] = [];
    // Part by part: one that gives no answer must not keep the others from being asked.
    const answer = <T>(part: string, result: Result<T>): T | undefined => {
      if (!result.ok) missed.push(unanswered(part, result.error));
      return result.ok ? result.value : undefined;
    };
    const proof = answer('the attach proof', kernel.proof());
    const known = proof === undefined ? programs : applyProof(programs, proof.programs);
    const committed = answer('the committed generation', kernel.committed());
    const row = committed == null ? null : this.#options.generations.rowOf(committed);
    const heldDigest = row && answer('the committed maps', this.#heldDigest(row));
    const canary = row ? answer('the canaries', this.#tryCanaries(row, known, at)) : undefined;
    const facts = {
      lsm: kernel.probeHost().lsm,
      row,
      committed,
      recorded: this.#options.generations.recorded(),
      heldDigest,
      programs: proof?.programs.filter((it) => it.idle || isExpected(it, known)),
      maps: proof?.maps ?? [],
      canary,
      unanswered: missed,
    };
    const report = judgeProof(facts, at);
    // A canary report stands for the whole proof where somebody asks for nothing else.
    const healthy = report.state === 'proven';
    const proven = {
      report,
      programs: known,
      canary: canary === undefined ? null : { ...canary, healthy },
    };
    this.#last = { proven, uptimeMs: uptimeMs() };
    this.#tellNew(report.reasons);
    this.#options.publish(report);
    return proven;
  }

  /** Calls `prove` once per period until the signal aborts. */
  async repeat(prove: () => Promise<unknown>, signal: AbortSignal): Promise<void> {
    const { clock, periodMs } = this.#options;
    while (!signal.aborted) {
      await clock.sleep(jitteredMs(periodMs, clock.random()), signal);
      if (!signal.aborted) await prove();
    }
  }

  #heldDigest(row: GenerationRow): Result<Digest | null> {
    const held = this.#options.kernel.readBack(row.bank);
    return held.ok ? ok(held.value === null ? null : digestPacked(held.value)) : held;
  }

  #tryCanaries(row: GenerationRow, programs: readonly KernelProgram[], at: string) {
    return runCanaries(row, programs, this.#options.kernel, this.#options.pump, at);
  }

  #tellNew(reasons: readonly Failure[]): void {
    for (const reason of reasons) {
      if (!this.#told.has(reason.message)) this.#options.tell(reason);
    }
    this.#told = new Set(reasons.map((it) => it.message));
  }
}

// A program that this kernel refused or does not have is no part of the proof; rules that need it were
// refused or demoted when their generation was made.
function isExpected(proof: ProgramProof, programs: readonly KernelProgram[]): boolean {
  const program = programs.find((it) => it.program === proof.program);
  return program?.state === 'attached' || program?.state === 'detached';
}
