// Whether a signed statement counts: is it about this bundle, and by a key that the scope trusts now.
// Everything here only skips a candidate; nothing that a stranger attaches can refuse a bundle that is
// otherwise good (VERIFY-3), so removing an attestation never helps.
//
// SPDX-License-Identifier: Apache-2.0

import type { Signer } from '../bundle.ts';
import type { Digest } from '../digest.ts';
import { shortDigest } from '../digest.ts';
import { err, type Failure, failure, ok, type Result } from '../result.ts';
import { say } from './check.ts';
import type { CertificateFact, SignedFact } from './evidence.ts';
import { checkThresholds, findIdentity } from './identity.ts';
import type { ScopePolicy, TrustedKey, TrustPolicy } from './trust.ts';
import type { VerifyContext } from './verdict.ts';

/** What statements are judged by. */
export interface Court {
  readonly digest: Digest;
  readonly scope: ScopePolicy;
  readonly trust: TrustPolicy;
  readonly context: Pick<VerifyContext, 'nowMs' | 'purpose'>;
}

/** The trusted signers behind a statement about this bundle; at least one, or the reason why none. */
export function checkSigned(fact: SignedFact, court: Court): Result<readonly Signer[]> {
  if (!fact.subjects.includes(court.digest)) {
    const about = fact.subjects[0] === undefined ? 'nothing' : shortDigest(fact.subjects[0]);
    return err(
      failure(
        'verify/subject-mismatch',
        `a ${say(fact.predicateType)} statement is about ${about}`,
      ),
    );
  }
  if (fact.certificate !== undefined) {
    const signer = checkCertificate(fact.certificate, court);
    return signer.ok ? ok([signer.value]) : signer;
  }
  const signers: Signer[] = [];
  let reason: Failure | null = null;
  for (const fingerprint of fact.keys) {
    const key = checkKey(fingerprint, court);
    if (key.ok) signers.push({ id: key.value.id, kind: 'key', fingerprint });
    else reason ??= key.error;
  }
  if (signers.length > 0) return ok(signers);
  return err(reason ?? failure('verify/key-unknown', 'no key signed the statement'));
}

// Revoked beats listed, here too. A replay judges the same: what vouches for the time is in the evidence.
function checkCertificate(certificate: CertificateFact, court: Court): Result<Signer> {
  const { scope, trust } = court;
  if (trust.revoked.identities.includes(certificate.subject)) {
    const who = say(certificate.subject);
    return err(failure('verify/identity-revoked', `the identity ${who} is revoked`));
  }
  const identity = findIdentity(certificate, scope.release.identities);
  if (!identity.ok) return identity;
  const short = checkThresholds(certificate, scope.thresholds);
  if (short !== null) return err(short);
  const { fingerprint } = certificate;
  return ok({ id: identity.value.id, kind: 'identity', fingerprint });
}

// VERIFY-4: revoked beats listed; a window includes its first and excludes its last moment. A replay
// ignores the window: what was admitted inside it stays admitted (only revocation or removal distrusts).
function checkKey(fingerprint: Digest, court: Court): Result<TrustedKey> {
  const name = shortDigest(fingerprint);
  if (court.trust.revoked.keys.includes(fingerprint)) {
    return err(failure('verify/key-revoked', `the signing key ${name} is revoked`));
  }
  const key = court.scope.release.anyOf.find((it) => it.fingerprint === fingerprint);
  if (key === undefined && court.scope.release.anyOf.length === 0) {
    return err(failure('verify/identity-required', 'signed by a key; the scope trusts identities'));
  }
  if (key === undefined) {
    return err(
      failure('verify/key-unknown', `the signing key ${name} is not trusted for this scope`, {
        causes: [`scope ${court.scope.scope} of trust policy version ${court.trust.version}`],
      }),
    );
  }
  const { nowMs, purpose } = court.context;
  // Written so that a time that does not parse (NaN) is outside.
  const inside = nowMs >= Date.parse(key.notBefore) && nowMs < Date.parse(key.notAfter);
  if (inside || purpose === 'replay') return ok(key);
  return err(
    failure('verify/key-expired', `the key ${key.id} is outside its window`, {
      causes: [`valid from ${key.notBefore} until ${key.notAfter}`],
    }),
  );
}
