// What a trust policy allows that its author may not have meant. It is valid, or it would not have been
// read; these are the ways in which valid policies have failed their owners.
//
// SPDX-License-Identifier: Apache-2.0

import type { ScopePolicy, TrustPolicy } from './trust.ts';

/** One thing to think about, and what to do about it. */
export interface TrustFinding {
  /** The scope by name, or what else it is about. */
  readonly where: string;
  readonly text: string;
  readonly hint: string;
}

const SOON_MS = 30 * 86_400_000;

/** Everything worth a second look. */
export function lintTrust(trust: TrustPolicy, nowMs: number): readonly TrustFinding[] {
  return [
    ...lintRoots(trust),
    ...lintGlass(trust),
    ...trust.policies.flatMap((it) => lintScope(it, trust, nowMs)),
  ];
}

function lintRoots({ roots, force }: TrustPolicy): readonly TrustFinding[] {
  const found: TrustFinding[] = [];
  const say = (where: string, text: string, hint: string) => found.push({ where, text, hint });
  if (force)
    say(
      'force',
      'applies even where it distrusts what is active',
      'leave it out of the next version',
    );
  if (roots === null) {
    say(
      'roots',
      'whoever can write the file on a host decides alone',
      'name roots that sign versions',
    );
    return found;
  }
  const { threshold, keys } = roots;
  if (threshold === 1)
    say('roots', 'one root key alone can change everything', 'demand two of three');
  if (threshold === keys.length) {
    say('roots', 'one lost root key ends every change', 'name one root more than the threshold');
  }
  return found;
}

function lintGlass({ breakGlass, policies }: TrustPolicy): readonly TrustFinding[] {
  const say = (text: string, hint: string) => ({ where: 'breakGlass', text, hint });
  if (breakGlass === null) {
    return [
      say(
        'nobody can let go of a rule that locks you out',
        'name keys, or keep a way to the console',
      ),
    ];
  }
  const releasing = policies.flatMap((it) => it.release.anyOf.map((key) => key.fingerprint));
  return [
    ...(breakGlass.threshold === 1
      ? [say('one key alone can end enforcement on a host', 'demand two')]
      : []),
    ...breakGlass.keys
      .filter((it) => releasing.includes(it.fingerprint))
      .map((it) => say(`${it.id} signs releases too`, 'give it a key of its own')),
  ];
}

function lintScope(scope: ScopePolicy, trust: TrustPolicy, nowMs: number): readonly TrustFinding[] {
  const found: TrustFinding[] = [];
  const say = (text: string, hint: string) => found.push({ where: scope.name, text, hint });
  const { minimumMatches, anyOf, identities } = scope.release;
  const signers = anyOf.length + identities.length;
  if (minimumMatches === 1)
    say('one signer alone can release', 'demand two, such as CI and a person');
  if (minimumMatches === signers && signers > 1) {
    say('one lost signer ends every release', 'list one signer more than are demanded');
  }
  if (scope.provenance === null) say('provenance is not demanded', 'name builders and sources');
  if (scope.freshness === null) {
    say(
      'nothing tells when new bundles are hidden',
      'demand heads: freshness { head: required, maxAge }',
    );
  }
  if (scope.tenant === null) say('every tenant is admitted', 'name the tenant');
  for (const it of identities) {
    if (it.repositoryId === null && it.subject.startsWith('https://')) {
      say(
        `${it.id} is known by a name that may be given to others`,
        'add repositoryId and ownerId',
      );
    }
    if (it.triggers === null && it.subject.endsWith('*')) {
      say(`${it.id} may sign on every trigger`, 'list the triggers, such as push');
    }
  }
  for (const { id, fingerprint, notAfter } of [...anyOf, ...(scope.freshness?.anyOf ?? [])]) {
    const leftMs = Date.parse(notAfter) - nowMs;
    if (trust.revoked.keys.includes(fingerprint)) say(`${id} is listed and revoked`, 'drop it');
    else if (leftMs <= 0)
      say(`the window of ${id} ended ${notAfter}`, 'drop it, or give it a new one');
    else if (leftMs < SOON_MS) say(`the window of ${id} ends ${notAfter}`, 'add its successor now');
  }
  return found.filter(({ text }, at) => found.findIndex((it) => it.text === text) === at);
}
