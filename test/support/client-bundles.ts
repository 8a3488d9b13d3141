// Bundles as other sigstore clients write them, through the private sigstore: a statement or a file, under a
// certificate or a key, in a log of version 1 or 2, in the form of each version of the bundle.
//
// SPDX-License-Identifier: Apache-2.0

import { createHash, createSign, generateKeyPairSync } from 'node:crypto';
import { bundleToJSON } from '@sigstore/bundle';
import {
  DSSEBundleBuilder,
  MessageSignatureBundleBuilder,
  type Signer,
  TSAWitness,
} from '@sigstore/sign';
import { logWitness } from '../../src/adapters/sigstore/log-witness.ts';
import { MEDIA } from '../../src/core/bundle.ts';
import { ISSUER, SUBJECT } from './keyless.ts';
import type { PrivateSigstore } from './private-sigstore.ts';
import { encodeJson, PAYLOAD_TYPE, type TestSigner } from './signed-bundle.ts';

export const ARTIFACT = Buffer.from('what is signed\n');
export const ARTIFACT_DIGEST = digest(ARTIFACT);

const FETCHING = { timeout: 5000, retry: { retries: 0 } };

interface Material {
  certificate?: { rawBytes: string };
  x509CertificateChain?: { certificates: { rawBytes: string }[] };
  publicKey?: { hint: string };
  tlogEntries: ClientEntry[];
  timestampVerificationData?: { rfc3161Timestamps: { signedTimestamp: string }[] };
}

export interface ClientEntry {
  logIndex: string;
  canonicalizedBody: string;
  integratedTime: string;
  inclusionPromise?: { signedEntryTimestamp: string };
  inclusionProof?: { rootHash: string; treeSize: string; checkpoint: { envelope: string } };
}

/** The parts that tests spoil. */
export interface ClientJson {
  mediaType: string;
  verificationMaterial: Material;
  messageSignature?: { messageDigest: { digest: string }; signature: string };
  dsseEnvelope?: { payload: string; payloadType: string; signatures: { sig: string }[] };
}

interface Wanted {
  readonly content: 'statement' | 'file';
  readonly rekor?: 1 | 2;
  readonly by?: TestSigner;
  readonly witnesses?: readonly ('log' | 'time')[];
  readonly statement?: unknown;
  /** Runs between the certificate and the signature. */
  readonly meanwhile?: () => void;
}

/** Signs the artifact, or a statement about it. */
export async function signAsClient(sigstore: PrivateSigstore, wanted: Wanted): Promise<ClientJson> {
  const signer = wanted.by === undefined ? await certified(sigstore) : keyed(wanted.by);
  wanted.meanwhile?.();
  const log = { ...FETCHING, rekorBaseURL: sigstore.url, majorApiVersion: wanted.rekor ?? 1 };
  const witnesses = (wanted.witnesses ?? ['log', 'time']).map((it) =>
    it === 'log' ? logWitness(log) : new TSAWitness({ ...FETCHING, tsaBaseURL: sigstore.url }),
  );
  const options = { signer, witnesses };
  const made =
    wanted.content === 'file'
      ? await new MessageSignatureBundleBuilder(options).create({ data: ARTIFACT })
      : await new DSSEBundleBuilder(options).create({
          data: Buffer.from(encodeJson(wanted.statement ?? statementAbout(ARTIFACT_DIGEST))),
          type: PAYLOAD_TYPE,
        });
  return modern(bundleToJSON(made) as unknown as ClientJson);
}

// The builder of signatures over files writes version 0.2.
function modern(bundle: ClientJson): ClientJson {
  const { x509CertificateChain: chain, ...material } = bundle.verificationMaterial;
  const [leaf] = chain?.certificates ?? [];
  const certificate = leaf === undefined ? {} : { certificate: leaf };
  const verificationMaterial = { ...material, ...certificate };
  return { ...bundle, mediaType: MEDIA.sigstore, verificationMaterial };
}

/** A statement of some client about a digest. */
export function statementAbout(of: string, type = 'https://in-toto.io/Statement/v1') {
  return {
    _type: type,
    subject: [{ name: 'artifact', digest: { sha256: of.slice('sha256:'.length) } }],
    predicateType: 'https://example.com/predicate/v1',
    predicate: {},
  };
}

function keyed(by: TestSigner): Signer {
  return {
    sign: async (data) => ({
      signature: createSign('sha256').update(data).sign(by.privateKey),
      key: { $case: 'publicKey', publicKey: by.publicKeyPem, hint: 'any' },
    }),
  };
}

async function certified(sigstore: PrivateSigstore): Promise<Signer> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const der = await sigstore.authority.issueCertificate({
    publicKey: publicKey.export({ type: 'spki', format: 'der' }) as never,
    subjectAltName: SUBJECT,
    extensions: [{ oid: '1.3.6.1.4.1.57264.1.8', value: ISSUER }],
  });
  const bytes = Buffer.from(der.buffer, der.byteOffset, der.byteLength).toString('base64');
  const lines = bytes.match(/.{1,64}/g) ?? [];
  const pem = ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
  return {
    sign: async (data) => ({
      signature: createSign('sha256').update(data).sign(privateKey),
      key: { $case: 'x509Certificate', certificate: pem },
    }),
  };
}

/** The same bundle as an older client would have written it. */
export function asVersion(bundle: ClientJson, version: '0.1' | '0.2' | '0.3'): ClientJson {
  const mediaType = `application/vnd.dev.sigstore.bundle+json;version=${version}`;
  if (version === '0.3') return { ...bundle, mediaType };
  const { certificate, ...material } = structuredClone(bundle.verificationMaterial);
  if (version === '0.1') for (const it of material.tlogEntries) delete it.inclusionProof;
  const chain =
    certificate === undefined ? {} : { x509CertificateChain: { certificates: [certificate] } };
  return { ...bundle, mediaType, verificationMaterial: { ...material, ...chain } };
}

function digest(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
