// The agent's copy of the trust policy follows the one in force at the enforcer, and new signed versions
// are carried from the registry to the enforcer, which alone decides about them. Beside the machine and
// after its polls: what happens here changes no verdict of a poll that runs.
//
// Nothing here verifies: bytes are carried, and the enforcer's answer is read like any other.
//
// SPDX-License-Identifier: Apache-2.0

import type { Repository } from '../core/reference.ts';
import type { Failure, Result } from '../core/result.ts';
import type { TrustPolicy } from '../core/verify/trust.ts';
import type { ClockPort, EnforcerPort, RegistryPort } from '../ports.ts';

/** How long the agent waits before it asks the registry for the next version again. */
const ASK_AGAIN_MS = 5 * 60_000;

/** Where versions of the trust policy come from and go to. */
export interface TrustRoute {
  readonly registry: Pick<RegistryPort, 'trust'>;
  readonly enforcer: Pick<EnforcerPort, 'trust' | 'readTrust' | 'status'>;
  readonly clock: Pick<ClockPort, 'nowMs'>;
  readonly repository: Repository;
  readonly channel: string;
  readonly parse: (document: Uint8Array) => Result<TrustPolicy>;
  /** A version that was found and did not take effect. */
  readonly tell: (why: Failure) => void;
}

/** Follows; one call at a time, after a poll. */
export class TrustFollower {
  readonly #route: TrustRoute;
  readonly #current: TrustPolicy;
  #askedMs = Number.NEGATIVE_INFINITY;

  constructor(current: TrustPolicy, route: TrustRoute) {
    this.#current = current;
    this.#route = route;
  }

  /**
   * The policy to go by from now on; null when it is the one that the agent has. `differs`: the poll has
   * seen that the enforcer has another one.
   */
  async look(differs: boolean): Promise<TrustPolicy | null> {
    const changed = (await this.#carry()) || differs;
    return changed ? newerInForce(this.#current, this.#route) : null;
  }

  // True when the enforcer took a new version. A policy without roots costs the registry no request.
  async #carry(): Promise<boolean> {
    const { registry, enforcer, clock, repository, channel, tell } = this.#route;
    const nowMs = clock.nowMs();
    if (this.#current.roots === null || nowMs - this.#askedMs < ASK_AGAIN_MS) return false;
    this.#askedMs = nowMs;
    const found = await registry.trust(repository, channel, this.#current.version + 1);
    // A registry that does not answer is told by the poll.
    if (!found.ok || found.value === null) return false;
    const applied = await enforcer.trust(found.value, false);
    if (!applied.ok) tell(applied.error);
    return applied.ok;
  }
}

/** The policy of the enforcer, when it is of a later version than the agent's. */
export async function newerInForce(
  current: TrustPolicy,
  { enforcer, parse }: Pick<TrustRoute, 'enforcer' | 'parse'>,
): Promise<TrustPolicy | null> {
  const status = await enforcer.status();
  if (!status.ok || status.value.trust.version <= current.version) return null;
  const document = await enforcer.readTrust();
  const policy = document.ok ? parse(document.value) : document;
  return policy.ok ? policy.value : null;
}
