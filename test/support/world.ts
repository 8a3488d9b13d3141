// A host over the whole path: real oras against a registry, the real agent with its store on a real disk, and
// an enforcer that verifies again. Only the kernel is the fake one, which is asked what it was told.
//
// SPDX-License-Identifier: Apache-2.0

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/adapters/clock/system-clock.ts';
import { createOrasRegistry } from '../../src/adapters/oras/registry.ts';
import type { OrasOptions } from '../../src/adapters/oras/run.ts';
import { Places } from '../../src/controller/places.ts';
import { type BundleBytes, MEDIA } from '../../src/core/bundle.ts';
import type { Digest } from '../../src/core/digest.ts';
import { formatRepository, parseReference, type Reference } from '../../src/core/reference.ts';
import type { Outcome } from '../../src/core/status.ts';
import { judge } from '../../src/core/verify/judge.ts';
import type { TrustPolicy } from '../../src/core/verify/trust.ts';
import type { EnforcerPort } from '../../src/ports.ts';
import { digestOf } from '../../src/wire/content.ts';
import { expectOk, TestHost } from './enforcer.ts';
import { runPolls } from './polls.ts';
import { ORAS_PATH } from './tools.ts';

/** Where bundles are signed for, wherever they are fetched from. */
export const REPOSITORY = 'registry.example.com/policies/web';

type Registry = ReturnType<typeof createOrasRegistry>;
let repositories = 0;

/** A host with its agent, and a repository of its own. */
export class World {
  readonly host: TestHost;
  /** The agent's store. */
  readonly dir = mkdtempSync(join(tmpdir(), 'warder-agent-'));
  registry: Registry;
  /** Where the repository is kept besides; null: nowhere. */
  places: Places | null = null;
  readonly reference: Reference;
  /** Digests that were downloaded, in order. */
  readonly fetched: Digest[] = [];
  trust: TrustPolicy;
  /** For all places together, by a clock that goes. */
  budgetMs = 40_000;
  readonly clock = systemClock();
  /** What the agent speaks to; the enforcer of the host unless a test puts something between. */
  port: EnforcerPort | null = null;

  /** An agent that polls this registry on loopback, over plain HTTP. */
  constructor(registry: string, trust: TrustPolicy, options: Partial<OrasOptions> = {}) {
    this.trust = trust;
    this.host = new TestHost(trust);
    this.registry = createOrasRegistry({
      orasPath: ORAS_PATH,
      plainHttpHosts: [registry],
      ...options,
    });
    this.reference = expectOk(parseReference(`${registry}/acme/w${++repositories}:prod`));
  }

  /** Publishes a bundle, or tags it again. */
  async offer(bundle: BundleBytes, ...tags: readonly string[]): Promise<void> {
    const { repository } = this.reference;
    const blobs = [{ digest: digestOf(bundle.config), bytes: bundle.config }, ...bundle.files].map(
      ({ digest, bytes }) => ({
        descriptor: { mediaType: 'application/octet-stream', digest, size: bytes.length },
        bytes,
      }),
    );
    expectOk(await this.registry.push(repository, ['prod', ...tags], bundle.manifest, blobs));
    const { digest, manifest } = bundle;
    const subject = { mediaType: MEDIA.manifest, digest, size: manifest.length };
    for (const it of bundle.attestations) {
      expectOk(await this.registry.attach(repository, subject, it, 'https://example.com/x'));
    }
  }

  /** Lets the agent poll so often, a minute apart, and end; answers how each poll ended. */
  async poll(times = 1): Promise<readonly Outcome[]> {
    const running = this.host.enforcer ?? (await this.host.start());
    const enforcer = this.port ?? running;
    const { fetched, places } = this;
    const registry = places ?? this.registry;
    return runPolls(
      times,
      this.dir,
      {
        places: places?.reports.map((it) => it.place) ?? [],
        ...{ reference: this.reference, repository: REPOSITORY, channel: 'prod', labels: {} },
        ...{
          agentVersion: '0.1.0',
          kernelRelease: this.host.kernel.release,
          trust: this.trust,
          judge,
          probes: [],
        },
        schedule: {
          ...{ intervalMs: 60_000, pollTimeoutMs: 60_000 },
          ...{ backoffMinMs: 60_000, backoffMaxMs: 60_000 },
        },
      },
      {
        registry: {
          resolve: registry.resolve,
          head: registry.head,
          trust: registry.trust,
          fetch: (candidate, signal) => {
            fetched.push(candidate.digest);
            return registry.fetch(candidate, signal);
          },
        },
        ...{ enforcer, trust: this.trust, clock: this.host.clock },
        probes: { run: async () => [] },
      },
      (outcome) => {
        places?.note(outcome);
        this.host.clock.now += 1;
      },
    );
  }

  /** Keeps the repository on these registries as well. */
  mirror(...hosts: readonly string[]): Places {
    const { repository } = this.reference;
    const places = [repository, ...hosts.map((host) => ({ ...repository, host }))].map((it) => ({
      name: formatRepository(it),
      repository: it,
      registry: hosts.some((host) => it.kind === 'registry' && it.host === host)
        ? createOrasRegistry({
            orasPath: ORAS_PATH,
            plainHttpHosts: hosts,
            timeoutMs: 20_000,
          })
        : this.registry,
    }));
    this.places = new Places({ places, clock: this.clock, budgetMs: this.budgetMs });
    return this.places;
  }

  async enforced(): Promise<string> {
    const { enforced } = expectOk(await (this.host.enforcer ?? (await this.host.start())).status());
    return enforced.kind === 'bundle' ? `v${enforced.bundle.version}` : enforced.kind;
  }

  /** What the kernel was told to change so far. */
  get changes(): number {
    return this.host.kernel.calls.filter((it) => it === 'fill' || it === 'commit').length;
  }

  /** Ends it all and leaves nothing behind. */
  remove(): void {
    this.host.remove();
    rmSync(this.dir, { recursive: true, force: true });
  }
}
