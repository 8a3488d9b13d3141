// An enforcer of the tests: real store on a real disk, real verification of real signatures, the fake
// kernel of fake-kernel.ts, and a clock that stands still until a test moves it.
//
// SPDX-License-Identifier: Apache-2.0

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collectEvidence, collectStatements } from '../../src/adapters/sigstore/collect.ts';
import type { BundleBytes, BundleDescriptor } from '../../src/core/bundle.ts';
import type { ProofReport } from '../../src/core/enforcement.ts';
import type { PolicyIr } from '../../src/core/policy/ir.ts';
import { type Failure, ok, type Result } from '../../src/core/result.ts';
import type { TrustPolicy } from '../../src/core/verify/trust.ts';
import type { BundleVersion } from '../../src/core/version.ts';
import { assemble, type Foundations } from '../../src/enforcer/assemble.ts';
import type { Enforcer } from '../../src/enforcer/enforcer.ts';
import type { Step } from '../../src/enforcer/generations.ts';
import { openStore } from '../../src/enforcer/store/open.ts';
import type { EnforcerStore } from '../../src/enforcer/store/store.ts';
import type { ClockPort } from '../../src/ports.ts';
import { toCanonicalJson } from '../../src/wire/canonical-json.ts';
import { digestOf } from '../../src/wire/content.ts';
import { encodeDescriptor } from '../../src/wire/descriptor.ts';
import { encodeManifest } from '../../src/wire/manifest.ts';
import { encodeProvenance, encodeReleaseStatement } from '../../src/wire/statement.ts';
import { makeBundleContent } from './bundle-content.ts';
import { FakeKernel } from './fake-kernel.ts';
import { encodeJson, signBundle, type TestSigner } from './signed-bundle.ts';
import { makeProvenance, NOW_MS } from './verify.ts';

const REPOSITORY = 'registry.example.com/policies/web';
const IR_PATH = 'policy.ir.json';

/** The process died here. */
export class Crash extends Error {}

/** A clock that a test moves. */
export class TestClock implements ClockPort {
  now = NOW_MS;
  #sleepers: { at: number; wake: () => void }[] = [];

  nowMs(): number {
    return this.now;
  }

  random(): number {
    return 0.5;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#sleepers.push({ at: this.now + ms, wake: resolve });
      signal?.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  /** Moves on and wakes who is due. */
  advance(ms: number): void {
    this.now += ms;
    const due = this.#sleepers.filter((it) => it.at <= this.now);
    this.#sleepers = this.#sleepers.filter((it) => it.at > this.now);
    for (const { wake } of due) wake();
  }
}

/** A host: what survives the process. */
export class TestHost {
  readonly dir = mkdtempSync(join(tmpdir(), 'warder-enforcer-'));
  readonly kernel = new FakeKernel();
  readonly clock = new TestClock();
  readonly told: Failure[] = [];
  readonly proofs: (ProofReport | null)[] = [];
  bootId = '11111111-0000-0000-0000-000000000000';
  trust: TrustPolicy;
  crashAt: Step | null = null;
  readonly steps: Step[] = [];
  store: EnforcerStore | null = null;
  enforcer: Enforcer | null = null;

  constructor(trust: TrustPolicy) {
    this.trust = trust;
  }

  /** Starts the process, in place of one that ran before. */
  async start(change: Partial<Foundations> = {}): Promise<Enforcer> {
    this.stop();
    const names = change.sources?.map((it) => it.name) ?? [];
    const opened = expectOk(openStore(this.dir, 100, names));
    this.store = opened.store;
    const { enforcer, alerts } = assemble({
      kernel: this.kernel,
      store: opened.store,
      // The same code as in the worker, without a thread per bundle.
      verifier: {
        collect: async (bundle, trust) => collectEvidence(bundle, trust),
        read: async (statements, trust) => collectStatements(statements, trust),
      },
      trust: this.trust,
      clock: this.clock,
      repository: REPOSITORY,
      channel: 'prod',
      labels: {},
      sources: [],
      version: '0.1.0',
      kernelRelease: this.kernel.release,
      object: '/dev/null',
      pinDir: '/sys/fs/bpf/warder',
      canaryDir: join(this.dir, 'canary'),
      confirmWindowMs: 60_000,
      proofPeriodMs: 60_000,
      publishProof: (report) => this.proofs.push(report),
      scanEntriesMax: 1000,
      self: { kind: 'off', detail: 'a test' },
      bootId: this.bootId,
      bootEpochMs: () => NOW_MS - 10_000,
      uptimeMs: () => this.clock.now - NOW_MS + 10_000,
      findGroup: (path) => (path === '/known' ? { id: 4711n, level: 1 } : null),
      mounts: () => ok([]),
      tell: (alert) => this.told.push(alert),
      step: (step) => {
        this.steps.push(step);
        if (this.crashAt === step) throw new Crash(step);
      },
      ...change,
    });
    for (const alert of opened.alerts) alerts.raise(alert);
    this.enforcer = enforcer;
    expectOk(await enforcer.start());
    return enforcer;
  }

  /** The process is gone; the kernel and the disk are not. */
  stop(): void {
    this.enforcer?.stop();
    this.store?.close();
    this.kernel.close();
    this.store = null;
    this.enforcer = null;
    this.crashAt = null;
  }

  /** Everything that is not on the disk is gone. */
  reboot(): void {
    this.stop();
    this.kernel.reboot();
    rmSync(join(this.dir, 'canary'), { recursive: true, force: true });
    this.bootId = this.bootId.replace(/^./, (it) => String((Number(it) + 1) % 10));
  }

  remove(): void {
    this.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** The value of a success; a failure fails the test with its text. */
export function expectOk<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.error.code}: ${JSON.stringify(result.error)}`);
  return result.value;
}

/** A rule that protects a path. */
export function ruleFor(id: string, path: string): PolicyIr['rules'][number] {
  return {
    id,
    mode: 'enforce',
    onMissingHook: 'refuse',
    reason: 'A test protects this.',
    operations: ['write'],
    objects: [{ kind: 'path', path }],
    except: [],
    origin: { file: 'policies/a.yaml', line: 3, column: 5 },
  };
}

/** A bundle with these rules, signed. */
export async function makeBundle(
  by: TestSigner,
  version: number,
  rules: PolicyIr['rules'] = [],
  change: Partial<BundleDescriptor> = {},
): Promise<BundleBytes> {
  const base = makeBundleContent(REPOSITORY, version, { version: version as BundleVersion });
  const ir = toCanonicalJson({ irVersion: 1, rules });
  const files = base.descriptor.files.map((file) =>
    file.path === IR_PATH ? { ...file, digest: digestOf(ir), size: ir.length } : file,
  );
  const descriptor = { ...base.descriptor, ...change, files };
  const config = encodeDescriptor(descriptor);
  const mediaType = 'application/vnd.warder.bundle.config.v1+json';
  const manifest = encodeManifest({
    config: { mediaType, digest: digestOf(config), size: config.length },
    files,
  });
  const digest = digestOf(manifest);
  const { repository, ref, commit } = descriptor.source;
  const statements = [
    encodeReleaseStatement(descriptor, digest),
    encodeProvenance(descriptor, digest, makeProvenance({ repository, ref, commit })),
  ];
  const attestations = [];
  for (const statement of statements)
    attestations.push(encodeJson(await signBundle(statement, by)));
  const blobs = base.blobs.slice(1).map(({ bytes }) => bytes);
  const contents = files.map((file) =>
    file.path === IR_PATH ? ir : (blobs.find((it) => digestOf(it) === file.digest) ?? ir),
  );
  return {
    digest,
    manifest,
    config,
    files: files.map((file, index) => ({ digest: file.digest, bytes: contents[index] ?? ir })),
    attestations,
  };
}

/** Activates, probes and confirms. */
export async function enforce(enforcer: Enforcer, bundle: BundleBytes): Promise<void> {
  expectOk(await enforcer.activate(bundle));
  expectOk(await enforcer.probe());
  expectOk(await enforcer.confirm(bundle.digest));
}
