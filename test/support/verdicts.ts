// Real signers, a trust policy that knows two of them, and what becomes of an attestation that a test
// has spoiled. Verification runs in process here; the worker has tests of its own.
//
// SPDX-License-Identifier: Apache-2.0

import { collectEvidence } from '../../src/adapters/sigstore/collect.ts';
import type { BundleBytes } from '../../src/core/bundle.ts';
import type { ErrorCode } from '../../src/core/errors.ts';
import { judge } from '../../src/core/verify/judge.ts';
import type { TrustPolicy } from '../../src/core/verify/trust.ts';
import {
  type BundleJson,
  encodeJson,
  makeSigner,
  makeStatements,
  signBundle,
  trustIn,
} from './signed-bundle.ts';
import { makeContext } from './verify.ts';

export const signer = makeSigner();
/** Trusted as well. */
export const second = makeSigner();
export const stranger = makeSigner();
export const trust = trustIn(signer, second);

/** The codes of the verdict over a bundle; none means accepted. */
export function verdictOf(bytes: BundleBytes, by: TrustPolicy = trust): readonly ErrorCode[] {
  const evidence = collectEvidence(bytes, by);
  if (!evidence.ok) return [evidence.error.code];
  const verdict = judge(evidence.value, by, makeContext());
  return verdict.kind === 'accepted' ? [] : verdict.failures.map((it) => it.code);
}

/** Demands no provenance. */
export const ONLY_RELEASE: TrustPolicy = {
  ...trust,
  policies: trust.policies.map((it) => ({ ...it, provenance: null })),
};

/** The first code when this is all that is attached. */
export function firstCode(
  attestation: Uint8Array,
  statements = makeStatements(),
): ErrorCode | 'accepted' {
  const bytes = { ...statements.bytes, attestations: [attestation] };
  return verdictOf(bytes, ONLY_RELEASE)[0] ?? 'accepted';
}

/** What becomes of a good attestation that is spoiled as JSON. */
export async function spoiled(
  spoil: (bundle: BundleJson) => unknown,
): Promise<ErrorCode | 'accepted'> {
  const statements = makeStatements();
  const bundle = await signBundle(statements.release, signer);
  const returned = spoil(bundle);
  return firstCode(encodeJson(returned ?? bundle), statements);
}

/** One bit of the bytes behind base64, flipped. */
export function flipBit(base64: string, at: number): string {
  const bytes = Buffer.from(base64, 'base64');
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  return bytes.toString('base64');
}

/** Changes the DER of the signature. */
export function changeSignature(change: (der: Buffer) => Buffer) {
  return (bundle: BundleJson) => {
    for (const it of bundle.dsseEnvelope.signatures) {
      it.sig = change(Buffer.from(it.sig, 'base64')).toString('base64');
    }
  };
}

/** Puts fields into the envelope. */
export function setEnvelope(bundle: BundleJson, change: Partial<BundleJson['dsseEnvelope']>): void {
  Object.assign(bundle.dsseEnvelope, change);
}

/** Puts fields into the verification material. */
export function setMaterial(bundle: BundleJson, change: Record<string, unknown>): void {
  Object.assign(bundle.verificationMaterial, change);
}
