// A sigstore bundle of any version -> one fact, by the code that hosts use: the same strict reading, the
// same anchors, the same checks of log entries and certificates. What differs is which versions are read
// and who decides (core/verify/client.ts). Runs in the verifier's worker.
//
// SPDX-License-Identifier: Apache-2.0

import { createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { Digest } from '../../core/digest.ts';
import { err, failure, ok, type Result } from '../../core/result.ts';
import { escapeAndCut } from '../../core/text.ts';
import type { ClientFact } from '../../core/verify/client.ts';
import type { TrustedRootText } from '../../core/verify/trust.ts';
import { digestOf } from '../../wire/content.ts';
import { type ClientBundle, parseClientBundle } from '../../wire/sigstore-bundle.ts';
import { CLIENT_STATEMENTS, parseStatement } from '../../wire/statement.ts';
import { fingerprintKey, parsePublicKey } from '../../wire/trust-key.ts';
import { makeRootAnchors, NO_ANCHORS } from './anchors.ts';
import { holdsOverDigest } from './prehashed.ts';
import { type Anchors, type Signed, verifySignature } from './signature.ts';

const PAYLOAD_TYPE = 'application/vnd.in-toto+json';

/** What the worker is asked about one bundle. */
export interface ClientTask {
  readonly bundle: Uint8Array;
  /** The whole artifact, or its digest where only that is known. */
  readonly artifact: Uint8Array | Digest;
  /** PEM of the key that must have signed; null for a certificate. */
  readonly key: string | null;
  readonly root: TrustedRootText | null;
}

/** Verifies a bundle and says what it proved. */
export function collectClientFact({ key, root, ...asked }: ClientTask): Result<ClientFact> {
  const anchors = makeClientAnchors(key, root);
  return anchors.ok ? collectFactUnder(anchors.value, asked) : anchors;
}

/** What a bundle of a client is verified against. */
export interface ClientAnchors extends Anchors {
  readonly hasKey: boolean;
  readonly hasRoot: boolean;
}

/** The same, against anchors that were made before. */
export function collectFactUnder(
  anchors: ClientAnchors,
  { bundle, artifact }: Pick<ClientTask, 'bundle' | 'artifact'>,
): Result<ClientFact> {
  const parsed = parseClientBundle(bundle, anchors.hasRoot);
  if (!parsed.ok) return parsed;
  const { proof, content } = parsed.value;
  if (!anchors.hasKey && proof.kind === 'key') {
    return err(failure('verify/identity-required', 'a key signed it, not a certificate'));
  }
  // Roots come from the trusted root. One in a bundle is there for a client that would believe it.
  if (parsed.value.issuers.some(isRootOrNone)) {
    const what = 'the chain of the bundle has a root, or something that is no certificate';
    return err(failure('verify/bundle-invalid', what));
  }
  if (content.kind === 'statement') {
    const signed = verifySignature(parsed.value, anchors);
    return signed.ok ? readStatement(parsed.value, signed.value, content, anchors) : signed;
  }
  // The library compares the log with this digest, and the signature with the file: not the two.
  if ((typeof artifact === 'string' ? artifact : digestOf(artifact)) !== content.digest) {
    return err(failure('verify/subject-mismatch', 'the bundle is about another file'));
  }
  const file =
    typeof artifact === 'string'
      ? { holds: (key: KeyObject, bytes: Uint8Array) => holdsOverDigest(artifact, key, bytes) }
      : artifact;
  const signed = verifySignature(parsed.value, anchors, file);
  if (!signed.ok) return signed;
  const about = { kind: 'file', digest: content.digest } as const;
  return ok({ ...describe(parsed.value, signed.value, anchors), about });
}

function isRootOrNone(der: Uint8Array): boolean {
  try {
    const certificate = new X509Certificate(der);
    return certificate.subject === certificate.issuer;
  } catch {
    // Whatever a parser throws at a stranger's bytes, it is no certificate.
    return true;
  }
}

/** Prepares the anchors: a key that was named, a trusted root, or both. */
export function makeClientAnchors(
  key: string | null,
  root: TrustedRootText | null,
): Result<ClientAnchors> {
  const anchors = root === null ? ok(NO_ANCHORS) : makeRootAnchors(root);
  if (!anchors.ok) return anchors;
  const made = { ...anchors.value, hasKey: key !== null, hasRoot: root !== null };
  if (key === null) return ok(made);
  const parsed = parsePublicKey(key);
  if (!parsed.ok) return parsed;
  const publicKey = createPublicKey(parsed.value.publicKeyPem);
  // The hint was chosen by whoever wrote the bundle; the key was named by whoever asks.
  return ok({ ...made, ring: { get: () => publicKey } });
}

function readStatement(
  bundle: ClientBundle,
  signed: Signed,
  content: { readonly payloadType: string; readonly payload: Uint8Array },
  anchors: Anchors,
): Result<ClientFact> {
  if (content.payloadType !== PAYLOAD_TYPE) {
    const type = escapeAndCut(content.payloadType, 100);
    return err(failure('verify/payload-type', `what was signed is ${type}, not a statement`));
  }
  const statement = parseStatement(content.payload, CLIENT_STATEMENTS);
  if (!statement.ok) return statement;
  const { predicateType, subjects } = statement.value;
  return ok({
    ...describe(bundle, signed, anchors),
    about: { kind: 'statement', predicateType, subjects },
  });
}

function describe(bundle: ClientBundle, { key, certificate }: Signed, { material }: Anchors) {
  const logs = new Set(bundle.logEntries.map((it) => it.logId)).size;
  const signer =
    certificate === null
      ? ({ kind: 'key', fingerprint: fingerprintKey(key) } as const)
      : ({ kind: 'certificate', certificate } as const);
  return { signer, logs, trustedLogs: material.tlogs.length };
}
