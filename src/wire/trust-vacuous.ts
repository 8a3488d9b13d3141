// What a trust policy must not be although each of its values is fine: one that can never be met, one
// that is met by fewer people than it says, one whose parts contradict each other, and one that asks
// for what this version cannot check (rules TRUST-1 to TRUST-4 of docs/verification.md).
//
// SPDX-License-Identifier: Apache-2.0

import type { ScopePolicy, TrustRoots } from '../core/verify/trust.ts';

interface Vacuous {
  readonly text: string;
  readonly path: readonly PropertyKey[];
}

/** Everything about the scopes together that makes the policy mean less than it seems to. */
export function findVacuous(policies: readonly ScopePolicy[], hasRoot: boolean): Vacuous[] {
  return [
    ...findDuplicates(policies),
    ...findUnreachable(policies),
    ...findUnnamed(policies),
    ...findSharedNames(policies),
    ...findOverlaps(policies),
    ...(hasRoot ? [] : findRootless(policies)),
    ...findStrangers(policies),
  ];
}

type Signers = Pick<ScopePolicy['release'], 'anyOf' | 'identities'>;

/** The lists of signers of a scope: for releases, for verifications, and for heads where those are others. */
function listsOf(scope: ScopePolicy): readonly (readonly [string[], Signers])[] {
  const { release, verification, freshness } = scope;
  const lists: [string[], Signers][] = [[['require', 'release', 'anyOf'], release]];
  if (verification !== null) lists.push([['require', 'verification', 'anyOf'], verification]);
  if (freshness !== null && freshness.anyOf !== release.anyOf) {
    lists.push([['freshness', 'anyOf'], freshness]);
  }
  return lists;
}

/** Certificates without anything to check them by could never count. */
function findRootless(policies: readonly ScopePolicy[]): Vacuous[] {
  const at = policies.findIndex((it) =>
    listsOf(it).some(([, { identities }]) => identities.length > 0),
  );
  if (at < 0) return [];
  const text = 'identities need a trustedRoot, which says whose certificates count';
  return [{ text, path: ['policies', at, 'require', 'release', 'anyOf'] }];
}

/** Provenance by somebody who is no signer of the scope could never count. */
function findStrangers(policies: readonly ScopePolicy[]): Vacuous[] {
  return policies.flatMap(({ release, provenance }, at) => {
    const ids = [...release.anyOf, ...release.identities].map((it) => it.id);
    const unknown = (provenance?.signers ?? []).filter((it) => !ids.includes(it));
    const path = ['policies', at, 'require', 'provenance', 'signers'];
    return unknown.map((it) => ({ text: `${it} is no signer of this policy`, path }));
  });
}

/** Two identities that one certificate could be of: one person would have two names. */
function findOverlaps(policies: readonly ScopePolicy[]): Vacuous[] {
  return policies.flatMap((policy, at) =>
    listsOf(policy).flatMap(([path, { identities }]) =>
      identities.flatMap((one, index) =>
        identities.slice(0, index).flatMap((other) => {
          if (one.issuer !== other.issuer || !overlap(one.subject, other.subject)) return [];
          const text = `the identities ${other.id} and ${one.id} can be the same signer`;
          return [{ text, path: ['policies', at, ...path] }];
        }),
      ),
    ),
  );
}

function overlap(one: string, other: string): boolean {
  const [a, b] = [one.replace(/\*$/, ''), other.replace(/\*$/, '')];
  if (one.endsWith('*') && b.startsWith(a)) return true;
  return (other.endsWith('*') && a.startsWith(b)) || one === other;
}

function findUnreachable(policies: readonly ScopePolicy[]): Vacuous[] {
  return policies.flatMap((policy, at) => {
    const { minimumMatches, anyOf, identities } = policy.release;
    const distinct = new Set(anyOf.map((it) => it.fingerprint)).size + identities.length;
    if (minimumMatches <= distinct) return [];
    const text = `minimumMatches is ${minimumMatches}, but there are ${distinct} distinct signers`;
    return [{ text, path: ['policies', at, 'require', 'release', 'minimumMatches'] }];
  });
}

/** Somebody who must sign and cannot, and a number that says less than the names. */
function findUnnamed(policies: readonly ScopePolicy[]): Vacuous[] {
  return policies.flatMap(({ release }, at) => {
    const { minimumMatches, allOf, anyOf, identities } = release;
    const path = ['policies', at, 'require', 'release', 'allOf'];
    const ids = [...anyOf, ...identities].map((it) => it.id);
    const unknown = allOf.filter((it) => !ids.includes(it));
    const found = unknown.map((it) => ({ text: `${it} is no signer of anyOf`, path }));
    if (new Set(allOf).size < allOf.length) found.push({ text: 'a signer is there twice', path });
    if (allOf.length > minimumMatches) {
      const text = `minimumMatches is ${minimumMatches}, but allOf names ${allOf.length} signers`;
      found.push({ text, path });
    }
    return found;
  });
}

function findDuplicates(policies: readonly ScopePolicy[]): Vacuous[] {
  const found: Vacuous[] = [];
  const names = new Set<string>();
  const places = new Set<string>();
  for (const [at, policy] of policies.entries()) {
    if (names.has(policy.name)) {
      found.push({
        text: `two policies are called ${policy.name}`,
        path: ['policies', at, 'name'],
      });
    }
    names.add(policy.name);
    for (const channel of policy.channels) {
      const place = `${policy.scope} ${channel}`;
      if (places.has(place)) {
        const text = `scope ${policy.scope} has channel ${channel} twice`;
        found.push({ text, path: ['policies', at, 'channels'] });
      }
      places.add(place);
    }
  }
  return found;
}

/** One person with two names would count twice; one name for two signers would hide who signed. */
function findSharedNames(policies: readonly ScopePolicy[]): Vacuous[] {
  const found: Vacuous[] = [];
  const keyOf = new Map<string, string>();
  const idOf = new Map<string, string>();
  const lists = policies.flatMap((policy, at) =>
    listsOf(policy).map(([path, signers]) => ({ path: ['policies', at, ...path], signers })),
  );
  for (const { path: list, signers } of lists) {
    const inScope = new Set<string>();
    const identities = signers.identities.map((it) => ({
      id: it.id,
      fingerprint: JSON.stringify(it),
    }));
    for (const [index, key] of [...signers.anyOf, ...identities].entries()) {
      const path = [...list, index, 'id'];
      const otherKey = keyOf.get(key.id);
      const otherId = idOf.get(key.fingerprint);
      if (inScope.has(key.id)) found.push({ text: `the id ${key.id} is there twice`, path });
      else if (otherKey !== undefined && otherKey !== key.fingerprint) {
        found.push({ text: `the id ${key.id} names two signers`, path });
      } else if (otherId !== undefined && otherId !== key.id) {
        found.push({ text: `the ids ${otherId} and ${key.id} name one signer`, path });
      }
      inScope.add(key.id);
      keyOf.set(key.id, key.fingerprint);
      idOf.set(key.fingerprint, key.id);
    }
  }
  return found;
}

/** Keys that could never be enough together, or fewer than they seem. */
export function findVacuousKeys(
  { threshold, keys }: TrustRoots,
  at: 'roots' | 'breakGlass',
): Vacuous[] {
  const distinct = new Set(keys.map((it) => it.fingerprint)).size;
  const ids = new Set(keys.map((it) => it.id)).size;
  const found: Vacuous[] = [];
  if (distinct < keys.length || ids < keys.length) {
    found.push({ text: 'a key or its id is there twice', path: [at, 'keys'] });
  }
  if (threshold > distinct) {
    const text = `the threshold is ${threshold}, but there are ${distinct} distinct keys`;
    found.push({ text, path: [at, 'threshold'] });
  }
  return found;
}
