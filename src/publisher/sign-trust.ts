// Signs versions of the trust policy and puts them where hosts look for them. A version is signed by one
// root after the other, on machines of their own: each adds its statement to the file and hands it on.
//
// Invariants: all statements in a file are about one document; the tag of a version never moves.
//
// SPDX-License-Identifier: Apache-2.0

import { formatReference, type Repository } from '../core/reference.ts';
import { err, type Failure, failure, ok, type Result } from '../core/result.ts';
import { isUnbound } from '../core/verify/provenance.ts';
import type { TrustPolicy } from '../core/verify/trust.ts';
import type { RegistryPort, RegistryWritePort, SignerPort } from '../ports.ts';
import { encodeCarrier } from '../wire/carrier.ts';
import {
  encodeTrustDocument,
  encodeTrustStatement,
  parseTrustDocument,
  readTrustDocument,
  trustTag,
} from '../wire/signed-trust.ts';

/** A signed version as it stands in its file. */
export interface SignedTrust {
  readonly policy: TrustPolicy;
  readonly statements: readonly Uint8Array[];
}

/** Adds one signature to those that are there. */
export async function signTrust(
  policy: TrustPolicy,
  before: readonly Uint8Array[],
  signer: SignerPort,
): Promise<Result<SignedTrust>> {
  const document = encodeTrustDocument(policy);
  const readable = parseTrustDocument(document);
  if (!readable.ok) return readable;
  const unbound = findUnbound(policy);
  if (unbound !== null) return err(unbound);
  if (before.length > 0) {
    const signed = readTrustDocument(before);
    if (!signed.ok) return signed;
    if (Buffer.compare(signed.value, document) !== 0) {
      return err(
        failure('trust/statement-invalid', 'the file holds signatures over another document', {
          hints: ['give --out another name, or sign the same trust policy with the same --force'],
        }),
      );
    }
  }
  // The same key twice is one signature.
  const others = before.filter((it) => signer.open(it) === null);
  const statement = await signer.sign(encodeTrustStatement(document));
  if (!statement.ok) return statement;
  return ok({ policy: readable.value, statements: [...others, statement.value] });
}

// TRUST-6: hosts go on by what was signed before; whoever writes a version now says who speaks for whom.
function findUnbound({ policies }: TrustPolicy): Failure | null {
  const names = policies.filter(isUnbound).map((it) => it.name);
  if (names.length === 0) return null;
  return failure('trust/builder-unbound', 'any signer of the release could speak for the builder', {
    causes: names.map((it) => `scope ${it} demands provenance, and does not say whose`),
    hints: ['write provenance { signers: [ID] } with the ids of those who build'],
  });
}

/** The file that carries a signed version. */
export function toTrustFile(statements: readonly Uint8Array[]): Uint8Array {
  return encodeCarrier('trust', statements).manifest;
}

/** Reads the version that statements are about. Nothing is verified: hosts do that. */
export function openTrust(statements: readonly Uint8Array[]): Result<SignedTrust> {
  const document = readTrustDocument(statements);
  if (!document.ok) return document;
  const policy = parseTrustDocument(document.value);
  return policy.ok ? ok({ policy: policy.value, statements }) : policy;
}

/** Pushes a version under its tag; answers the reference. */
export async function publishTrust(
  { policy, statements }: SignedTrust,
  registry: RegistryPort & RegistryWritePort,
  repository: Repository,
  channel: string,
): Promise<Result<string>> {
  const there = await registry.trust(repository, channel, policy.version);
  if (!there.ok) return there;
  if (there.value !== null) {
    const known = openTrust(there.value);
    if (known.ok && known.value.policy.fingerprint !== policy.fingerprint) {
      const what = `version ${policy.version} was published before with other content`;
      return err(failure('publish/version-taken', what, { hints: ['sign a higher version'] }));
    }
  }
  const { manifest, blobs } = encodeCarrier('trust', statements);
  const tag = trustTag(channel, policy.version);
  const pushed = await registry.push(repository, [tag], manifest, blobs);
  return pushed.ok ? ok(formatReference({ repository, tag, digest: null })) : pushed;
}
