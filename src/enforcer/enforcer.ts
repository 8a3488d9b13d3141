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
import type { KernelProgram, OpenReport } from '../core/enforcer/kernel.ts';
import { type GenerationRow, isPending } from '../core/enforcer/startup.ts';
import type { GlassInUse, GlassRecord, GlassRequest } from '../core/glass.ts';
import type { HeadStatus } from '../core/head.ts';
import { MAIN_SOURCE } from '../core/policy/sources.ts';
import { err, failure, ok, type Result } from '../core/result.ts';
import type { TrustPolicy } from '../core/verify/trust.ts';
import type { NextTrust } from '../decision/trust.ts';
import type { ClockPort, EnforcerPort } from '../ports.ts';
import { encodeTrustDocument, parseTrustDocument } from '../wire/signed-trust.ts';
import { activateBundle, nameOf } from './activate.ts';
import { checkEnabled } from './admission.ts';
import { type Alerts, linksAlive } from './alerts.ts';
import type { BreakGlass } from './break-glass.ts';
import { confirmGeneration } from './confirm.ts';
import { ConfirmWindow } from './confirm-window.ts';
import { findDistrust } from './distrust.ts';
import type { EventPump } from './events.ts';
import { type BuildOptions, fallBack } from './fallback.ts';
import { followEvents } from './follow.ts';
import type { Generations } from './generations.ts';
import { takeHead } from './head.ts';
import type { KernelPort } from './kernel-port.ts';
import { Losses } from './losses.ts';
import { NOT_PROTECTED, openKernel } from './open-kernel.ts';
import type { Proven, Prover } from './prover.ts';
import { checkMounts, pauseAfter, refresh } from './refresh.ts';
import { removeSource } from './remove-source.ts';
import { recordRollback } from './rollback.ts';
import type { SelfPlan } from './self-protection.ts';
import type { SourceOptions, Sources } from './sources.ts';
import { converge } from './startup.ts';
import { timeFloorOf } from './time-floor.ts';
import { changeTrust, distrustedBy, type TrustSlot } from './trust-change.ts';
import { Turns } from './turns.ts';
import { NO_TOTALS, toEnforced, toStatus } from './view.ts';

// Alerts about an offered trust policy; the next one that is taken ends them.
const TRUST_ALERTS = [
  ...(['trust/would-distrust', 'trust/unsigned', 'trust/invalid'] as const),
  'restore/trust-changed',
] as const;

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
  readonly #losses = new Losses();
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
  start(pins: 'adopt' | 'fresh' = 'adopt'): Promise<Result<Enforced>> {
    return this.#turns.take(() => this.#start(pins));
  }

  /** Proves once per period until the signal aborts. */
  keepProving(signal: AbortSignal): Promise<void> {
    return this.#parts.prover.repeat(() => this.#turns.take(async () => this.#prove()), signal);
  }

  /** Keeps paths resolved while mounts change, until the signal aborts. */
  async keepResolving(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts;
    for (let pauseMs = pauseAfter(0); !signal.aborted; ) {
      await clock.sleep(pauseMs, signal);
      if (signal.aborted) return;
      const beganMs = clock.nowMs();
      await this.resolveAgain();
      pauseMs = pauseAfter(clock.nowMs() - beganMs);
    }
  }

  /** Resolves paths again, when mounts have changed or a directory that was missing is there. */
  resolveAgain(): Promise<void> {
    return this.#turns.take(async () => {
      const { clock, alerts } = this.#parts;
      const { watch } = this.#build;
      const moved = checkMounts(this.#build);
      const row = watch.isDue(moved, clock.nowMs()) ? this.#current() : null;
      if (row === null) return;
      const refreshed = await refresh(row, this.#build);
      if (!refreshed.ok) {
        watch.noteFailure(clock.nowMs());
        alerts.raise(refreshed.error);
      }
      if (refreshed.ok && refreshed.value.renewed) this.#prove();
    });
  }

  /** What became of each program on this host; empty before the start. */
  get programs(): readonly KernelProgram[] {
    return this.#opened.programs;
  }

  /** Moves events out of the kernel; called by a timer. */
  drain(): void {
    if (this.#opened.programs.length === 0) return;
    const drained = this.#parts.pump.drain();
    if (!drained.ok) this.#parts.alerts.raise(drained.error);
    this.#losses.note(this.#totals().dropped, this.#parts.alerts);
  }

  /** Ends this process's timers. Pins stay, the kernel goes on enforcing. */
  stop(): void {
    this.#window.cancel();
  }

  async status(name: string = MAIN_SOURCE): Promise<Result<EnforcerStatus>> {
    const source = this.#sources.named(name);
    if (!source.ok) return source;
    checkMounts(this.#build);
    return ok(
      toStatus({
        source: source.value,
        sources: this.#sources,
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

  head(statements: readonly Uint8Array[], name: string = MAIN_SOURCE): Promise<Result<HeadStatus>> {
    const { alerts } = this.#parts;
    return this.#for(name, (source) => takeHead(statements, source, alerts));
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
      const active = this.#current()?.content ?? [];
      const distrusted = await distrustedBy(next.value, active, this.#sources);
      return ok({
        hasRoots: this.#parts.trust.current.roots !== null,
        isProtected: this.#parts.self.kind === 'on',
        timeFloorMs: timeFloorOf({ store: this.#store }),
        distrusted,
      });
    });
  }

  async readTrust(): Promise<Result<Uint8Array>> {
    return ok(encodeTrustDocument(this.#parts.trust.current));
  }

  probe(): Promise<Result<CanaryReport>> {
    return this.#turns.take(async () => {
      const proven = this.#prove();
      if (proven?.canary != null) return ok(proven.canary);
      const causes = proven?.report.reasons.map((it) => it.message) ?? ['nothing loaded'];
      return err(failure('confirm/health-no-data', 'no canary was tried', { causes }));
    });
  }

  confirm(digest: Digest): Promise<Result<Enforced>> {
    return this.#turns.take(async () => this.#confirm(digest));
  }

  restore(_reason: string, name: string = MAIN_SOURCE): Promise<Result<Enforced>> {
    return this.#for(name, (source) => this.#restore(source));
  }

  rollback(by: string, reason: string, name: string = MAIN_SOURCE): Promise<Result<Enforced>> {
    return this.#for(name, (source) => this.#rollback(by, reason, source));
  }

  resume(_by: string): Promise<Result<Enforced>> {
    return this.#turns.take(async () => {
      const wasDisabled = this.#store.read('disabled') !== null;
      for (const { store } of this.#sources.all) {
        const written = store.write({ hold: null, lost: null });
        if (!written.ok) return written;
      }
      const enabled = this.#store.write({ disabled: null });
      if (!enabled.ok) return enabled;
      return wasDisabled ? this.#start('adopt') : ok(this.#toEnforced(this.#current()));
    });
  }

  /** Takes what a source brought out of force; only one that is not configured any more. */
  removeSource(name: string, _by: string): Promise<Result<Enforced>> {
    return this.#for(name, async (source) => {
      const removed = await removeSource(source, this.#current(), this.#build);
      if (!removed.ok) return removed;
      this.#prove();
      return ok(this.#toEnforced(this.#current()));
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
      // The rings go with the rest; what they hold was decided, and is told.
      this.drain();
      const removed = this.#parts.kernel.disable(this.#parts.pinDir);
      if (!removed.ok) return removed;
      this.#opened = { adopted: false, programs: [] };
      this.#self = NOT_PROTECTED;
      if (removed.value > 0) return err(this.#parts.alerts.raise(linksAlive(removed.value)));
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

  #for<T>(name: string, work: (source: SourceOptions) => Promise<Result<T>>): Promise<Result<T>> {
    return this.#turns.take(async () => {
      const source = this.#sources.named(name);
      return source.ok ? work(source.value) : source;
    });
  }

  async #start(pins: 'adopt' | 'fresh'): Promise<Result<Enforced>> {
    const { kernel, alerts } = this.#parts;
    if (this.#store.read('disabled') !== null) {
      // A process that died while it took the pins away has left some.
      const removed = kernel.disable(this.#parts.pinDir);
      return removed.ok ? ok({ kind: 'nothing' }) : removed;
    }
    const opened = openKernel(this.#parts, this.#store, pins === 'fresh');
    if (!opened.ok) return opened;
    this.#opened = opened.value.report;
    const remembered = this.#sources.remember();
    if (!remembered.ok) return remembered;
    this.#tellGone();
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
    if (isPending(row.value)) this.#armWindow(this.#sources.holding(row.value.changed));
    this.#prove();
    return ok(this.#toEnforced(row.value));
  }

  #tellGone(): void {
    for (const source of this.#sources.all.filter((it) => !it.isConfigured)) {
      const what = `${nameOf(source)} is not configured any more; what it brought stays in force`;
      const hints = [`configure it again, or run: warder source remove ${source.name}`];
      this.#parts.alerts.raise(failure('config/source-gone', what, { hints }));
    }
  }

  async #activate(bundle: BundleBytes): Promise<Result<Enforced>> {
    const source = this.#sources.claiming(bundle);
    const before = this.#current();
    const row = await activateBundle(bundle, source, before, this.#build);
    if (!row.ok) return row;
    if (row.value.generation !== before?.generation) {
      this.#parts.prover.forget();
      this.#armWindow(source);
    }
    return ok(this.#toEnforced(row.value, source));
  }

  async #changeTrust(next: NextTrust, force: boolean): Promise<Result<TrustReport>> {
    const { alerts, trust } = this.#parts;
    const row = this.#current();
    const changed = await changeTrust(next, row?.content ?? [], force, trust, this.#sources);
    if (!changed.ok) {
      // What anybody may offer is recorded; only what somebody of this host must act upon is an alert.
      const isOurs = next.kind === 'file' || changed.error.code === 'trust/would-distrust';
      if (isOurs) alerts.raise(changed.error);
      return changed;
    }
    for (const code of TRUST_ALERTS) alerts.clear(code);
    const mustGo = await findDistrust(row?.content ?? [], this.#build);
    if (mustGo.length > 0) {
      this.#window.cancel();
      const fallen = await fallBack(
        [...this.#sources.held(), ...mustGo.map((it) => it.digest)],
        this.#build,
      );
      this.#prove();
      if (!fallen.ok) return fallen;
    }
    return changed;
  }

  #confirm(digest: Digest): Result<Enforced> {
    const source = this.#sources.holding(digest);
    const before = this.#current();
    const row = confirmGeneration(before, digest, this.#parts.prover.canary, source);
    if (!row.ok) return row;
    if (before?.changed === digest) this.#window.cancel();
    return ok(this.#toEnforced(row.value, source));
  }

  async #restore(source: SourceOptions): Promise<Result<Enforced>> {
    const enabled = checkEnabled(this.#store);
    if (!enabled.ok) return enabled;
    const current = this.#current();
    const pending = isPending(current) ? current.changed : null;
    const isMine = pending === null || this.#sources.holding(pending) === source;
    const mine = current === null ? null : this.#sources.partOf(current.content, source);
    if (mine !== pending && mine !== null && mine === source.store.read('lastKnownGood')) {
      return ok(this.#toEnforced(current, source));
    }
    if (!isMine) {
      return err(
        failure('activate/other-pending', 'a bundle of another source waits to be confirmed'),
      );
    }
    this.#window.cancel();
    const without = pending === null ? [] : [pending];
    const row = await fallBack([...this.#sources.held(), ...without], this.#build);
    this.#prove();
    return row.ok ? ok(this.#toEnforced(row.value, source)) : row;
  }

  async #rollback(by: string, reason: string, source: SourceOptions): Promise<Result<Enforced>> {
    const enabled = checkEnabled(this.#store);
    if (!enabled.ok) return enabled;
    const why = { by, reason, at: this.#now() };
    const current = this.#current();
    const mine = current === null ? null : this.#sources.partOf(current.content, source);
    const recorded = recordRollback(mine, why, source.store);
    if (!recorded.ok) return recorded;
    this.#build.admission.step('hold-written');
    return this.#restore(source);
  }

  /** Null when there is nothing to prove: disabled, or not loaded. */
  #prove(): Proven | null {
    const { programs } = this.#opened;
    if (programs.length === 0 || this.#store.read('disabled') !== null) return null;
    const proven = this.#parts.prover.prove(programs);
    this.#opened = { ...this.#opened, programs: proven.programs };
    return proven;
  }

  #armWindow(source: SourceOptions): void {
    this.#window.open(() => {
      this.#parts.alerts.raise(
        failure('confirm/health-no-data', 'nobody confirmed inside the window; restored'),
      );
      return this.restore('the confirm window passed', source.name);
    });
  }

  #current(): GenerationRow | null {
    if (this.#store.read('disabled') !== null) return null;
    const row = this.#parts.generations.current();
    if (row.ok) return row.value;
    this.#parts.alerts.raise(row.error);
    return null;
  }

  #toEnforced(row: GenerationRow | null, source = this.#sources.main): Enforced {
    return toEnforced(row, source, this.#sources);
  }

  #totals(): EventTotals {
    if (this.#opened.programs.length === 0) return NO_TOTALS;
    const counters = this.#parts.kernel.counters();
    if (!counters.ok) return NO_TOTALS;
    return { ...counters.value, suppressed: this.#store.history.tally().suppressed };
  }

  get #sources(): Sources {
    return this.#build.sources;
  }

  get #store() {
    return this.#build.admission.store;
  }

  #now(): string {
    return new Date(this.#parts.clock.nowMs()).toISOString();
  }
}
