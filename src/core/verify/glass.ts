// Whether a signed order counts on this host, now. Rules GLASS-1 to GLASS-6 of docs/verification.md: who
// signed, for which host and boot, for which request, how long, and which rules. No clock on the wall is
// asked anywhere.
//
// SPDX-License-Identifier: Apache-2.0

import type { Digest } from '../digest.ts';
import type { RuleLine } from '../enforcer/startup.ts';
import {
  GLASS_REQUEST_AGE_MS,
  type GlassOrder,
  type GlassPlace,
  type RelaxOrder,
} from '../glass.ts';
import type { RuleSet } from '../image/image.ts';
import { BASELINE_PREFIX } from '../policy/baseline.ts';
import { err, type Failure, failure, ok, type Result } from '../result.ts';
import type { AttestationFact } from './evidence.ts';
import type { TrustPolicy } from './trust.ts';

/** What enough keys signed. */
export interface SignedOrder {
  /** Canonical JSON. */
  readonly document: string;
  /** Ids of the keys that counted. */
  readonly signers: readonly string[];
}

// GLASS-1: distinct keys that the trust policy names for this and for nothing else by that; nothing of
// the document is read before enough of them signed it.
/** Finds the order that enough keys signed. */
export function checkOrderSigners(
  facts: readonly AttestationFact[],
  { breakGlass, revoked, version }: TrustPolicy,
): Result<SignedOrder> {
  if (breakGlass === null) return err(notConfigured(version));
  const signed = facts.flatMap((it) =>
    it.kind === 'signed' && it.claim.kind === 'glass'
      ? [{ keys: it.keys, document: it.claim.document }]
      : [],
  );
  const document = signed[0]?.document;
  const keys = new Set(signed.filter((it) => it.document === document).flatMap((it) => it.keys));
  const counted = breakGlass.keys.filter(
    ({ fingerprint }) => keys.has(fingerprint) && !isRevoked(fingerprint, revoked.keys),
  );
  if (document !== undefined && counted.length >= breakGlass.threshold) {
    return ok({ document, signers: counted.map((it) => it.id) });
  }
  const tally = `${counted.length} of ${breakGlass.threshold}`;
  return err(
    failure('glass/threshold-not-met', `too few keys for break-glass signed: ${tally}`, {
      causes: facts.flatMap((it) => (it.kind === 'unusable' ? [it.failure.code] : [])),
      hints: [`have more of them sign: ${breakGlass.keys.map((it) => it.id).join(', ')}`],
    }),
  );
}

function isRevoked(fingerprint: Digest, revoked: readonly Digest[]): boolean {
  return revoked.includes(fingerprint);
}

/** The trust policy names nobody. */
export function notConfigured(version: number): Failure {
  return failure('glass/not-configured', `trust policy version ${version} names no such keys`, {
    hints: [
      'add `breakGlass` to the trust policy, with keys of their own',
      'without them only a boot with warder.enforce=0 ends enforcement',
    ],
  });
}

/** What this host knows of the request that an order answers. */
export interface AskedFor {
  readonly boot: string;
  readonly askedMs: number;
  readonly isUsed: boolean;
}

// GLASS-2: this host and this boot; GLASS-3: a request of this host, used once, not too long ago.
/** Why an order is not for this host, or not any more; null when it is. */
export function checkPlace(
  order: GlassPlace,
  here: { readonly host: string | null; readonly boot: string; readonly nowMs: number },
  asked: AskedFor | null,
): Failure | null {
  if (order.host !== here.host) {
    return failure('glass/wrong-host', `the order is for host ${order.host}`, {
      causes: [`this is host ${here.host ?? 'that has never asked'}`],
    });
  }
  if (order.boot !== here.boot) {
    return failure('glass/wrong-boot', `the order is for boot ${order.boot}`, {
      causes: [`this is boot ${here.boot}`],
      hints: ['an order ends with its boot: warder break-glass request'],
    });
  }
  if (asked === null || asked.boot !== here.boot) {
    return failure('glass/nonce-unknown', 'this host has no such request', {
      hints: ['warder break-glass request'],
    });
  }
  if (asked.isUsed) return failure('glass/used', 'the order was used before');
  if (here.nowMs - asked.askedMs <= GLASS_REQUEST_AGE_MS) return null;
  return failure('glass/expired', 'the order answers a request that is too old', {
    hints: ['warder break-glass request'],
  });
}

// GLASS-4: the trust policy bounds the time.
/** Why an order asks for too much time; null when it does not. */
export function checkMinutes(order: RelaxOrder, trust: TrustPolicy): Failure | null {
  const most = trust.breakGlass?.maxMinutes ?? 0;
  if (order.minutes <= most) return null;
  return failure('glass/over-limit', `${order.minutes} minutes are more than ${most}`, {
    causes: [`breakGlass.maxMinutes of trust policy version ${trust.version}`],
  });
}

// GLASS-5: rules of what is enforced, by their ids; GLASS-6: never Warder's own.
/** The bits of the rules that an order means in one generation. */
export function chooseRules(
  order: Pick<RelaxOrder, 'rules'>,
  rules: readonly Pick<RuleLine, 'id'>[],
): Result<RuleSet> {
  const own = order.rules.find((it) => it.startsWith(BASELINE_PREFIX));
  if (own !== undefined) {
    return err(failure('glass/rule-protected', `${own} is never relaxed: it protects Warder`));
  }
  const unknown = order.rules.find((id) => !rules.some((it) => it.id === id));
  if (unknown !== undefined) {
    return err(
      failure('glass/rule-unknown', `no rule ${unknown} is enforced here`, {
        hints: ['`warder explain last` names the rule of a denial'],
      }),
    );
  }
  return ok(rulesMeant(order, rules));
}

/** The same without a complaint about rules that a later generation does not have. */
export function rulesMeant(
  order: Pick<RelaxOrder, 'rules'>,
  rules: readonly Pick<RuleLine, 'id'>[],
): RuleSet {
  return rules.reduce((set, { id }, bit) => {
    const isMeant = order.rules.length === 0 || order.rules.includes(id);
    return isMeant && !id.startsWith(BASELINE_PREFIX) ? set | (1n << BigInt(bit)) : set;
  }, 0n);
}

/** An order that relaxes rules; one that disables is handed to `warder disable`. */
export function asRelax(order: GlassOrder): Result<RelaxOrder> {
  if (order.action === 'relax') return ok(order);
  return err(
    failure('glass/wrong-action', 'the order ends enforcement', {
      hints: ['warder disable --order FILE'],
    }),
  );
}
