// One repository in several places: the one that the reference names, and its mirrors. They are asked in order; the
// next one when the one before gives no answer that can be used (it is down, late, refuses us, has nothing, or
// its bytes are not what was asked for). All are trusted alike, which is not at all: what any of them serves is
// hashed, verified and held to the floors by the same code.
//
// Invariants: a place is only ever asked for its own repository, by a registry that has its own credentials; no
// place can keep another one from being asked: it has its share of the time and no more, and one that offered
// what was refused is asked after the others for a while; "there is none" is said only when every place says so.
//
// SPDX-License-Identifier: Apache-2.0

import { type Failures, isOfPlace, isSilence, toOneFailure } from '../core/places.ts';
import type { Repository } from '../core/reference.ts';
import { err, type Failure, failure, ok, type Result } from '../core/result.ts';
import type { Outcome, PlaceReport } from '../core/status.ts';
import type { ClockPort, RegistryPort, ReporterPort } from '../ports.ts';

/** How long a place is asked last that offered what was refused. */
const ASIDE_MS = 15 * 60_000;

/** Where the repository is kept, and what speaks to it. */
export interface Place {
  readonly name: string;
  readonly repository: Repository;
  readonly registry: RegistryPort;
}

interface Options {
  readonly places: readonly Place[];
  readonly clock: Pick<ClockPort, 'nowMs' | 'sleep'>;
  /** The longest that one question may take, all places together. */
  readonly budgetMs: number;
}

type Ask<T> = (place: Place, signal: AbortSignal) => Promise<Result<T>>;
type Answered<T> = { readonly ok: true; readonly value: T; readonly index: number };

/** The registry of a repository that is kept in several places. */
export class Places implements RegistryPort {
  readonly #options: Options;
  readonly #reports: PlaceReport[];
  /** Until when a place is asked last. */
  readonly #asideMs = new Map<number, number>();
  /** Places that gave no answer in this poll. */
  readonly #silent = new Set<number>();
  /** Who said in this poll what the newest is, and who served it. */
  #named: number | null = null;
  #served: number | null = null;
  #trustTurn = 0;

  constructor(options: Options) {
    this.#options = options;
    this.#reports = options.places.map(({ name }) => ({
      place: name,
      state: 'unasked',
      code: null,
      at: null,
    }));
  }

  /** What came of each place when it was asked last, in their order. */
  get reports(): readonly PlaceReport[] {
    return this.#reports.slice();
  }

  resolve: RegistryPort['resolve'] = async (reference, signal) => {
    const answer = await this.#ask(this.#order(null), signal, ({ repository, registry }, until) =>
      registry.resolve({ ...reference, repository }, until),
    );
    if (!answer.ok) return answer;
    this.#named = answer.index;
    return ok({ reference, digest: answer.value.digest });
  };

  // A digest names its bytes, so whoever has them may serve them. Attestations are not named by it: where they come
  // from is told, so that a place that hides them spoils its own offer only.
  fetch: RegistryPort['fetch'] = async ({ reference, digest }, signal) => {
    const answer = await this.#ask(
      this.#order(this.#named),
      signal,
      ({ repository, registry }, until) =>
        registry.fetch({ reference: { ...reference, repository }, digest }, until),
    );
    if (!answer.ok) return answer;
    this.#served = answer.index;
    const from = this.#options.places[answer.index]?.name ?? '';
    return ok({ ...answer.value, from });
  };

  head: RegistryPort['head'] = async (_repository, channel, signal) => {
    const answer = await this.#ask(this.#order(null), signal, ({ repository, registry }, until) =>
      registry.head(repository, channel, until),
    );
    if (answer.ok) this.#named = answer.index;
    return answer;
  };

  // Each call begins with another place: what became of the bytes is not told here.
  trust: RegistryPort['trust'] = async (_repository, channel, version, signal) => {
    const order = this.#order(null);
    const turn = this.#trustTurn++ % order.length;
    const turned = [...order.slice(turn), ...order.slice(0, turn)];
    let isNone = false;
    const answer = await this.#ask<readonly Uint8Array[] | null>(
      turned,
      signal,
      async ({ name, repository, registry }, until) => {
        const found = await registry.trust(repository, channel, version, until);
        if (!found.ok || found.value !== null) return found;
        isNone = true;
        return err(failure('resolve/not-found', `${name} has no version ${version}`));
      },
    );
    return answer.ok || !isNone ? answer : ok(null);
  };

  /** Takes note of how a poll ended: the next one begins anew. */
  note({ kind, failures }: Outcome): void {
    const [why] = failures;
    if (why !== undefined && isOfPlace(kind, why)) {
      for (const index of new Set([this.#named, this.#served])) {
        if (index === null) continue;
        this.#asideMs.set(index, this.#options.clock.nowMs() + ASIDE_MS);
        this.#tell(index, 'refused', why.code);
      }
    }
    this.#silent.clear();
    this.#named = null;
    this.#served = null;
  }

  /** Reporters that tell of the places besides; they hear of an outcome after it was noted here. */
  around(reporters: readonly ReporterPort[]): readonly ReporterPort[] {
    const noting: ReporterPort = {
      report: async (_status, outcome) => {
        if (outcome !== null) this.note(outcome);
        return ok(undefined);
      },
    };
    const telling = reporters.map(
      (it): ReporterPort => ({
        report: (status, outcome) => it.report({ ...status, places: this.reports }, outcome),
      }),
    );
    return [noting, ...telling];
  }

  /** As configured, who was refused lately after the others; who was silent in this poll is left out. */
  #order(first: number | null): readonly number[] {
    const nowMs = this.#options.clock.nowMs();
    const all = this.#options.places.map((_, index) => index);
    const heard = all.filter((it) => !this.#silent.has(it));
    const asked = heard.length > 0 ? heard : all;
    const isAside = (it: number): boolean => (this.#asideMs.get(it) ?? 0) > nowMs;
    const order = [...asked.filter((it) => !isAside(it)), ...asked.filter(isAside)];
    return first === null ? order : [first, ...order.filter((it) => it !== first)];
  }

  async #ask<T>(
    order: readonly number[],
    signal: AbortSignal | undefined,
    work: Ask<T>,
  ): Promise<Answered<T> | { readonly ok: false; readonly error: Failure }> {
    const { places, clock, budgetMs } = this.#options;
    const endMs = clock.nowMs() + budgetMs;
    const failures: Failures[number][] = [];
    for (const [at, index] of order.entries()) {
      const place = places[index];
      if (place === undefined || signal?.aborted === true) break;
      const shareMs = Math.max(1, Math.floor((endMs - clock.nowMs()) / (order.length - at)));
      const answer = await this.#within(shareMs, signal, place, work);
      if (answer.ok) {
        this.#tell(index, 'answered', null);
        return { ...answer, index };
      }
      this.#tell(index, 'failed', answer.error.code);
      if (isSilence(answer.error)) this.#silent.add(index);
      failures.push({ place: place.name, failure: answer.error });
    }
    return err(toOneFailure(failures));
  }

  async #within<T>(
    shareMs: number,
    caller: AbortSignal | undefined,
    place: Place,
    work: Ask<T>,
  ): Promise<Result<T>> {
    const share = new AbortController();
    const answered = new AbortController();
    const until = caller === undefined ? share.signal : AbortSignal.any([caller, share.signal]);
    const late = this.#options.clock.sleep(shareMs, answered.signal).then(() => {
      share.abort();
      return err(failure('fetch/timeout', `${place.name} took over ${shareMs} ms`));
    });
    try {
      return await Promise.race([work(place, until), late]);
    } finally {
      answered.abort('answered');
    }
  }

  #tell(index: number, state: PlaceReport['state'], code: PlaceReport['code']): void {
    const place = this.#options.places[index]?.name ?? '';
    const at = new Date(this.#options.clock.nowMs()).toISOString();
    this.#reports[index] = { place, state, code, at };
  }
}
