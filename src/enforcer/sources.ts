// The sources of this host: the main one and the named ones, each with its own view of the store (floor, head,
// hold, last-known-good, admissions) and its own repository and channel to be judged by.
//
// Invariant: a source that is no longer configured keeps what it brought, and brings nothing more, until root
// removes it. So neither a typo nor a file that was cut takes anything out of force.
//
// SPDX-License-Identifier: Apache-2.0

import type { BundleBytes } from '../core/bundle.ts';
import type { Digest } from '../core/digest.ts';
import { MAIN_SOURCE } from '../core/policy/sources.ts';
import { err, failure, ok, type Result } from '../core/result.ts';
import { parseDescriptor } from '../wire/descriptor.ts';
import type { AdmissionOptions } from './admission.ts';
import type { EnforcerStore, KnownSource } from './store/store.ts';

/** How one source is judged. */
export interface SourceOptions extends AdmissionOptions {
  readonly name: string;
  /** False: it only keeps what it brought. */
  readonly isConfigured: boolean;
}

/** All sources, the main one first. */
export class Sources {
  readonly #main: AdmissionOptions;
  readonly #configured: readonly KnownSource[];
  #all: readonly SourceOptions[] = [];

  constructor(main: AdmissionOptions, configured: readonly KnownSource[]) {
    this.#main = main;
    this.#configured = configured;
    this.reload();
  }

  /** Reads again which ones there are. */
  reload(): void {
    const known = this.#main.store.read('sources') ?? [];
    const isConfigured = ({ name }: KnownSource) => this.#configured.some((it) => it.name === name);
    const gone = known.filter((it) => !isConfigured(it));
    const main = {
      name: MAIN_SOURCE,
      repository: this.#main.repository,
      channel: this.#main.channel,
    };
    this.#all = [
      this.#optionsOf(main, true),
      ...this.#configured.map((it) => this.#optionsOf(it, true)),
      ...gone.map((it) => this.#optionsOf(it, false)),
    ];
  }

  /** Remembers what is configured, so that its absence is noticed later. */
  remember(): Result<void> {
    const sources = this.#all
      .filter((it) => it.name !== MAIN_SOURCE)
      .map(({ name, repository, channel }) => ({ name, repository, channel }));
    const before = this.#main.store.read('sources') ?? [];
    if (JSON.stringify(before) === JSON.stringify(sources)) return ok(undefined);
    return this.#main.store.write({ sources });
  }

  get all(): readonly SourceOptions[] {
    return this.#all;
  }

  get main(): SourceOptions {
    return this.#all[0] as SourceOptions;
  }

  /** A source by its name. */
  named(name: string): Result<SourceOptions> {
    const found = this.#all.find((it) => it.name === name);
    if (found !== undefined) return ok(found);
    const names = this.#all.slice(1).map((it) => it.name);
    return err(
      failure('config/source-unknown', `there is no source ${name}`, {
        hints: [names.length === 0 ? 'only the main one is known' : `known: ${names.join(', ')}`],
      }),
    );
  }

  /** Where a bundle came from that was admitted here. */
  holding(digest: Digest): SourceOptions {
    const name = this.#main.store.admitted(digest)?.source;
    return this.#all.find((it) => it.name === name) ?? this.main;
  }

  /**
   * Which source a bundle claims to be of. Not believed: verification demands the same repository and
   * channel of what was signed.
   */
  claiming(bundle: BundleBytes): SourceOptions {
    const descriptor = parseDescriptor(bundle.config);
    if (!descriptor.ok) return this.main;
    const { repository, channel } = descriptor.value;
    const found = this.#all.find((it) => it.repository === repository && it.channel === channel);
    return found ?? this.main;
  }

  /** Digests in the order of their sources. */
  inOrder(content: readonly Digest[]): readonly Digest[] {
    return this.#all.flatMap((source) => content.filter((it) => this.holding(it) === source));
  }

  /** The bundle of a source in some content; null when it has none there. */
  partOf(content: readonly Digest[], source: SourceOptions): Digest | null {
    return content.find((it) => this.holding(it) === source) ?? null;
  }

  /** Contents that a fallback may want at once: every last-known-good, and with one predecessor each. */
  wanted(): readonly (readonly Digest[])[] {
    const good = this.#all.flatMap(({ store }) => store.read('lastKnownGood') ?? []);
    const older = this.#all.flatMap((source) => {
      const previous = source.store.read('previous');
      if (previous === null) return [];
      const others = good.filter((it) => this.holding(it) !== source);
      return [this.inOrder([...others, previous])];
    });
    return [good, ...older];
  }

  /** Every bundle that was rolled away from. */
  held(): readonly Digest[] {
    return this.#all.flatMap(({ store }) => store.read('hold')?.digest ?? []);
  }

  #optionsOf(known: KnownSource, isConfigured: boolean): SourceOptions {
    const main = this.#main;
    const store: EnforcerStore = main.store.of(known.name);
    return {
      ...main,
      ...known,
      store,
      isConfigured,
      // Asked at every use: the policy in force may change while the process runs.
      get trust() {
        return main.trust;
      },
    };
  }
}
