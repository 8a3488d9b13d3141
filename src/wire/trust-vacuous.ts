// What a trust policy must not be although each of its values is fine: one that can never be met, one
// that is met by fewer people than it says, one whose parts contradict each other, and one that asks
// for what this version cannot check (rules TRUST-1 to TRUST-4 of docs/verification.md).
//
// SPDX-License-Identifier: Apache-2.0

import type { ScopePolicy } from '../core/verify/trust.ts';

interface Vacuous {
  readonly text: string;
  readonly path: readonly PropertyKey[];
}

const KEYLESS_AT_TOP = ['trustedRoot'];
const KEYLESS_IN_POLICY = ['thresholds'];
const KEYLESS_IN_ENTRY = [
  'issuer',
  'identity',
  'repositoryId',
  'ownerId',
  'runner',
  'triggers',
  'workflow',
];

/** The path of the first field that asks for certificates, logs or timestamps; null without one. */
export function findKeyless(raw: unknown): string[] | null {
  const paths: string[][] = [
    ...fieldsOf(raw, KEYLESS_AT_TOP).map((it) => [it]),
    ...fieldsOf(dig(raw, 'revoked'), ['identities']).map((it) => ['revoked', it]),
  ];
  for (const [at, policy] of listOf(dig(raw, 'policies')).entries()) {
    const path = ['policies', String(at)];
    paths.push(...fieldsOf(policy, KEYLESS_IN_POLICY).map((it) => [...path, it]));
    const release = dig(dig(policy, 'require'), 'release');
    for (const [index, entry] of listOf(dig(release, 'anyOf')).entries()) {
      const inside = [...path, 'require', 'release', 'anyOf', String(index)];
      paths.push(...fieldsOf(entry, KEYLESS_IN_ENTRY).map((it) => [...inside, it]));
    }
  }
  return paths[0] ?? null;
}

/** Everything about the scopes together that makes the policy mean less than it seems to. */
export function findVacuous(policies: readonly ScopePolicy[]): Vacuous[] {
  return [...findDuplicates(policies), ...findUnreachable(policies), ...findSharedNames(policies)];
}

function findUnreachable(policies: readonly ScopePolicy[]): Vacuous[] {
  return policies.flatMap((policy, at) => {
    const { minimumMatches, anyOf } = policy.release;
    const distinct = new Set(anyOf.map((it) => it.fingerprint)).size;
    if (minimumMatches <= distinct) return [];
    const text = `minimumMatches is ${minimumMatches}, but there are ${distinct} distinct keys`;
    return [{ text, path: ['policies', at, 'require', 'release', 'minimumMatches'] }];
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

/** One person with two names would count twice; one name for two keys would hide who signed. */
function findSharedNames(policies: readonly ScopePolicy[]): Vacuous[] {
  const found: Vacuous[] = [];
  const keyOf = new Map<string, string>();
  const idOf = new Map<string, string>();
  for (const [at, policy] of policies.entries()) {
    const inScope = new Set<string>();
    for (const [index, key] of policy.release.anyOf.entries()) {
      const path = ['policies', at, 'require', 'release', 'anyOf', index, 'id'];
      const otherKey = keyOf.get(key.id);
      const otherId = idOf.get(key.fingerprint);
      if (inScope.has(key.id)) found.push({ text: `the id ${key.id} is there twice`, path });
      else if (otherKey !== undefined && otherKey !== key.fingerprint) {
        found.push({ text: `the id ${key.id} names two keys`, path });
      } else if (otherId !== undefined && otherId !== key.id) {
        found.push({ text: `the ids ${otherId} and ${key.id} name one key`, path });
      }
      inScope.add(key.id);
      keyOf.set(key.id, key.fingerprint);
      idOf.set(key.fingerprint, key.id);
    }
  }
  return found;
}

function fieldsOf(value: unknown, names: readonly string[]): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return names.filter((it) => Object.hasOwn(value, it));
}

function dig(value: unknown, field: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, field)) return undefined;
  return (value as Record<string, unknown>)[field];
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
