// Hostile inputs as rows of a table, each played over the whole path: what is offered, the code that it must
// give, and all that must not have happened besides. The rows are in test/agent/hostile.
//
// SPDX-License-Identifier: Apache-2.0

import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { createOrasRegistry } from '../../src/adapters/oras/registry.ts';
import type { OrasOptions } from '../../src/adapters/oras/run.ts';
import type { BundleBytes, BundleDescriptor } from '../../src/core/bundle.ts';
import { ERRORS, type ErrorCode } from '../../src/core/errors.ts';
import type { PolicyIr } from '../../src/core/policy/ir.ts';
import { ok } from '../../src/core/result.ts';
import type { TrustPolicy } from '../../src/core/verify/trust.ts';
import type { BundleVersion } from '../../src/core/version.ts';
import { toCanonicalJson } from '../../src/wire/canonical-json.ts';
import { digestOf } from '../../src/wire/content.ts';
import { encodeDescriptor } from '../../src/wire/descriptor.ts';
import { chooseEmbedded } from '../../src/wire/embedded.ts';
import { encodeManifest } from '../../src/wire/manifest.ts';
import { encodeProvenance, encodeReleaseStatement } from '../../src/wire/statement.ts';
import { makeBundleContent } from './bundle-content.ts';
import { run } from './cli.ts';
import { ruleFor } from './enforcer.ts';
import { type Offer, offerOf, type Shelf } from './shelf.ts';
import { ORAS_PATH } from './tools.ts';
import { makeProvenance } from './verify.ts';
import { REPOSITORY, World } from './world.ts';

/** A bundle that nobody has signed yet, with what there is to sign. */
export interface Draft extends Pick<BundleBytes, 'digest' | 'manifest' | 'config' | 'files'> {
  readonly descriptor: BundleDescriptor;
  readonly release: Uint8Array;
  readonly provenance: Uint8Array;
}

/** One input. */
export interface Hostile {
  /** Of the list of hostile inputs. */
  readonly id: string;
  readonly what: string;
  /** One of them; most inputs have exactly one. */
  readonly codes: readonly ErrorCode[];
  readonly offer: (draft: Draft) => Offer | Promise<Offer>;
  /** How the agent reaches the registry, where that is part of the input. */
  readonly reach?: Partial<OrasOptions>;
  /** A command on no host knows neither floor nor labels: nothing to ask it for. */
  readonly onHostsOnly?: true;
}

const RULES = [ruleFor('a/one', '/etc/hostname')];
let drafts = 0;

/** A draft of the next version, unlike every other one. */
export function draftOf(
  change: Partial<BundleDescriptor> = {},
  ir: unknown = { irVersion: 1, rules: RULES } satisfies PolicyIr,
): Draft {
  const base = makeBundleContent(REPOSITORY, 6, {
    name: `draft-${++drafts}`,
    version: 6 as BundleVersion,
    ...change,
  });
  const bytes = ir instanceof Uint8Array ? ir : toCanonicalJson(ir as never);
  const files = base.descriptor.files.map((it) =>
    it.path === 'policy.ir.json' ? { ...it, digest: digestOf(bytes), size: bytes.length } : it,
  );
  const descriptor = { ...base.descriptor, files };
  const config = encodeDescriptor(descriptor);
  const contents = [...base.blobs.slice(1, -1).map((it) => it.bytes), bytes];
  return assemble(descriptor, config, contents);
}

/** A draft whose config is what a test makes of it. */
export function assemble(
  descriptor: BundleDescriptor,
  config: Uint8Array,
  contents: readonly Uint8Array[],
): Draft {
  const { files } = descriptor;
  const mediaType = 'application/vnd.warder.bundle.config.v1+json';
  const named = { mediaType, digest: digestOf(config), size: config.length };
  const blobs = files.flatMap((it) => {
    const found = contents.find((one) => digestOf(one) === it.digest);
    return found === undefined ? [] : [{ descriptor: it, bytes: found }];
  });
  const embedded = chooseEmbedded([{ descriptor: named, bytes: config }, ...blobs]);
  const manifest = encodeManifest({ config: named, files }, embedded);
  const digest = digestOf(manifest);
  const { repository, ref, commit } = descriptor.source;
  return {
    digest,
    manifest,
    config,
    files: blobs.map(({ bytes }) => ({ digest: digestOf(bytes), bytes })),
    descriptor,
    release: encodeReleaseStatement(descriptor, digest),
    provenance: encodeProvenance(descriptor, digest, makeProvenance({ repository, ref, commit })),
  };
}

/** A host that enforces version 5, and is offered one hostile input after the other. */
export class Target {
  readonly world: World;
  readonly #shelf: Shelf;
  readonly #temporary = mkdtempSync(join(tmpdir(), 'warder-hostile-'));
  readonly #before = process.env['TMPDIR'];
  readonly #commanded = new Set<string>();

  constructor(shelf: Shelf, trust: TrustPolicy) {
    this.#shelf = shelf;
    this.world = new World(shelf.host, trust, { timeoutMs: 20_000 });
  }

  /** Version 5, which is good. */
  async begin(
    offer: (draft: Draft) => Offer | Promise<Offer>,
    change: Partial<BundleDescriptor> = {},
  ): Promise<void> {
    await this.admit(offer, 5, change);
    process.env['TMPDIR'] = this.#temporary;
  }

  /** A version that must be taken. */
  async admit(
    offer: (draft: Draft) => Offer | Promise<Offer>,
    version: number,
    change: Partial<BundleDescriptor> = {},
  ): Promise<void> {
    this.#shelf.show(await offer(draftOf({ ...change, version: version as BundleVersion })));
    const [outcome] = await this.world.poll();
    expect([outcome?.kind, outcome?.failures]).toEqual(['activated', []]);
    expect(await this.world.enforced()).toBe(`v${version}`);
  }

  /** Offers it to agent and command, and looks at everything afterwards. */
  async play(input: Hostile): Promise<void> {
    const { world } = this;
    const draft = draftOf();
    this.#shelf.show(await input.offer(draft));
    const usual = world.registry;
    if (input.reach !== undefined) {
      world.registry = createOrasRegistry({
        ...{ orasPath: ORAS_PATH, plainHttpHosts: [this.#shelf.host], timeoutMs: 20_000 },
        ...input.reach,
      });
    }
    const before = this.#look();
    const [outcome] = await world.poll();
    const code = outcome?.failures[0]?.code;
    expect([outcome?.kind === 'activated', code]).toEqual([
      false,
      expect.toBeOneOf([...input.codes]),
    ]);
    expect(await world.enforced()).toBe('v5');
    expect(this.#look()).toEqual(before);
    // Once for each id: what a command makes of a failure does not depend on its cause.
    if (input.onHostsOnly !== true && !this.#commanded.has(input.id)) await this.#command(input);
    this.#commanded.add(input.id);
    expect(readdirSync(this.#temporary)).toEqual([]);
    world.registry = usual;
  }

  /** The same by `warder verify`, in whose exit status a pipeline believes. */
  async #command({ codes }: Hostile): Promise<void> {
    const { world } = this;
    const { host, path } = world.reference.repository as { host: string; path: string };
    const printed = await run(
      ['verify', `${host}/${path}:prod`, '--trust', 'x', '--repository', REPOSITORY, '-o', 'json'],
      {
        services: {
          clock: world.host.clock,
          trust: async () => ok(world.trust),
          registryReader: async () => ok(world.registry),
        },
      },
    );
    const { errors } = JSON.parse(printed.stdout) as { errors: { code: ErrorCode }[] };
    const code = errors[0]?.code ?? ('none' as ErrorCode);
    expect(code).toBeOneOf([...codes]);
    expect(printed.exit).toBe(ERRORS[code].exit);
    expect(printed.exit).not.toBe(0);
  }

  /** Whatever must be as it was: kernel, floor, pointers, and every file of agent and enforcer. */
  #look(): unknown {
    const { store, kernel, dir } = this.world.host;
    const facts = (['floor', 'lastKnownGood', 'previous', 'current', 'trust'] as const).map((it) =>
      store?.read(it),
    );
    return {
      facts,
      changes: kernel.calls.filter((it) => it === 'fill' || it === 'commit').length,
      enforces: kernel.enforces,
      files: [dir, this.world.dir].map((it) => listFiles(it)),
    };
  }

  remove(): void {
    if (this.#before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = this.#before;
    this.world.remove();
    rmSync(this.#temporary, { recursive: true, force: true });
  }
}

// Databases have their journals beside them while they are open.
function listFiles(dir: string): readonly string[] {
  const names = readdirSync(dir, { recursive: true, encoding: 'utf8' });
  return names.filter((it) => !/-(wal|shm|journal)$/.test(it)).sort();
}

/** Attaches attestations to a draft. */
export const attach = (draft: Draft, ...attestations: readonly Uint8Array[]): Offer =>
  offerOf(draft, attestations);
