// The privileged side of EnforcerPort: one change at a time, each a short list of effects whose order
// is the point. What is enforced is always asked of the kernel, never remembered.
//
// Invariants: a generation that nobody confirmed inside its window is replaced by the last-known-good,
// with no request from anybody; confirming needs canaries that this process saw denied; a rollback is
// written down before it is carried out.
//
// SPDX-License-Identifier: Apache-2.0

import type { BundleBytes } from '../core/bundle.ts';
import type { RecordBytes, RecordLine } from '../core/decision/record.ts';
import type { Digest } from '../core/digest.ts';
import type {
  CanaryReport,
  DecisionEvent,
  Enforced,
  EnforcerStatus,
  EventTotals,
  SelfProtection,
  TrustPreview,
  TrustReport,
} from '../core/enforcement.ts';
import type { OpenReport } from '../core/enforcer/kernel.ts';
import type { GenerationRow } from '../core/enforcer/startup.ts';
import type { GlassInUse, GlassRecord, GlassRequest } from '../core/glass.ts';
import type { HeadStatus } from '../core/head.ts';
import { err, failure, ok, type Result } from '../core/result.ts';
import type { TrustPolicy } from '../core/verify/trust.ts';
import type { NextTrust } from '../decision/trust.ts';
import type { ClockPort, EnforcerPort } from '../ports.ts';
import { encodeTrustDocument, parseTrustDocument } from '../wire/signed-trust.ts';
import { admit, checkEnabled } from './admission.ts';
import type { Alerts } from './alerts.ts';
import type { BreakGlass } from './break-glass.ts';
import { confirmGeneration } from './confirm.ts';
import { ConfirmWindow } from './confirm-window.ts';
import { findDistrust } from './distrust.ts';
import type { EventPump } from './events.ts';
import { type BuildOptions, build, fallBack } from './fallback.ts';
import { followEvents } from './follow.ts';
import type { Generations } from './generations.ts';
import { takeHead } from './head.ts';
import type { KernelPort } from './kernel-port.ts';
import { NOT_PROTECTED, openKernel } from './open-kernel.ts';
import type { Proven, Prover } from './prover.ts';
import { checkMounts, refresh } from './refresh.ts';
import { recordRollback } from './rollback.ts';
import type { SelfPlan } from './self-protection.ts';
import { converge } from './startup.ts';
import { changeTrust, distrustedBy, type TrustSlot } from './trust-change.ts';
import { Turns } from './turns.ts';
import { NO_TOTALS, toEnforced, toStatus } from './view.ts';

/** What a change that succeeded answers. */
const TRUST_ALERTS = ['trust/would-distrust', 'trust/unsigned', 'trust/invalid'] as const;
const RESOLVE_PERIOD_MS = 1000;

/** The parts of the process. */
export interface EnforcerParts {
  readonly kernel: KernelPort;
  readonly clock: ClockPort;
  readonly generations: Generations;
  readonly pump: EventPump;
  readonly prover: Prover;
  readonly glass: BreakGlass;
  readonly alerts: Alerts;
  readonly build: Omit<BuildOptions, 'programs' | 'self'>;
  readonly trust: TrustSlot;
  readonly self: SelfPlan;
  readonly object: string;
  readonly pinDir: string;
  readonly bootId: string;
  readonly confirmWindowMs: number;
}

/** The enforcer. {@link Enforcer.start} comes first. */
export class Enforcer implements EnforcerPort {
  readonly #parts: EnforcerParts;
  readonly #build: BuildOptions;
  readonly #window: ConfirmWindow;
  #opened: OpenReport = { adopted: false, programs: [] };
  #self: SelfProtection = NOT_PROTECTED;
  #dropped = 0;
  readonly #turns = new Turns();

  constructor(parts: EnforcerParts) {
    this.#parts = parts;
    this.#build = {
      ...parts.build,
      programs: () => this.#opened.programs,
      self: () => (parts.self.kind === 'on' && this.#self.state === 'on' ? parts.self.paths : null),
    };
    this.#window = new ConfirmWindow(parts.clock, parts.confirmWindowMs);
  }

  /** Opens the kernel side, converges to what should be enforced, and proves it. */
  start(): Promise<Result<Enforced>> {
    return this.#turns.take(() => this.#start());
  }

  /** Proves once per period until the signal aborts. */
  keepProving(signal: AbortSignal): Promise<void> {
    return this.#parts.prover.repeat(() => this.#turns.take(async () => this.#prove()), signal);
  }

  /** Keeps paths resolved while mounts change, until the signal aborts. */
  async keepResolving(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    while (!signal.aborted) {
      await clock.sleep(RESOLVE_PERIOD_MS, signal);
      if (!signal.aborted) await this.resolveAgain();
    }
  }

  /** Resolves paths again, when mounts have changed. */
  resolveAgain(): Promise<void> {
    return this.#turns.take(async () => {
      const moved = checkMounts(this.#build);
      const row = moved || !this.#build.watch.isKnown ? this.#current() : null;
      if (row === null) return;
      const refreshed = await refresh(row, this.#build);
      if (!refreshed.ok) this.#parts.alerts.raise(refreshed.error);
      if (refreshed.ok && refreshed.value.renewed) this.#prove();
    });
  }

  /** Moves events out of the kernel; called by a timer. */
  drain(): void {
    if (this.#opened.programs.length === 0) return;
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

  /** Ends this process's timers. Pins stay, the kernel goes on enforcing. */
  stop(): void {
    this.#window.cancel();
  }

  async status(): Promise<Result<EnforcerStatus>> {
    checkMounts(this.#build);
    return ok(
      toStatus({
        admission: this.#build.admission,
        row: this.#current(),
        prover: this.#parts.prover,
        opened: this.#opened,
        selfProtection: this.#self,
        totals: this.#totals(),
        alerts: this.#parts.alerts.list(),
        bootId: this.#parts.bootId,
        breakGlass: this.#parts.glass.inUse(),
      }),
    );
  }

  activate(bundle: BundleBytes): Promise<Result<Enforced>> {
    return this.#turns.take(() => this.#activate(bundle));
  }

  head(statements: readonly Uint8Array[]): Promise<Result<HeadStatus>> {
    const { alerts } = this.#parts;
    return this.#turns.take(() => takeHead(statements, this.#build.admission, alerts));
  }

  /** By signature; the composition root hands over a file by {@link Enforcer.takeFile}. */
  trust(statements: readonly Uint8Array[], force: boolean): Promise<Result<TrustReport>> {
    return this.#turns.take(() => this.#changeTrust({ kind: 'statements', statements }, force));
  }

  /** A newer file on this host; whether it may come without signatures is decided before. */
  takeFile(next: TrustPolicy): Promise<Result<TrustReport>> {
    return this.#turns.take(() => this.#changeTrust({ kind: 'file', policy: next }, false));
  }

  previewTrust(document: Uint8Array): Promise<Result<TrustPreview>> {
    return this.#turns.take(async () => {
      const next = parseTrustDocument(document);
      if (!next.ok) return next;
      const active = this.#current()?.digest ?? null;
      const distrusted = await distrustedBy(next.value, active, this.#build.admission);
      return ok({ hasRoots: this.#parts.trust.current.roots !== null, distrusted });
    });
  }

  async readTrust(): Promise<Result<Uint8Array>> {
    return ok(encodeTrustDocument(this.#parts.trust.current));
  }

  probe(): Promise<Result<CanaryReport>> {
    return this.#turns.take(async () => {
      const proven = this.#prove();
      if (proven?.canary != null) return ok(proven.canary);
      const causes = proven?.report.reasons.map((it) => it.message) ?? ['nothing is enforced'];
      return err(failure('confirm/health-no-data', 'no canary was tried', { causes }));
    });
  }

  confirm(digest: Digest): Promise<Result<Enforced>> {
    return this.#turns.take(async () => this.#confirm(digest));
  }

  restore(_reason: string): Promise<Result<Enforced>> {
    return this.#turns.take(() => this.#restore());
  }

  rollback(by: string, reason: string): Promise<Result<Enforced>> {
    return this.#turns.take(() => this.#rollback(by, reason));
  }

  resume(_by: string): Promise<Result<Enforced>> {
    return this.#turns.take(async () => {
      const wasDisabled = this.#store.read('disabled') !== null;
      const written = this.#store.write({ hold: null, disabled: null, lost: null });
      if (!written.ok) return written;
      return wasDisabled ? this.#start() : ok(this.#toEnforced(this.#current()));
    });
  }

  /** What a signed order must name; see {@link Enforcer.useGlass} and {@link Enforcer.disable}. */
  askGlass(): Promise<Result<GlassRequest>> {
    return this.#turns.take(async () => this.#parts.glass.ask());
  }

  useGlass(statements: readonly Uint8Array[], by: string): Promise<Result<GlassInUse>> {
    return this.#turns.take(() => this.#parts.glass.use(statements, by, this.#current()));
  }

  endGlass(by: string): Promise<Result<GlassInUse>> {
    return this.#turns.take(async () => this.#parts.glass.end(by));
  }

  async listGlass(): Promise<Result<readonly GlassRecord[]>> {
    return ok(this.#parts.glass.list());
  }

  /** By a signed order; root's word is enough only where nothing is enforced anyway. */
  disable(
    by: string,
    reason: string,
    order: readonly Uint8Array[] | null,
  ): Promise<Result<Enforced>> {
    return this.#turns.take(async () => {
      const allowed = await this.#checkDisable(order, by);
      if (!allowed.ok) return allowed;
      const written = this.#store.write({ disabled: { by, reason, at: this.#now() } });
      if (!written.ok) return written;
      this.#window.cancel();
      this.#parts.prover.forget();
      const removed = this.#parts.kernel.disable(this.#parts.pinDir);
      if (!removed.ok) return removed;
      this.#opened = { adopted: false, programs: [] };
      this.#self = NOT_PROTECTED;
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

  async records(limit: number): Promise<Result<readonly RecordLine[]>> {
    return ok(this.#store.records.list(limit));
  }

  async record(id: Digest): Promise<Result<RecordBytes | null>> {
    return ok(this.#store.records.get(id));
  }

  followEvents(signal: AbortSignal): AsyncIterable<Result<DecisionEvent>> {
    return followEvents(this.#parts.pump, signal);
  }

  async #checkDisable(order: readonly Uint8Array[] | null, by: string): Promise<Result<unknown>> {
    if (order !== null) return this.#parts.glass.takeDisable(order, by);
    if (this.#opened.programs.length === 0) return ok(undefined);
    return err(
      failure('glass/unsigned', 'enforcement ends by a signed order only', {
        hints: [
          'warder break-glass request, then sign it with --disable, then: warder disable --order FILE',
          'or boot with warder.enforce=0 on the command line of the kernel',
        ],
      }),
    );
  }

  async #start(): Promise<Result<Enforced>> {
    const { kernel, alerts } = this.#parts;
    if (this.#store.read('disabled') !== null) {
      // A process that died while it took the pins away has left some.
      const removed = kernel.disable(this.#parts.pinDir);
      return removed.ok ? ok({ kind: 'nothing' }) : removed;
    }
    const opened = openKernel(this.#parts, this.#store);
    if (!opened.ok) return opened;
    this.#opened = opened.value.report;
    this.#self = opened.value.self;
    const committed = kernel.committed();
    if (!committed.ok) return committed;
    const row = await converge(committed.value, this.#build);
    if (!row.ok) return row;
    // What was adopted had no commit.
    this.#parts.glass.follow(row.value);
    const retired = kernel.retireOther();
    if (!retired.ok) alerts.raise(retired.error);
    // Nobody could confirm while this process was away: the window begins again.
    if (row.value.digest !== null && !row.value.confirmed) this.#armWindow();
    this.#prove();
    return ok(this.#toEnforced(row.value));
  }

  async #activate(bundle: BundleBytes): Promise<Result<Enforced>> {
    const enabled = checkEnabled(this.#store);
    if (!enabled.ok) return enabled;
    const admitted = await admit(bundle, this.#build.admission);
    if (!admitted.ok) return admitted;
    const current = this.#current();
    // C13: what is in force already is left alone, pending or confirmed.
    if (current?.digest === bundle.digest) return ok(this.#toEnforced(current));
    const row = build(bundle.digest, admitted.value.ir, this.#build);
    if (!row.ok) return row;
    this.#parts.prover.forget();
    this.#armWindow();
    return ok(this.#toEnforced(row.value));
  }

  async #changeTrust(next: NextTrust, force: boolean): Promise<Result<TrustReport>> {
    const { alerts, trust } = this.#parts;
    const row = this.#current();
    const { admission } = this.#build;
    const changed = await changeTrust(next, row?.digest ?? null, force, trust, admission);
    if (!changed.ok) {
      // What anybody may offer is recorded; only what somebody of this host must act upon is an alert.
      const isOurs = next.kind === 'file' || changed.error.code === 'trust/would-distrust';
      if (isOurs) alerts.raise(changed.error);
      return changed;
    }
    for (const code of TRUST_ALERTS) alerts.clear(code);
    const mustGo = await findDistrust(row?.digest ?? null, this.#build);
    if (mustGo !== null) {
      this.#window.cancel();
      const fallen = await fallBack([...this.#heldOut(), row?.digest ?? null], this.#build);
      this.#prove();
      if (!fallen.ok) return fallen;
    }
    return changed;
  }

  #confirm(digest: Digest): Result<Enforced> {
    const row = confirmGeneration(
      this.#current(),
      digest,
      this.#parts.prover.canary,
      this.#build.admission,
    );
    if (!row.ok) return row;
    this.#window.cancel();
    return ok(this.#toEnforced(row.value));
  }

  async #restore(): Promise<Result<Enforced>> {
    const enabled = checkEnabled(this.#store);
    if (!enabled.ok) return enabled;
    const current = this.#current();
    if (current?.confirmed && this.#isLastKnownGood(current.digest)) {
      return ok(this.#toEnforced(current));
    }
    const pending = current !== null && !current.confirmed ? [current.digest] : [];
    this.#window.cancel();
    const row = await fallBack([...this.#heldOut(), ...pending], this.#build);
    this.#prove();
    return row.ok ? ok(this.#toEnforced(row.value)) : row;
  }

  async #rollback(by: string, reason: string): Promise<Result<Enforced>> {
    const enabled = checkEnabled(this.#store);
    if (!enabled.ok) return enabled;
    const why = { by, reason, at: this.#now() };
    const recorded = recordRollback(this.#current(), why, this.#store);
    if (!recorded.ok) return recorded;
    this.#build.admission.step('hold-written');
    return this.#restore();
  }

  /** Null when there is nothing to prove: disabled, or not loaded. */
  #prove(): Proven | null {
    const { programs } = this.#opened;
    if (programs.length === 0 || this.#store.read('disabled') !== null) return null;
    const proven = this.#parts.prover.prove(programs);
    this.#opened = { ...this.#opened, programs: proven.programs };
    return proven;
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
    return toEnforced(row, this.#store);
  }

  #totals(): EventTotals {
    if (this.#opened.programs.length === 0) return NO_TOTALS;
    const counters = this.#parts.kernel.counters();
    if (!counters.ok) return NO_TOTALS;
    return { ...counters.value, suppressed: this.#store.history.tally().suppressed };
  }

  #heldOut(): readonly Digest[] {
    const hold = this.#store.read('hold');
    return hold === null ? [] : [hold.digest];
  }

  #isLastKnownGood(digest: Digest | null): boolean {
    return digest !== null && digest === this.#store.read('lastKnownGood');
  }

  get #store() {
    return this.#build.admission.store;
  }

  #now(): string {
    return new Date(this.#parts.clock.nowMs()).toISOString();
  }
}
