// How many events are explained: reading /proc, the mount table and the disk for each of a flood would
// keep the enforcer from everything else. What is not explained is counted, exactly, by rule.
//
// Invariants: nothing here decides or delays a denial; one rule that is hammered uses up its own share
// and leaves the others theirs. Deliberately absent: a clock, the caller says what time it is.
//
// SPDX-License-Identifier: Apache-2.0

/** Tokens come back at `perSecond`, up to `burst`. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** The bounds: over everything, and for one rule. */
export interface ExplainRates {
  readonly total: Rate;
  readonly rule: Rate;
}

/** What a host explains unless it is configured otherwise. */
export const EXPLAIN_RATES: ExplainRates = {
  total: { perSecond: 100, burst: 2000 },
  rule: { perSecond: 20, burst: 200 },
};

const KEYS_MAX = 4096;

interface Bucket {
  tokens: number;
  atMs: number;
}

/** Token buckets, one for each rule and one for all. */
export class ExplainBudget {
  readonly #rates: ExplainRates;
  readonly #total: Bucket;
  readonly #rules = new Map<string, Bucket>();

  constructor(rates: ExplainRates, nowMs: number) {
    this.#rates = rates;
    this.#total = { tokens: rates.total.burst, atMs: nowMs };
  }

  /** May one more event of this rule be explained? Taking nothing when the answer is no. */
  take(rule: string, nowMs: number): boolean {
    const own = this.#bucketOf(rule, nowMs);
    refill(own, this.#rates.rule, nowMs);
    refill(this.#total, this.#rates.total, nowMs);
    if (own.tokens < 1 || this.#total.tokens < 1) return false;
    own.tokens -= 1;
    this.#total.tokens -= 1;
    return true;
  }

  #bucketOf(rule: string, nowMs: number): Bucket {
    const known = this.#rules.get(rule);
    if (known !== undefined) return known;
    // Rules of generations long gone; a fresh start for all of them stays within the total.
    if (this.#rules.size >= KEYS_MAX) this.#rules.clear();
    const fresh = { tokens: this.#rates.rule.burst, atMs: nowMs };
    this.#rules.set(rule, fresh);
    return fresh;
  }
}

function refill(bucket: Bucket, { perSecond, burst }: Rate, nowMs: number): void {
  // A clock that was set back gives nothing and takes nothing.
  const elapsedMs = Math.max(0, nowMs - bucket.atMs);
  bucket.tokens = Math.min(burst, bucket.tokens + (elapsedMs * perSecond) / 1000);
  bucket.atMs = nowMs;
}
