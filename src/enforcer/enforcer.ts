// The privileged side of EnforcerPort: one change at a time, each a short list of effects whose order
// is the point. What is enforced is always asked of the kernel, never remembered.
//
// Invariants: a generation that nobody confirmed inside its window is replaced by the last-known-good,
// with no request from anybody; confirming needs canaries that this process saw denied; a rollback is
// written down before it is carried out.
//
// SPDX-License-Identifier: Apache-2.0

import type { BundleBytes } from '../core/bundle.ts';
import type { Digest } from '../core/digest.ts';
import type {
  CanaryReport,
  DecisionEvent,
  Enforced,
  EnforcerStatus,
  EventTotals,
} from '../core/enforcement.ts';
import { applyProof } from '../core/enforcer/hooks.ts';
import type { Committed, OpenReport } from '../core/enforcer/kernel.ts';
import { type GenerationRow, planStartup } from '../core/enforcer/startup.ts';
import { err, failure, ok, type Result, unreachable } from '../core/result.ts';
import type { ClockPort, EnforcerPort } from '../ports.ts';
import { admit, replay } from './admission.ts';
import type { Alerts } from './alerts.ts';
import { isCanaryComplete, runCanaries } from './canary.ts';
import { ConfirmWindow } from './confirm-window.ts';
import type { EventPump } from './events.ts';
import { type BuildOptions, build, fallBack, rebuild } from './fallback.ts';
import { followEvents } from './follow.ts';
import type { Generations } from './generations.ts';
import type { KernelPort } from './kernel-port.ts';

/** The parts of the process. */
export interface EnforcerParts {
  readonly kernel: KernelPort;
  readonly clock: ClockPort;
  readonly generations: Generations;
  readonly pump: EventPump;
  readonly alerts: Alerts;
  readonly build: Omit<BuildOptions, 'programs'>;
  readonly object: string;
  readonly pinDir: string;
  readonly bootId: string;
  readonly confirmWindowMs: number;
}

const NO_TOTALS: EventTotals = {
  sequence: 0,
  emitted: 0,
  dropped: 0,
  denied: 0,
  audited: 0,
  incomplete: 0,
};

/** The enforcer. {@link Enforcer.start} comes first. */
export class Enforcer implements EnforcerPort {
  readonly #parts: EnforcerParts;
  readonly #build: BuildOptions;
  readonly #window: ConfirmWindow;
  #opened: OpenReport = { adopted: false, programs: [] };
  #canary: CanaryReport | null = null;
  #dropped = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: EnforcerParts) {
    this.#parts = parts;
    this.#build = { ...parts.build, programs: () => this.#opened.programs };
    this.#window = new ConfirmWindow(parts.clock, parts.confirmWindowMs);
  }

  /** Opens the kernel side and converges to what should be enforced. */
  start(): Promise<Result<Enforced>> {
    return this.#exclusive(() => this.#start());
  }

  /** Moves events out of the kernel; called by a timer. */
  drain(): void {
    if (this.#store.read('disabled') !== null) return;
    const drained = this.#parts.pump.drain();
    if (!drained.ok) this.#parts.alerts.raise(drained.error);
    const totals = this.#totals();
    if (totals.dropped > this.#dropped) {
      this.#parts.alerts.clear('host/events-lost');
      this.#parts.alerts.raise(
        failure('host/events-lost', `${totals.dropped} events were lost since the programs loaded`),
      );
    }
    this.#dropped = totals.dropped;
  }

  /** Ends this process's part: timers only. Pins stay, the kernel goes on enforcing. */
  stop(): void {
    this.#window.cancel();
  }

  async status(): Promise<Result<EnforcerStatus>> {
    const store = this.#store;
    const lastKnownGood = store.read('lastKnownGood');
    const row = this.#current();
    const { trust } = this.#build.admission;
    return ok({
      enforced: this.#toEnforced(row),
      lastKnownGood: lastKnownGood === null ? null : this.#summaryOf(lastKnownGood),
      highestSeen: store.read('floor')?.highestSeen ?? null,
      hold: store.read('hold'),
      canary: this.#canary,
      hooks: this.#opened.programs.map(({ hook, program, state, detail }) => ({
        hook,
        program,
        state,
        detail,
      })),
      totals: this.#totals(),
      adopted: this.#opened.adopted,
      trust: { version: trust.version, fingerprint: trust.fingerprint },
      enforcerVersion: this.#build.admission.version,
      bootId: this.#parts.bootId,
      alerts: this.#parts.alerts.list(),
      demoted: row?.demoted ?? [],
    });
  }

  activate(bundle: BundleBytes): Promise<Result<Enforced>> {
    return this.#exclusive(() => this.#activate(bundle));
  }

  probe(): Promise<Result<CanaryReport>> {
    return this.#exclusive(async () => {
      const row = this.#current();
      if (row === null) return err(failure('confirm/health-no-data', 'nothing is enforced'));
      const { kernel, pump } = this.#parts;
      const proofs = kernel.proof();
      if (!proofs.ok) return proofs;
      const programs = applyProof(this.#opened.programs, proofs.value);
      this.#opened = { ...this.#opened, programs };
      const report = runCanaries(row, programs, kernel, pump, this.#now());
      if (report.ok) this.#canary = report.value;
      return report;
    });
  }

  confirm(digest: Digest): Promise<Result<Enforced>> {
    return this.#exclusive(async () => this.#confirm(digest));
  }

  restore(_reason: string): Promise<Result<Enforced>> {
    return this.#exclusive(() => this.#restore());
  }

  rollback(by: string, reason: string): Promise<Result<Enforced>> {
    return this.#exclusive(() => this.#rollback(by, reason));
  }

  resume(_by: string): Promise<Result<Enforced>> {
    return this.#exclusive(async () => {
      const wasDisabled = this.#store.read('disabled') !== null;
      const written = this.#store.write({ hold: null, disabled: null, lost: null });
      if (!written.ok) return written;
      return wasDisabled ? this.#start() : ok(this.#toEnforced(this.#current()));
    });
  }

  disable(by: string, reason: string): Promise<Result<Enforced>> {
    return this.#exclusive(async () => {
      const written = this.#store.write({ disabled: { by, reason, at: this.#now() } });
      if (!written.ok) return written;
      this.#window.cancel();
      this.#canary = null;
      const removed = this.#parts.kernel.disable(this.#parts.pinDir);
      if (!removed.ok) return removed;
      this.#opened = { adopted: false, programs: [] };
      return ok({ kind: 'nothing' });
    });
  }

  async events(query: {
    readonly after?: string;
    readonly limit: number;
  }): Promise<Result<readonly DecisionEvent[]>> {
    this.drain();
    return ok(this.#store.history.list(query.limit, query.after));
  }

  async event(id: string): Promise<Result<DecisionEvent | null>> {
    this.drain();
    return ok(this.#store.history.get(id));
  }

  followEvents(signal: AbortSignal): AsyncIterable<Result<DecisionEvent>> {
    return followEvents(this.#parts.pump, signal);
  }

  async #start(): Promise<Result<Enforced>> {
    const { kernel, object, pinDir, bootId, alerts, generations } = this.#parts;
    const disabled = this.#store.read('disabled') !== null;
    if (disabled) return ok({ kind: 'nothing' });
    const opened = kernel.open({ object, pinDir });
    if (!opened.ok) return opened;
    this.#opened = opened.value;
    const committed = kernel.committed();
    if (!committed.ok) return committed;
    const row = committed.value === null ? null : generations.rowOf(committed.value);
    const plan = planStartup({
      committed: committed.value,
      row,
      bootId,
      hold: this.#store.read('hold'),
      disabled,
      canaryComplete: row !== null && isCanaryComplete(row.canaryDir),
    });
    switch (plan.kind) {
      case 'disabled':
        return ok({ kind: 'nothing' });
      case 'adopt':
        return this.#settle(await this.#reviewTrust(plan.row));
      case 'rebuild':
        return this.#settle(await this.#renewCanary(plan.row));
      case 'fall-back': {
        if (plan.why === 'unknown-generation') alerts.raise(unknownGeneration(committed.value));
        return this.#settle(await fallBack(this.#heldOut(), this.#build));
      }
      default:
        return unreachable(plan);
    }
  }

  /** After anything that changed what is enforced at start: old builds go, a pending one is timed. */
  #settle(row: Result<GenerationRow>): Result<Enforced> {
    if (!row.ok) return row;
    const retired = this.#parts.kernel.retireOther();
    if (!retired.ok) this.#parts.alerts.raise(retired.error);
    // Nobody could confirm while this process was away: the window begins again.
    if (row.value.digest !== null && !row.value.confirmed) this.#armWindow();
    return ok(this.#toEnforced(row.value));
  }

  /** L03: the trust policy may have changed while nobody looked. */
  async #reviewTrust(row: GenerationRow): Promise<Result<GenerationRow>> {
    if (row.digest === null) return ok(row);
    const { admission, alerts } = this.#build;
    if (this.#store.admitted(row.digest)?.trustFingerprint === admission.trust.fingerprint) {
      return ok(row);
    }
    const replayed = await replay(row.digest, admission);
    if (replayed.ok) {
      if (replayed.value.distrusted !== null) alerts.raise(replayed.value.distrusted);
      return ok(row);
    }
    alerts.raise(replayed.error);
    // Damaged evidence is no reason to take away what the kernel holds intact.
    if (replayed.error.code !== 'restore/distrusted') return ok(row);
    return fallBack([...this.#heldOut(), row.digest], this.#build);
  }

  async #renewCanary(row: GenerationRow): Promise<Result<GenerationRow>> {
    const renewed = row.confirmed
      ? await rebuild(row.digest, this.#build)
      : await this.#rebuildUnconfirmed(row);
    if (renewed.ok) return renewed;
    // What is enforced stays; only its proof is missing, and the next probe says so.
    this.#parts.alerts.raise(renewed.error);
    return ok(row);
  }

  async #rebuildUnconfirmed(row: GenerationRow): Promise<Result<GenerationRow>> {
    if (row.digest === null) return rebuild(null, this.#build);
    const replayed = await replay(row.digest, this.#build.admission);
    return replayed.ok ? build(row.digest, replayed.value.ir, this.#build) : replayed;
  }

  async #activate(bundle: BundleBytes): Promise<Result<Enforced>> {
    const enabled = this.#checkEnabled();
    if (!enabled.ok) return enabled;
    const admitted = await admit(bundle, this.#build.admission);
    if (!admitted.ok) return admitted;
    const current = this.#current();
    // C13: what is in force already is left alone, pending or confirmed.
    if (current?.digest === bundle.digest) return ok(this.#toEnforced(current));
    const row = build(bundle.digest, admitted.value.ir, this.#build);
    if (!row.ok) return row;
    this.#canary = null;
    this.#armWindow();
    return ok(this.#toEnforced(row.value));
  }

  #confirm(digest: Digest): Result<Enforced> {
    const row = this.#current();
    if (row === null || row.digest !== digest) {
      return err(failure('confirm/not-pending', `${digest} is not what is enforced`));
    }
    if (row.confirmed && this.#store.read('lastKnownGood') === digest) {
      return ok(this.#toEnforced(row));
    }
    if (this.#canary === null || this.#canary.generation !== row.generation) {
      return err(failure('confirm/health-no-data', 'the canaries of this generation did not run'));
    }
    if (!this.#canary.healthy) {
      return err(failure('confirm/health-failed', 'a canary of this generation failed'));
    }
    const written = this.#store.confirm(row.generation, digest);
    if (!written.ok) return written;
    this.#build.admission.step('confirmed');
    this.#window.cancel();
    const hold = this.#store.read('hold');
    const version = this.#summaryOf(digest)?.version;
    if (hold !== null && version !== undefined && version > hold.version) {
      const cleared = this.#store.write({ hold: null });
      if (!cleared.ok) return cleared;
    }
    return ok(this.#toEnforced({ ...row, confirmed: true }));
  }

  async #restore(): Promise<Result<Enforced>> {
    const enabled = this.#checkEnabled();
    if (!enabled.ok) return enabled;
    const current = this.#current();
    if (current?.confirmed && this.#isLastKnownGood(current.digest)) {
      return ok(this.#toEnforced(current));
    }
    const pending = current !== null && !current.confirmed ? [current.digest] : [];
    this.#window.cancel();
    this.#canary = null;
    const row = await fallBack([...this.#heldOut(), ...pending.filter(isDigest)], this.#build);
    return row.ok ? ok(this.#toEnforced(row.value)) : row;
  }

  async #rollback(by: string, reason: string): Promise<Result<Enforced>> {
    const enabled = this.#checkEnabled();
    if (!enabled.ok) return enabled;
    const current = this.#current();
    const summary = current?.digest == null ? null : this.#summaryOf(current.digest);
    const isGood = summary !== null && this.#isLastKnownGood(summary.digest);
    const target = this.#store.read(isGood ? 'previous' : 'lastKnownGood');
    if (summary === null || target === null) {
      return err(failure('restore/no-previous', 'there is no earlier confirmed bundle'));
    }
    const { digest, version } = summary;
    const written = this.#store.write({
      hold: { digest, version, by, reason, at: this.#now() },
      ...(isGood ? { lastKnownGood: target, previous: null } : {}),
    });
    if (!written.ok) return written;
    this.#build.admission.step('hold-written');
    return this.#restore();
  }

  #armWindow(): void {
    this.#window.open(() => {
      this.#parts.alerts.raise(
        failure('confirm/health-no-data', 'nobody confirmed inside the window; restored'),
      );
      return this.restore('the confirm window passed');
    });
  }

  #current(): GenerationRow | null {
    if (this.#store.read('disabled') !== null) return null;
    const row = this.#parts.generations.current();
    if (row.ok) return row.value;
    this.#parts.alerts.raise(row.error);
    return null;
  }

  #toEnforced(row: GenerationRow | null): Enforced {
    if (row === null) return { kind: 'nothing' };
    const { generation, confirmed } = row;
    const since = row.committedAt ?? this.#now();
    const bundle = row.digest === null ? null : this.#summaryOf(row.digest);
    if (bundle === null) return { kind: 'baseline', generation, since };
    return { kind: 'bundle', generation, since, bundle, confirmed };
  }

  #totals(): EventTotals {
    if (this.#opened.programs.length === 0) return NO_TOTALS;
    const counters = this.#parts.kernel.counters();
    return counters.ok ? counters.value : NO_TOTALS;
  }

  #checkEnabled(): Result<void> {
    const disabled = this.#store.read('disabled');
    if (disabled === null) return ok(undefined);
    return err(
      failure('activate/disabled', `enforcement was disabled by ${disabled.by}`, {
        causes: [disabled.reason],
        hints: ['run: warder resume'],
      }),
    );
  }

  #heldOut(): readonly Digest[] {
    const hold = this.#store.read('hold');
    return hold === null ? [] : [hold.digest];
  }

  #isLastKnownGood(digest: Digest | null): boolean {
    return digest !== null && digest === this.#store.read('lastKnownGood');
  }

  #summaryOf(digest: Digest) {
    return this.#store.admitted(digest)?.summary ?? null;
  }

  get #store() {
    return this.#build.admission.store;
  }

  #now(): string {
    return new Date(this.#parts.clock.nowMs()).toISOString();
  }

  /** One change at a time; a change that throws is a bug and reaches its caller. */
  #exclusive<T>(change: () => Promise<T>): Promise<T> {
    const next = this.#last.then(change, change);
    this.#last = next;
    return next;
  }
}

function isDigest(value: Digest | null): value is Digest {
  return value !== null;
}

function unknownGeneration(committed: Committed | null) {
  return failure('state/lost', 'the kernel enforces a generation that this store does not know', {
    causes: [`generation ${committed?.generation ?? 0}`],
    hints: ['the store was replaced or damaged; the best known generation is in force now'],
  });
}
