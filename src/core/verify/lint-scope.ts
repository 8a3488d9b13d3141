// What one scope of a trust policy allows that its author may not have meant.
//
// SPDX-License-Identifier: Apache-2.0

import { isUnbound } from './provenance.ts';
import type { ScopePolicy, TrustedIdentity, TrustPolicy } from './trust.ts';

/** One thing to think about, and what to do about it. */
export interface TrustFinding {
  /** The scope by name, or what else it is about. */
  readonly where: string;
  readonly text: string;
  readonly hint: string;
}

const SOON_MS = 30 * 86_400_000;

type Finding = Omit<TrustFinding, 'where'>;

/** Everything about one scope that is worth a second look. */
export function lintScope(
  scope: ScopePolicy,
  trust: TrustPolicy,
  nowMs: number,
): readonly TrustFinding[] {
  const found = [
    ...lintRelease(scope),
    ...lintRequired(scope, trust),
    ...lintVerifiers(scope),
    ...[...scope.release.identities, ...(scope.verification?.identities ?? [])].flatMap(
      lintIdentity,
    ),
    ...lintKeys(scope, trust, nowMs),
  ];
  return found
    .filter(({ text }, at) => found.findIndex((it) => it.text === text) === at)
    .map((it) => ({ where: scope.name, ...it }));
}

const finding = (text: string, hint: string): Finding => ({ text, hint });

function lintRelease(scope: ScopePolicy): readonly Finding[] {
  const found: Finding[] = [];
  const say = (text: string, hint: string) => found.push({ text, hint });
  const { minimumMatches, anyOf, identities } = scope.release;
  const signers = anyOf.length + identities.length;
  if (minimumMatches === 1)
    say('one signer alone can release', 'demand two, such as CI and a person');
  if (minimumMatches === signers && signers > 1) {
    say('one lost signer ends every release', 'list one signer more than are demanded');
  }
  if (scope.provenance === null) say('provenance is not demanded', 'name builders and sources');
  if (isUnbound(scope)) {
    say('every signer may speak for the builders', 'say who does: provenance { signers: [ID] }');
  }
  if (scope.freshness === null) {
    say(
      'nothing tells when new bundles are hidden',
      'demand heads: freshness { head: required, maxAge }',
    );
  }
  if (scope.tenant === null) say('every tenant is admitted', 'name the tenant');
  return found;
}

function lintRequired({ release }: ScopePolicy, { revoked }: TrustPolicy): readonly Finding[] {
  const { allOf, anyOf, identities, minimumMatches } = release;
  if (allOf.length === 0) return [];
  const gone = [
    ...anyOf.filter((it) => revoked.keys.includes(it.fingerprint)),
    ...identities.filter((it) => revoked.identities.includes(it.subject)),
  ].map((it) => it.id);
  const found = allOf
    .filter((id) => gone.includes(id))
    .map((id) => finding(`${id} must sign every release, and is revoked`, 'name its successor'));
  const names = allOf.join(' and ');
  const hint = 'keep a version of the trust policy ready that names a successor';
  found.push(finding(`nothing is released without ${names}, should a key be lost`, hint));
  if (allOf.length === minimumMatches && allOf.length < anyOf.length + identities.length) {
    const text = `the other signers are never needed: ${names} can release without them`;
    found.push(finding(text, 'raise minimumMatches, or drop the others'));
  }
  return found;
}

function lintVerifiers({ release, verification }: ScopePolicy): readonly Finding[] {
  if (verification === null) return [];
  const ids = [...release.anyOf, ...release.identities].map((it) => it.id);
  return [...verification.anyOf, ...verification.identities]
    .filter((it) => ids.includes(it.id))
    .map(({ id }) =>
      finding(`${id} releases, and verifies what it released`, 'name a verifier of its own'),
    );
}

function lintIdentity(it: TrustedIdentity): readonly Finding[] {
  const found: Finding[] = [];
  if (it.repositoryId === null && it.subject.startsWith('https://')) {
    const text = `${it.id} is known by a name that may be given to others`;
    found.push(finding(text, 'add repositoryId and ownerId'));
  }
  if (it.triggers === null && it.subject.endsWith('*')) {
    found.push(finding(`${it.id} may sign on every trigger`, 'list the triggers, such as push'));
  }
  return found;
}

function lintKeys(
  { release, verification, freshness }: ScopePolicy,
  trust: TrustPolicy,
  nowMs: number,
): readonly Finding[] {
  const keys = [...release.anyOf, ...(verification?.anyOf ?? []), ...(freshness?.anyOf ?? [])];
  return keys.flatMap(({ id, fingerprint, notAfter }) => {
    const leftMs = Date.parse(notAfter) - nowMs;
    if (trust.revoked.keys.includes(fingerprint)) {
      return finding(`${id} is listed and revoked`, 'drop it');
    }
    if (leftMs <= 0) {
      return finding(`the window of ${id} ended ${notAfter}`, 'drop it, or give it a new one');
    }
    if (leftMs >= SOON_MS) return [];
    return finding(`the window of ${id} ends ${notAfter}`, 'add its successor now');
  });
}
