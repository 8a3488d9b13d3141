// When to look again. Chance is an argument in [0, 1), so that every delay can be tested.
//
// The registry's Retry-After does not reach the agent: oras does not print it. The backoff is what
// keeps a fleet from hammering a registry that is down.
//
// SPDX-License-Identifier: Apache-2.0

export interface Schedule {
  readonly intervalMs: number;
  /** Total time of one poll from the question to a verdict. */
  readonly pollTimeoutMs: number;
  readonly backoffMinMs: number;
  readonly backoffMaxMs: number;
}

const JITTER = 0.1;

/** An interval, 10 % more or less. */
export function jitteredMs(intervalMs: number, random: number): number {
  return Math.round(intervalMs * (1 - JITTER + 2 * JITTER * random));
}

/** The delay to the next regular poll. */
export function pollDelayMs(schedule: Schedule, random: number): number {
  return jitteredMs(schedule.intervalMs, random);
}

/** The delay to the first poll: anywhere in one interval, so that a fleet that boots does not arrive at once. */
export function startDelayMs(schedule: Schedule, random: number): number {
  return Math.round(schedule.intervalMs * random);
}

/** The delay after `failures` polls in a row failed: full jitter below a bound that doubles. */
export function backoffDelayMs(schedule: Schedule, failures: number, random: number): number {
  const bound = Math.min(
    schedule.backoffMaxMs,
    schedule.backoffMinMs * 2 ** Math.min(failures, 40),
  );
  return Math.max(schedule.backoffMinMs, Math.round(bound * random));
}

const QUARANTINE_MIN_MS = 60_000;
const QUARANTINE_MAX_MS = 24 * 60 * 60_000;

/** How long a digest that failed `attempts` times stays out: doubles from a minute to a day. */
export function quarantineDelayMs(attempts: number): number {
  return Math.min(QUARANTINE_MAX_MS, QUARANTINE_MIN_MS * 2 ** Math.min(attempts - 1, 40));
}
