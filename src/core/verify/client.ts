// What `warder sigstore verify-bundle` demands of a bundle, in place of a trust policy: one identity or
// one key, and one artifact. The facts are collected by the code that a host uses.
//
// Invariant: a bundle is accepted only when who signed, what vouches for it and what it is about were all
// compared; nothing has a default that accepts.
//
// SPDX-License-Identifier: Apache-2.0

import { type Digest, shortDigest } from '../digest.ts';
import type { ErrorCode } from '../errors.ts';
import { err, type Failure, failure, ok, type Result } from '../result.ts';
import { say } from './check.ts';
import type { CertificateFact } from './evidence.ts';
import { checkThresholds } from './identity.ts';

/** Who must have signed. */
export type Demand =
  | { readonly kind: 'identity'; readonly issuer: string; readonly subject: string }
  /** The key itself is given to the verifier. */
  | { readonly kind: 'key' };

/** What a bundle proved; its signature holds. */
export interface ClientFact {
  readonly signer:
    | { readonly kind: 'key'; readonly fingerprint: Digest }
    | { readonly kind: 'certificate'; readonly certificate: CertificateFact };
  /** Distinct logs whose entry held. */
  readonly logs: number;
  /** Logs that the trusted root lists: where there are some, an entry is demanded. */
  readonly trustedLogs: number;
  readonly about:
    | {
        readonly kind: 'statement';
        readonly predicateType: string;
        readonly subjects: readonly Digest[];
      }
    | { readonly kind: 'file'; readonly digest: Digest };
}

const ONE_OF_EACH = { tlog: 1, ctlog: 1, timestamp: 1 };

/** Accepts a fact about the artifact by who was demanded, or says why not. */
export function judgeClient(fact: ClientFact, demand: Demand, artifact: Digest): Result<void> {
  const wrong = checkSigner(fact, demand) ?? checkAbout(fact, artifact);
  return wrong === null ? ok(undefined) : err(wrong);
}

function checkSigner({ signer, logs, trustedLogs }: ClientFact, demand: Demand): Failure | null {
  if (demand.kind === 'key') {
    if (signer.kind !== 'key') return refuse('verify/identity-required', 'a certificate signed it');
    if (logs > 0 || trustedLogs === 0) return null;
    return refuse('verify/tlog-invalid', 'the signature is in no log');
  }
  if (signer.kind !== 'certificate') return refuse('verify/identity-required', 'a key signed it');
  const { issuer, subject } = signer.certificate;
  if (issuer === demand.issuer && subject === demand.subject) {
    return checkThresholds(signer.certificate, ONE_OF_EACH);
  }
  const causes = [`issued by ${say(issuer)}`];
  return refuse('verify/identity-mismatch', `signed by ${say(subject)}`, causes);
}

function checkAbout({ about }: ClientFact, artifact: Digest): Failure | null {
  const digests = about.kind === 'file' ? [about.digest] : about.subjects;
  if (digests.includes(artifact)) return null;
  const first = digests[0] === undefined ? 'nothing' : shortDigest(digests[0]);
  const causes = [`the artifact is ${shortDigest(artifact)}`];
  return refuse('verify/subject-mismatch', `the bundle is about ${first}`, causes);
}

function refuse(code: ErrorCode, message: string, causes: readonly string[] = []): Failure {
  return failure(code, message, { causes });
}
