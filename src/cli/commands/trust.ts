// `warder trust explain`, `lint` and `test`: what a trust policy admits, in words, before a host goes by it.
//
// SPDX-License-Identifier: Apache-2.0

import { shortDigest } from '../../core/digest.ts';
import { type Failure, failure } from '../../core/result.ts';
import { escapeText } from '../../core/text.ts';
import { lintTrust } from '../../core/verify/lint-trust.ts';
import type { ScopePolicy, TrustPolicy } from '../../core/verify/trust.ts';
import { runFixture, type TrustFixture } from '../../core/verify/trust-fixture.ts';
import { done, failed, type Json, type Outcome } from '../outcome.ts';
import { counted, fields } from '../text-blocks.ts';

/** Says what each rule admits. */
export function explainTrust(trust: TrustPolicy): Outcome {
  const text = [
    `trust policy version ${trust.version}, ${trust.fingerprint}`,
    fields([
      ['changed by', rootsLine(trust)],
      ['break-glass by', glassLine(trust)],
      ['revoked', revokedLine(trust)],
      ['what is active and distrusted', DISTRUSTED[trust.onDistrustedLkg]],
    ]),
    ...trust.policies.map(scopeText),
    'everything else is refused',
  ].join('\n');
  return done('TrustExplanation', { trust: trust as unknown as Json }, text);
}

const DISTRUSTED = {
  'keep-and-alert': 'stays in force, with an alert',
  baseline: 'is taken out of force; the baseline stays',
} as const;

function rootsLine({ roots }: TrustPolicy): string {
  if (roots === null) return 'whoever can write the file on the host';
  const names = roots.keys.map((it) => `${escapeText(it.id)} (${shortDigest(it.fingerprint)})`);
  return `${roots.threshold} of ${names.join(', ')}, together`;
}

function glassLine({ breakGlass }: TrustPolicy): string {
  if (breakGlass === null) return 'nobody: only a boot parameter ends enforcement';
  const names = breakGlass.keys.map(
    (it) => `${escapeText(it.id)} (${shortDigest(it.fingerprint)})`,
  );
  const { threshold, maxMinutes } = breakGlass;
  return `${threshold} of ${names.join(', ')}, for at most ${maxMinutes} minutes`;
}

function revokedLine({ revoked }: TrustPolicy): string {
  const { digests, keys, identities } = revoked;
  const all = [
    ...digests.map(shortDigest),
    ...keys.map((it) => `key ${shortDigest(it)}`),
    ...identities.map(escapeText),
  ];
  return all.length === 0 ? 'nothing' : all.join(', ');
}

function scopeText(scope: ScopePolicy): string {
  const { release, provenance, verification, freshness, channels, tenant } = scope;
  const signers = [
    ...release.anyOf.map(
      (it) => `${it.id}: key ${shortDigest(it.fingerprint)}, ${it.notBefore} to ${it.notAfter}`,
    ),
    ...release.identities.map((it) => `${it.id}: ${it.subject}, says ${it.issuer}`),
  ];
  const heads = freshness === null ? [] : [...freshness.anyOf, ...freshness.identities];
  return [
    `${escapeText(scope.name)}: bundles of ${escapeText(scope.scope)} and below`,
    fields([
      ['channels', channels.join(', ')],
      ['tenant', tenant ?? 'any'],
      ['signed by', `at least ${release.minimumMatches} of these${amongThem(release.allOf)}`],
      ...signers.map((it) => ['', it] as const),
      [
        'built by',
        provenance === null
          ? 'anybody: provenance is not demanded'
          : `${provenance.builderIds.join(', ')}, by the word of ${speakers(scope)}`,
      ],
      ['built from', provenance === null ? null : provenance.sourceRepositories.join(', ')],
      ['verified by', verifierLine(verification)],
      [
        'newest by',
        freshness === null
          ? 'nobody: no head is demanded'
          : `a head of ${heads.map((it) => it.id).join(' or ')}, at most ${freshness.maxAgeMs / 60_000} minutes old`,
      ],
      ['version', `at most ${scope.maxVersionStep} above the highest seen`],
    ]),
  ].join('\n');
}

function speakers({ release, provenance }: ScopePolicy): string {
  const all = [...release.anyOf, ...release.identities].map((it) => it.id);
  return (provenance?.signers ?? all).join(' or ');
}

const amongThem = (allOf: readonly string[]) =>
  allOf.length === 0 ? '' : `, always ${allOf.join(' and ')} among them`;

function verifierLine(demand: ScopePolicy['verification']): string {
  if (demand === null) return 'nobody else: no verification summary is demanded';
  const who = [...demand.anyOf, ...demand.identities].map((it) => it.id).join(' or ');
  const what = `${demand.verifier} to ${demand.levels.join(', ')}`;
  return `${what}, signed by ${who}, at most ${demand.maxAgeMs / 60_000} minutes ago`;
}

/** Warns of what the author may not have meant; warnings alone are a success. */
export function lintTrustPolicy(trust: TrustPolicy, nowMs: number): Outcome {
  const findings = lintTrust(trust, nowMs);
  const lines = findings.map(
    ({ where, text, hint }) =>
      `warning: ${escapeText(where)}: ${escapeText(text)}\n  hint: ${escapeText(hint)}`,
  );
  const summary = `version ${trust.version}, ${counted(trust.policies.length, 'policy')}, ${counted(findings.length, 'warning')}`;
  return done(
    'TrustLint',
    { version: trust.version, warnings: findings as unknown as Json },
    [...lines, summary].join('\n'),
  );
}

/** Judges fixtures; one that does not come out as expected is a failure. */
export function testTrustPolicy(trust: TrustPolicy, fixtures: readonly TrustFixture[]): Outcome {
  const results = fixtures.map((it) => runFixture(it, trust));
  const failures = results
    .filter((it) => !it.passed)
    .map(({ name, expected, outcome }): Failure => {
      const got = outcome.length === 0 ? 'admitted' : outcome.join(', ');
      return failure('trust/fixture-failed', `${name}: expected ${expected}, got ${got}`);
    });
  const document = {
    passed: results.length - failures.length,
    results: results as unknown as Json,
  };
  const [first, ...rest] = failures;
  if (first !== undefined) return failed('TrustTests', [first, ...rest], document);
  return done('TrustTests', document, `${counted(results.length, 'fixture')} passed`);
}
