// A sigstore without servers, whose parts are the test's to bend: the authorities of @sigstore/mock, logs
// from paper-log.ts, and bundles put together by hand, of every kind of entry that logs keep.
//
// SPDX-License-Identifier: Apache-2.0

import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { initializeCA, initializeCTLog, initializeTSA } from '@sigstore/mock';
import { ISSUER, SUBJECT } from './keyless.ts';
import { makePaperLog, type PaperEntry, type PaperLog, sha256 } from './paper-log.ts';
import { PAYLOAD_TYPE } from './signed-bundle.ts';

const START = '2020-01-01T00:00:00Z';
const SHA256_OID = '2.16.840.1.101.3.4.2.1';

export type EntryKind =
  | 'hashedrekord 0.0.1'
  | 'hashedrekord 0.0.2'
  | 'dsse 0.0.1'
  | 'dsse 0.0.2'
  | 'intoto 0.0.2';

export type Authority = Awaited<ReturnType<typeof initializeCA>>;
export type Stamper = Awaited<ReturnType<typeof initializeTSA>>;
type CertificateLog = Awaited<ReturnType<typeof initializeCTLog>>;

/** Who signs: a key, and the certificate of it where there is one. */
export interface Leaf {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
  readonly certificate: Buffer | null;
}

export interface PaperSigstore {
  /** The time of the authorities, in whole seconds; a test may move it. */
  readonly clock: Date;
  readonly authority: Authority;
  readonly stamper: Stamper;
  readonly logs: { readonly v1: PaperLog; readonly v2: PaperLog };
  readonly root: PaperRoot;
}

interface Window {
  start?: string;
  end?: string;
}

export interface PaperRoot {
  mediaType: string;
  tlogs: PaperLog['listed'][];
  certificateAuthorities: { certChain: unknown; validFor: Window }[];
  ctlogs: PaperLog['listed'][];
  timestampAuthorities: { certChain: { certificates: unknown[] }; validFor: Window }[];
}

/** Makes one; its authorities begin at this moment. */
export async function makePaperSigstore(): Promise<PaperSigstore> {
  const clock = new Date(Math.floor(Date.now() / 1000) * 1000);
  const keys = { ca: ecdsa(), ct: ecdsa(), tsa: ecdsa() };
  const authority = await makeAuthority(keys.ca, await initializeCTLog(keys.ct, clock), clock);
  const stamper = await initializeTSA(keys.tsa, clock);
  const logs = {
    v1: makePaperLog('rekor.example.com', 'p256'),
    v2: makePaperLog('log2.rekor.example.com', 'ed25519'),
  };
  const root: PaperRoot = {
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: [structuredClone(logs.v1.listed), structuredClone(logs.v2.listed)],
    certificateAuthorities: [listAuthority([authority.rootCertificate])],
    ctlogs: [listCertificateLog(keys.ct.publicKey)],
    timestampAuthorities: [listStamper(stamper)],
  };
  forward(clock);
  return { clock, authority, stamper, logs, root };
}

/** Moves a clock past the beginning of every certificate that was made until now. */
export function forward(clock: Date): void {
  clock.setTime(Math.ceil(Date.now() / 1000) * 1000 + 1000);
}

export const makeAuthority = (
  keys: ReturnType<typeof ecdsa>,
  log: CertificateLog,
  clock: Date,
): Promise<Authority> => initializeCA(keys, log, clock);

export const ecdsa = () => generateKeyPairSync('ec', { namedCurve: 'P-256' });

export function listCertificateLog(key: KeyObject): PaperLog['listed'] {
  const der = key.export({ type: 'spki', format: 'der' });
  return {
    baseUrl: 'https://ct.example.com',
    hashAlgorithm: 'SHA2_256',
    publicKey: {
      rawBytes: der.toString('base64'),
      keyDetails: 'PKIX_ECDSA_P256_SHA_256',
      validFor: { start: START },
    },
    logId: { keyId: sha256(der).toString('base64') },
  };
}

export function listAuthority(certificates: readonly ArrayBufferView[]) {
  const rawBytes = (it: ArrayBufferView) => toBuffer(it).toString('base64');
  const validFor: Window = { start: START };
  return {
    subject: { organization: 'example', commonName: 'example' },
    uri: 'https://example.com',
    certChain: { certificates: certificates.map((it) => ({ rawBytes: rawBytes(it) })) },
    validFor,
  };
}

export const listStamper = (it: Stamper) => listAuthority([it.intCertificate, it.rootCertificate]);

/** Asks the authority for a certificate over a new key. */
export async function makeLeaf(authority: Authority): Promise<Leaf> {
  const keys = ecdsa();
  const certificate = await authority.issueCertificate({
    publicKey: keys.publicKey.export({ type: 'spki', format: 'der' }) as never,
    subjectAltName: SUBJECT,
    extensions: [{ oid: '1.3.6.1.4.1.57264.1.8', value: ISSUER }],
  });
  return { ...keys, certificate: toBuffer(certificate) };
}

/** A time of the authority over a signature, with its certificate inside or without. */
export async function stamp(by: Stamper, signature: Buffer, certReq = true): Promise<string> {
  const artifactHash = sha256(signature);
  const policyOID = '1.3.6.1.4.1.57264.2';
  const asked = { artifactHash, hashAlgorithmOID: SHA256_OID, nonce: 7, policyOID, certReq };
  return toBuffer(await by.timestamp(asked)).toString('base64');
}

/** What was signed: a file, or a statement in an envelope. */
export interface SignedThing {
  readonly kind: 'file' | 'statement';
  readonly bytes: Buffer;
  readonly signature: Buffer;
}

export function signThing(kind: SignedThing['kind'], bytes: Buffer, by: Leaf): SignedThing {
  return { kind, bytes, signature: sign('sha256', covered(kind, bytes), by.privateKey) };
}

/** The bytes under the signature. */
function covered(kind: SignedThing['kind'], bytes: Buffer): Buffer {
  if (kind === 'file') return bytes;
  return Buffer.concat([
    Buffer.from(`DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${bytes.length} `),
    bytes,
  ]);
}

/** The body that a log keeps of it, by kind. */
export function bodyOf(kind: EntryKind, thing: SignedThing, by: Leaf) {
  const [name = '', apiVersion = ''] = kind.split(' ');
  const hash = (data: Buffer) => ({ algorithm: 'sha256', value: sha256(data).toString('hex') });
  const content = thing.signature.toString('base64');
  const pem = Buffer.from(pemOf(by)).toString('base64');
  const signed = covered(thing.kind, thing.bytes);
  const digest = (data: Buffer) => ({
    algorithm: 'SHA2_256',
    digest: sha256(data).toString('base64'),
  });
  const signature = { content, verifier: verifierOf(by) };
  const specs: Readonly<Record<EntryKind, unknown>> = {
    'hashedrekord 0.0.1': {
      data: { hash: hash(signed) },
      signature: { content, publicKey: { content: pem } },
    },
    'hashedrekord 0.0.2': { hashedRekordV002: { data: digest(signed), signature } },
    'dsse 0.0.1': {
      envelopeHash: hash(Buffer.from('the envelope as it was sent')),
      payloadHash: hash(thing.bytes),
      signatures: [{ signature: content, verifier: pem }],
    },
    'dsse 0.0.2': { dsseV002: { payloadHash: digest(thing.bytes), signatures: [signature] } },
    'intoto 0.0.2': {
      content: {
        envelope: {
          payloadType: PAYLOAD_TYPE,
          signatures: [{ sig: Buffer.from(content).toString('base64'), publicKey: pem }],
        },
        hash: hash(Buffer.from('the envelope as it was sent')),
        payloadHash: hash(thing.bytes),
      },
    },
  };
  return { kind: name, apiVersion, spec: specs[kind] };
}

function verifierOf({ publicKey, certificate }: Leaf) {
  const keyDetails = 'PKIX_ECDSA_P256_SHA_256';
  if (certificate !== null) {
    return { keyDetails, x509Certificate: { rawBytes: certificate.toString('base64') } };
  }
  const der = publicKey.export({ type: 'spki', format: 'der' });
  return { keyDetails, publicKey: { rawBytes: der.toString('base64') } };
}

function pemOf({ publicKey, certificate }: Leaf): string {
  if (certificate === null) return publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}

export interface PaperBundle {
  mediaType: string;
  verificationMaterial: {
    certificate?: { rawBytes: string };
    x509CertificateChain?: { certificates: { rawBytes: string }[] };
    publicKey?: { hint: string };
    tlogEntries: PaperEntry[];
    timestampVerificationData: { rfc3161Timestamps: { signedTimestamp: string }[] };
  };
  messageSignature?: {
    messageDigest: { algorithm: string; digest: string };
    signature: string;
  };
  dsseEnvelope?: { payload: string; payloadType: string; signatures: { sig: string }[] };
}

/** Puts a bundle of version 0.3 together. */
export function bundleOf(
  thing: SignedThing,
  by: Leaf,
  tlogEntries: PaperEntry[],
  stamps: readonly string[],
): PaperBundle {
  const rfc3161Timestamps = stamps.map((signedTimestamp) => ({ signedTimestamp }));
  const proof =
    by.certificate === null
      ? { publicKey: { hint: 'any' } }
      : { certificate: { rawBytes: by.certificate.toString('base64') } };
  const sig = thing.signature.toString('base64');
  const content =
    thing.kind === 'file'
      ? {
          messageSignature: {
            messageDigest: {
              algorithm: 'SHA2_256',
              digest: sha256(thing.bytes).toString('base64'),
            },
            signature: sig,
          },
        }
      : {
          dsseEnvelope: {
            payload: thing.bytes.toString('base64'),
            payloadType: PAYLOAD_TYPE,
            signatures: [{ sig }],
          },
        };
  const timestampVerificationData = { rfc3161Timestamps };
  return {
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: { ...proof, tlogEntries, timestampVerificationData },
    ...content,
  };
}

export function toBuffer(it: ArrayBufferView): Buffer {
  return Buffer.from(it.buffer, it.byteOffset, it.byteLength);
}
