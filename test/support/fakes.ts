// The world of the simulation: a registry, a disk, a kernel with its enforcer, and a clock, all in
// memory. Disk and kernel survive a crash of the agent; everything else is lost.
//
// Contract, in the order in which a reader will doubt it:
//   - The enforcer verifies again: it refuses a bundle whose signature is bad, a version below its floor,
//     and what is held. It raises its floor before it enforces. Restore and rollback change what is
//     enforced, never the floor. Confirm answers again for what is confirmed already.
//   - The disk does what was asked as a whole or not at all.
//   - Every port call passes through `World.call`, which injects the scripted faults.
//
// SPDX-License-Identifier: Apache-2.0

import type { AgentPorts } from '../../src/controller/interpret.ts';
import { type BundleBytes, type BundleDescriptor, PREDICATE } from '../../src/core/bundle.ts';
import type { Digest } from '../../src/core/digest.ts';
import type {
  BundleSummary,
  CanaryReport,
  Enforced,
  EnforcerStatus,
  Hold,
} from '../../src/core/enforcement.ts';
import {
  type ChannelHead,
  type HeadStatus,
  sequenceAt,
  toHeadStatus,
} from '../../src/core/head.ts';
import type { StoreContents } from '../../src/core/machine/contents.ts';
import { err, failure, ok, type Result } from '../../src/core/result.ts';
import type { AgentStatus, Outcome } from '../../src/core/status.ts';
import type { AttestationFact } from '../../src/core/verify/evidence.ts';
import { checkHead } from '../../src/core/verify/freshness.ts';
import { demandsHead, judgeHead } from '../../src/core/verify/head.ts';
import type { TrustedKey, TrustPolicy } from '../../src/core/verify/trust.ts';
import type { VerifyContext, VerifyVerdict } from '../../src/core/verify/verdict.ts';
import type { BundleVersion } from '../../src/core/version.ts';
import type { EnforcerPort } from '../../src/ports.ts';

export const FAULTS = [
  'error-before',
  'error-after',
  'crash-before',
  'crash-after',
  'hang',
] as const;
export type Fault = (typeof FAULTS)[number];

/** Thrown by a port to end the simulated process; nothing else may be thrown. */
export class Crash extends Error {}

/** A broken invariant: the simulation found a bug. */
export class Violation extends Error {}

/** A bundle as the simulation knows it; its digest is made from its name. */
export interface FakeBundle {
  readonly bytes: BundleBytes;
  readonly version: BundleVersion;
  readonly signed: boolean;
  /** What the canary says at the n-th look after an activation; the last entry repeats. */
  readonly health: readonly ('good' | 'bad' | 'no-data' | 'probe-fails')[];
}

export function fakeBundle(
  name: number,
  version: number,
  more: Partial<Pick<FakeBundle, 'signed' | 'health'>> = {},
): FakeBundle {
  const digest = `sha256:${name.toString(16).padStart(64, '0')}` as Digest;
  const empty = new Uint8Array();
  const bytes = { digest, manifest: empty, config: empty, files: [], attestations: [] };
  const signed = more.signed ?? true;
  return { bytes, version: version as BundleVersion, signed, health: more.health ?? ['good'] };
}

export const TRUST: TrustPolicy = {
  version: 1,
  roots: null,
  breakGlass: null,
  force: false,
  policies: [],
  trustedRoot: null,
  revoked: { digests: [], keys: [], identities: [] },
  onDistrustedLkg: 'keep-and-alert',
  fingerprint: `sha256:${'f'.repeat(64)}` as Digest,
};

const HEAD_SIGNER: TrustedKey = {
  id: 'head',
  publicKeyPem: '',
  fingerprint: `sha256:${'e'.repeat(64)}` as Digest,
  notBefore: '2025-01-01T00:00:00.000Z',
  notAfter: '2036-01-01T00:00:00.000Z',
};

/** The same, and heads of the channel are demanded that are at most a day old. */
export const TRUST_WITH_HEADS: TrustPolicy = {
  ...TRUST,
  policies: [
    {
      name: 'prod',
      scope: 'r/p',
      channels: ['c'],
      tenant: null,
      release: {
        minimumMatches: 1,
        allOf: [],
        anyOf: [HEAD_SIGNER],
        identities: [],
        predicateTypes: [],
      },
      thresholds: { tlog: 1, ctlog: 1, timestamp: 1 },
      provenance: null,
      verification: null,
      freshness: { maxAgeMs: 86_400_000, anyOf: [HEAD_SIGNER], identities: [] },
      maxVersionStep: 100,
    },
  ],
};

const AT = '2026-01-01T00:00:00.000Z';
const START_MS = Date.parse(AT);

/** Everything outside the agent, and the script of what goes wrong. */
export class World {
  nowMs = START_MS;
  randomState = 1;
  readonly bundles = new Map<Digest, FakeBundle>();
  offered: Digest | null = null;
  readonly trust: TrustPolicy;
  /** Under the head tag of the registry. */
  head: ChannelHead | null = null;
  /** The newest that the enforcer accepted. */
  seenHead: ChannelHead | null = null;
  registryUp = true;
  disk: StoreContents = {
    floor: null,
    active: null,
    generations: [],
    quarantine: [],
    repaired: [],
  };
  readonly evidence = new Set<Digest>();
  enforced: Enforced = { kind: 'nothing' };
  lastKnownGood: BundleSummary | null = null;
  previous: BundleSummary | null = null;
  highestSeen: BundleVersion | null = null;
  hold: Hold | null = null;
  generation = 0;
  looks = 0;
  calls = 0;
  readonly faults: ReadonlyMap<number, Fault>;
  readonly fired: number[] = [];
  readonly names: string[] = [];
  sleepers: (() => void)[] = [];
  onReport: (outcome: Outcome | null) => void = () => {};
  onStatus: (status: AgentStatus) => void = () => {};
  onCall: (name: string, detail: Digest | null) => void = () => {};
  onDone: (name: string, detail: Digest | null, answer: Result<unknown>) => void = () => {};

  constructor(faults: ReadonlyMap<number, Fault>, trust = TRUST) {
    this.faults = faults;
    this.trust = trust;
  }

  publish(bundle: FakeBundle): void {
    this.bundles.set(bundle.bytes.digest, bundle);
    this.offered = bundle.bytes.digest;
    this.head = this.headOf(bundle);
  }

  /** A head that names a bundle, made now. */
  headOf({ bytes, version }: FakeBundle): ChannelHead {
    return {
      repository: 'r/p',
      channel: 'c',
      version,
      digest: bytes.digest,
      sequence: sequenceAt(this.nowMs),
      issuedAt: new Date(this.nowMs).toISOString(),
      expires: new Date(this.nowMs + 48 * 3_600_000).toISOString(),
    };
  }

  bundle(digest: Digest): FakeBundle {
    const found = this.bundles.get(digest);
    if (found === undefined) throw new Violation(`no such bundle ${digest}`);
    return found;
  }

  /** One port call: the fault of its number, its effect, its answer. */
  async call<T>(name: string, detail: Digest | null, effect: () => Result<T>): Promise<Result<T>> {
    const index = this.calls;
    this.calls += 1;
    this.names.push(name);
    const fault = this.faults.get(index);
    if (fault !== undefined) this.fired.push(index);
    if (fault === 'crash-before') throw new Crash();
    if (fault === 'error-before') return this.#error(name);
    // Only what has a deadline can hang: the disk fails instead.
    if (fault === 'hang')
      return /^(store|reporter)/.test(name) ? this.#error(name) : await this.#hang();
    this.onCall(name, detail);
    const answer = effect();
    this.onDone(name, detail, answer);
    if (fault === 'crash-after') throw new Crash();
    return fault === 'error-after' ? this.#error(name) : answer;
  }

  #error(name: string): Result<never> {
    const code = name.startsWith('store.')
      ? 'record/write-failed'
      : name.startsWith('enforcer.')
        ? 'host/enforcer-unavailable'
        : 'fetch/registry-unavailable';
    return err(failure(code, `injected at ${name}`));
  }

  // Never answers; time passes until somebody's deadline is over.
  #hang(): Promise<never> {
    const waking = this.sleepers;
    this.sleepers = [];
    this.nowMs += 60_000;
    for (const wake of waking) wake();
    return new Promise<never>(() => {});
  }
}

/** What the agent's machine is told to believe: signatures and versions, nothing else. */
export function fakeJudge(world: World) {
  return (
    evidence: { readonly digest: Digest; readonly descriptor: BundleDescriptor },
    trust: TrustPolicy,
    context: VerifyContext,
  ): VerifyVerdict => {
    const bundle = world.bundle(evidence.digest);
    const refused = (code: 'verify/signature-invalid' | 'verify/rollback'): VerifyVerdict => ({
      kind: 'refused',
      failures: [failure(code, code)],
      checks: [],
    });
    if (!bundle.signed) return refused('verify/signature-invalid');
    const floor = context.purpose === 'admit' ? context.floor : null;
    if (floor !== null && bundle.version < floor.highestSeen) return refused('verify/rollback');
    const scope = demandsHead(trust, context);
    const named = checkHead(evidence.digest, evidence.descriptor, scope, context);
    const [unnamed] = scope === null ? [] : named.failures;
    if (unnamed !== undefined) return { kind: 'refused', failures: [unnamed], checks: [] };
    const admission = {
      digest: evidence.digest,
      descriptor: evidence.descriptor,
      ir: { irVersion: 1, rules: [] } as const,
      signers: [],
      trustFingerprint: trust.fingerprint,
      verifiedAt: AT,
    };
    return { kind: 'accepted', admission, checks: [] };
  };
}

/** The agent's ports over a world. */
export function fakePorts(world: World): AgentPorts {
  return {
    registry: {
      resolve: (reference) =>
        world.call('registry.resolve', null, () => {
          if (!world.registryUp || world.offered === null) {
            return err(failure('fetch/registry-unavailable', 'down'));
          }
          return ok({ reference, digest: world.offered });
        }),
      head: () => world.call('registry.head', null, () => headStatements(world)),
      trust: async () => ok(null),
      fetch: ({ digest }) =>
        world.call('registry.fetch', digest, () => ok(world.bundle(digest).bytes)),
    },
    verifier: {
      read: ([statement]) => world.call('verifier.read', null, () => ok(readFakeHead(statement))),
      collect: ({ digest }) =>
        world.call('verifier.collect', digest, () =>
          ok({
            digest,
            descriptor: { version: world.bundle(digest).version } as BundleDescriptor,
            ir: { irVersion: 1, rules: [] },
            attestations: [],
            unread: [],
          }),
        ),
    },
    store: fakeStore(world),
    enforcer: fakeEnforcer(world),
    probes: {
      run: async () => {
        const answer = await world.call('probes.run', null, () => {
          const fails = health(world) === 'probe-fails';
          return ok([{ name: 'web', outcome: fails ? 'failed' : 'passed', detail: '' } as const]);
        });
        // A probe port answers a report in any case; one that broke reports nothing.
        return answer.ok ? answer.value : [];
      },
    },
    reporters: [
      {
        report: (status, outcome) => {
          world.onStatus(status);
          world.onReport(outcome);
          return world.call('reporter.report', null, () => ok(undefined));
        },
      },
    ],
    clock: {
      nowMs: () => world.nowMs,
      sleep: () => new Promise((resolve) => world.sleepers.push(resolve)),
      random: () => {
        // A small generator with a fixed seed: the same history is the same run.
        world.randomState = (world.randomState * 48271) % 2147483647;
        return world.randomState / 2147483647;
      },
    },
    trust: world.trust,
  };
}

function fakeStore(world: World): AgentPorts['store'] {
  const write = (name: string, digest: Digest, change: () => Partial<StoreContents>) =>
    world.call(name, digest, () => {
      world.disk = { ...world.disk, ...change() };
      return ok(undefined);
    });
  return {
    load: () => world.call('store.load', null, () => ok(world.disk)),
    raiseFloor: (floor) =>
      write('store.raiseFloor', floor.digest, () =>
        world.disk.floor !== null && world.disk.floor.highestSeen > floor.highestSeen
          ? {}
          : { floor },
      ),
    stage: (bundle, admission) =>
      write('store.stage', bundle.digest, () => {
        world.evidence.add(bundle.digest);
        const { digest, trustFingerprint } = admission;
        const generation = { digest, version: admission.descriptor.version, trustFingerprint };
        const others = world.disk.generations.filter((it) => it.digest !== digest);
        return { generations: [...others, generation] };
      }),
    commit: (bundle) => write('store.commit', bundle.digest, () => ({ active: bundle.digest })),
    quarantine: (entry) =>
      write('store.quarantine', entry.digest, () => ({
        quarantine: [...world.disk.quarantine.filter((it) => it.digest !== entry.digest), entry],
      })),
    // What the agent writes about itself decides nothing.
    note: async () => ok(undefined),
    prune: () => world.call('store.prune', null, () => ok(undefined)),
    evidence: () => world.call('store.evidence', null, () => ok(null)),
  };
}

function health(world: World): FakeBundle['health'][number] {
  if (world.enforced.kind !== 'bundle') return 'good';
  const { health: looks } = world.bundle(world.enforced.bundle.digest);
  return looks[Math.min(world.looks, looks.length) - 1] ?? 'good';
}

function summarize(bundle: FakeBundle): BundleSummary {
  return {
    digest: bundle.bytes.digest,
    version: bundle.version,
    repository: 'r',
    channel: 'c',
    commit: '0',
    sourceRepository: 's',
    signers: [],
    expires: '2036-01-01T00:00:00.000Z',
  };
}

function enforce(world: World, bundle: BundleSummary | null, confirmed: boolean): Enforced {
  world.generation += 1;
  world.looks = 0;
  const { generation } = world;
  world.enforced =
    bundle === null
      ? { kind: 'baseline', generation, since: AT }
      : { kind: 'bundle', generation, since: AT, bundle, confirmed };
  return world.enforced;
}

/** What an operator does beside the agent: back to the previous bundle, and hold. */
export function rollBack(world: World): void {
  const from = world.enforced;
  if (from.kind !== 'bundle' || !from.confirmed || world.previous === null) return;
  const { digest, version } = from.bundle;
  world.hold = { digest, version, by: 'root', reason: 'test', at: AT };
  enforce(world, world.previous, true);
  world.lastKnownGood = world.previous;
  world.previous = null;
}

function headStatements(world: World): Result<readonly Uint8Array[]> {
  if (!world.registryUp) return err(failure('fetch/registry-unavailable', 'down'));
  if (world.head === null) return err(failure('verify/head-missing', 'none'));
  return ok([new TextEncoder().encode(JSON.stringify(world.head))]);
}

function readFakeHead(statement: Uint8Array | undefined): readonly AttestationFact[] {
  const head = JSON.parse(new TextDecoder().decode(statement)) as ChannelHead;
  const { digest } = head;
  const claim = { kind: 'head', head } as const;
  const keys = [HEAD_SIGNER.fingerprint];
  return [{ kind: 'signed', predicateType: PREDICATE.head, subjects: [digest], claim, keys }];
}

function headStatusOf(world: World): HeadStatus | null {
  const scope = demandsHead(world.trust, PLACE);
  return scope === null
    ? null
    : toHeadStatus(world.seenHead, scope.freshness.maxAgeMs, world.nowMs);
}

const PLACE = { repository: 'r/p', channel: 'c' };

/** What the enforcer does with a head: its own judgement, and a memory that survives. */
function takeHead(world: World, statement: Uint8Array | undefined): Result<HeadStatus> {
  const scope = demandsHead(world.trust, PLACE);
  const facts = readFakeHead(statement);
  if (scope === null) return err(failure('verify/head-invalid', 'none is demanded'));
  const known = { ...PLACE, nowMs: world.nowMs, last: world.seenHead, floor: null };
  const judged = judgeHead(facts, world.trust, scope, known);
  if (!judged.ok) return err(judged.error[0]);
  world.seenHead = judged.value.head;
  return ok(toHeadStatus(world.seenHead, scope.freshness.maxAgeMs, world.nowMs));
}

function fakeEnforcer(world: World): EnforcerPort {
  const absent = async () => err(failure('host/enforcer-denied', 'not simulated'));
  return {
    status: () => world.call('enforcer.status', null, () => ok(toStatus(world))),
    activate: ({ digest }) =>
      world.call<Enforced>('enforcer.activate', digest, () => activate(world, digest)),
    head: ([statement]) => world.call('enforcer.head', null, () => takeHead(world, statement)),
    probe: () =>
      world.call<CanaryReport>('enforcer.probe', null, () => {
        world.looks += 1;
        return ok(toCanary(world));
      }),
    confirm: (digest) =>
      world.call<Enforced>('enforcer.confirm', digest, () => {
        const { enforced } = world;
        if (enforced.kind !== 'bundle' || enforced.bundle.digest !== digest) {
          return err(failure('confirm/not-pending', 'another'));
        }
        if (enforced.confirmed) return ok(enforced);
        world.enforced = { ...enforced, confirmed: true };
        world.previous = world.lastKnownGood;
        world.lastKnownGood = enforced.bundle;
        if (world.hold !== null && enforced.bundle.version > world.hold.version) world.hold = null;
        return ok(world.enforced);
      }),
    restore: () =>
      world.call<Enforced>('enforcer.restore', null, () =>
        ok(enforce(world, world.lastKnownGood, true)),
      ),
    trust: absent,
    previewTrust: absent,
    readTrust: absent,
    rollback: absent,
    resume: absent,
    removeSource: absent,
    disable: absent,
    ...{ askGlass: absent, useGlass: absent, endGlass: absent, listGlass: absent },
    events: absent,
    event: absent,
    records: absent,
    record: absent,
    async *followEvents() {},
  };
}

function activate(world: World, digest: Digest): Result<Enforced> {
  const bundle = world.bundle(digest);
  const { enforced } = world;
  if (!bundle.signed) return err(failure('verify/signature-invalid', 'bad'));
  if (enforced.kind === 'bundle' && enforced.bundle.digest === digest) return ok(enforced);
  if (world.highestSeen !== null && bundle.version < world.highestSeen) {
    return err(failure('verify/rollback', 'older'));
  }
  if (world.hold !== null && bundle.version <= world.hold.version) {
    return err(failure('activate/held', 'held'));
  }
  const status = headStatusOf(world);
  if (status !== null && (status.state !== 'fresh' || status.last?.digest !== digest)) {
    return err(failure('verify/head-mismatch', 'no fresh head names it'));
  }
  world.highestSeen = bundle.version;
  return ok(enforce(world, summarize(bundle), false));
}

function toCanary(world: World): CanaryReport {
  const seen = health(world);
  const outcome = seen === 'bad' ? 'allowed' : seen === 'no-data' ? 'no-answer' : 'denied';
  return {
    healthy: outcome === 'denied',
    generation: world.generation,
    at: AT,
    results: [{ hook: 'file_open', operation: 'read', outcome, detail: '' }],
  };
}

function toStatus(world: World): EnforcerStatus {
  return {
    enforced: world.enforced,
    lastKnownGood: world.lastKnownGood,
    highestSeen: world.highestSeen,
    hold: world.hold,
    trust: { version: 1, fingerprint: TRUST.fingerprint },
    head: headStatusOf(world),
    alerts: [] as EnforcerStatus['alerts'],
  } as EnforcerStatus;
}
