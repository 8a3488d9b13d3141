// The good bundle of test/support/verify.ts as real bytes: real keys, real DSSE signatures, real hashes.
// Hostile variants are made by the tests from these.
//
// SPDX-License-Identifier: Apache-2.0

import { createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { bundleToJSON } from '@sigstore/bundle';
import { DSSEBundleBuilder } from '@sigstore/sign';
import {
  type BundleBytes,
  type BundleDescriptor,
  type BundleFile,
  MEDIA,
} from '../../src/core/bundle.ts';
import { type Digest, digestHex } from '../../src/core/digest.ts';
import type { TrustPolicy } from '../../src/core/verify/trust.ts';
import { digestOf } from '../../src/wire/content.ts';
import { encodeDescriptor } from '../../src/wire/descriptor.ts';
import { encodeManifest } from '../../src/wire/manifest.ts';
import { encodeProvenance, encodeReleaseStatement } from '../../src/wire/statement.ts';
import { fingerprintKey } from '../../src/wire/trust-key.ts';
import { type BundleContent, makeBundleContent } from './bundle-content.ts';
import { makeProvenance, makeScope, makeTrust, makeTrustedKey } from './verify.ts';

export const PAYLOAD_TYPE = 'application/vnd.in-toto+json';

/** Somebody who can sign. */
export interface TestSigner {
  readonly publicKeyPem: string;
  readonly privateKey: KeyObject;
  readonly fingerprint: Digest;
}

export function makeSigner(): TestSigner {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicKeyPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  return { publicKeyPem, privateKey, fingerprint: fingerprintKey(publicKey) };
}

/** The parts of a sigstore bundle that the tests spoil. */
export interface BundleJson {
  mediaType: string;
  verificationMaterial: Record<string, unknown>;
  dsseEnvelope: { payload: string; payloadType: string; signatures: { sig: string }[] };
}

/** A sigstore bundle over any payload, as its library writes it. */
export async function signBundle(
  payload: Uint8Array,
  by: TestSigner,
  { hint = by.fingerprint as string, payloadType = PAYLOAD_TYPE } = {},
): Promise<BundleJson> {
  const builder = new DSSEBundleBuilder({
    signer: {
      sign: async (data) => ({
        signature: createSign('sha256').update(data).sign(by.privateKey),
        key: { $case: 'publicKey', publicKey: by.publicKeyPem, hint },
      }),
    },
    witnesses: [],
  });
  const bundle = await builder.create({ data: Buffer.from(payload), type: payloadType });
  return bundleToJSON(bundle) as unknown as BundleJson;
}

/** JSON as bytes. */
export function encodeJson(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** A bundle's bytes as a registry port answers them. */
export function toBundleBytes(
  content: BundleContent,
  attestations: readonly Uint8Array[] = [],
): BundleBytes {
  const [config, ...files] = content.blobs;
  return {
    digest: digestOf(content.manifest),
    manifest: content.manifest,
    config: config?.bytes ?? new Uint8Array(),
    files: files.map(({ descriptor, bytes }) => ({ digest: descriptor.digest, bytes })),
    attestations,
  };
}

/** The bytes of a bundle with another compiled policy, and a manifest that lists what it is told. */
export function makeBytesWith(
  ir: Uint8Array,
  list: (files: readonly BundleFile[]) => readonly BundleFile[] = (files) => files,
): BundleBytes {
  const { descriptor, blobs } = makeBundleContent('registry.example.com/policies/web', 7);
  const files = descriptor.files.map((it) =>
    it.mediaType === MEDIA.ir ? { ...it, digest: digestOf(ir), size: ir.length } : it,
  );
  const config = encodeDescriptor({ ...descriptor, files });
  const manifest = encodeManifest({
    config: { mediaType: MEDIA.config, digest: digestOf(config), size: config.length },
    files: list(files),
  });
  const [, ...others] = blobs.filter((it) => it.descriptor.mediaType !== MEDIA.ir);
  const bytes = [...others.map((it) => it.bytes), ir];
  return {
    digest: digestOf(manifest),
    manifest,
    config,
    files: bytes.map((it) => ({ digest: digestOf(it), bytes: it })),
    attestations: [],
  };
}

/** A bundle with its release statement and provenance, not signed yet. */
export function makeStatements(change: Partial<BundleDescriptor> = {}) {
  const content = makeBundleContent('registry.example.com/policies/web', 7, change);
  const bytes = toBundleBytes(content);
  const { descriptor } = content;
  const { repository, ref, commit } = descriptor.source;
  const provenance = makeProvenance({ repository, ref, commit });
  return {
    content,
    bytes,
    release: encodeReleaseStatement(descriptor, bytes.digest),
    provenance: encodeProvenance(descriptor, bytes.digest, provenance),
  };
}

/** A bundle that is good in every respect. */
export async function makeSignedBundle(by: TestSigner, change: Partial<BundleDescriptor> = {}) {
  const made = makeStatements(change);
  const attestations = [
    encodeJson(await signBundle(made.release, by)),
    encodeJson(await signBundle(made.provenance, by)),
  ];
  return { ...made, bytes: { ...made.bytes, attestations } };
}

/** The trust policy that admits these signers, each one enough. */
export function trustIn(...signers: readonly TestSigner[]): TrustPolicy {
  const anyOf = signers.map((it, at) =>
    makeTrustedKey(`signer-${at}`, it.fingerprint, it.publicKeyPem),
  );
  const scope = makeScope();
  return makeTrust({ policies: [{ ...scope, release: { ...scope.release, anyOf } }] });
}

/** The base64 spelling that cosign hints with. */
export function cosignHint(by: TestSigner): string {
  return Buffer.from(digestHex(by.fingerprint), 'hex').toString('base64');
}
