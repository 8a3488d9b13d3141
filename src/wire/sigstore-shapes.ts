// The shapes of sigstore bundles by version, strict: unknown fields, other spellings of base64 and lists
// without end are refused before any library sees them. Hosts read version 0.3 with one DSSE envelope and
// nothing else; `warder sigstore verify-bundle` reads every version that clients wrote.
//
// SPDX-License-Identifier: Apache-2.0

import * as z from 'zod';
import { MEDIA } from '../core/bundle.ts';

/** At most this many log entries, timestamps or certificates. */
export const ELEMENTS_MAX = 16;

const HINT_LENGTH_MAX = 256;
const HASHES_MAX = 64;
const CHECKPOINT_CHARS_MAX = 8192;
const OLD_MEDIA = 'application/vnd.dev.sigstore.bundle+json;version=';

// Base64 has many spellings of the same bytes; one is enough.
const base64 = z
  .string()
  .min(1)
  .refine((it) => Buffer.from(it, 'base64').toString('base64') === it, 'not canonical base64');

const digits = z.string().regex(/^(?:0|[1-9][0-9]{0,18})$/, 'not a whole number');

const promise = z.strictObject({ signedEntryTimestamp: base64 });
const proof = z.strictObject({
  logIndex: digits.default('0'),
  rootHash: base64,
  treeSize: digits,
  hashes: z.array(base64).max(HASHES_MAX).default([]),
  checkpoint: z.strictObject({ envelope: z.string().min(1).max(CHECKPOINT_CHARS_MAX) }),
});
const entry = {
  logIndex: digits.default('0'),
  logId: z.strictObject({ keyId: base64 }),
  kindVersion: z.strictObject({ kind: z.string().max(32), version: z.string().max(32) }),
  integratedTime: digits.default('0'),
  canonicalizedBody: base64,
};
// Without a proof an entry is a promise of the log alone: enough in version 0.1 only.
const promisedEntry = z.strictObject({
  ...entry,
  inclusionPromise: promise,
  inclusionProof: proof.optional(),
});
const provenEntry = z.strictObject({
  ...entry,
  inclusionPromise: promise.optional(),
  inclusionProof: proof,
});

const certificate = z.strictObject({ rawBytes: base64 });
const timestamps = z.strictObject({
  rfc3161Timestamps: z
    .array(z.strictObject({ signedTimestamp: base64 }))
    .max(ELEMENTS_MAX)
    .optional(),
});
const material = {
  publicKey: z.strictObject({ hint: z.string().max(HINT_LENGTH_MAX).default('') }).optional(),
  certificate: certificate.optional(),
  tlogEntries: z.array(provenEntry).max(ELEMENTS_MAX).optional(),
  timestampVerificationData: timestamps.optional(),
};
const chain = z.strictObject({ certificates: z.array(certificate).min(1).max(ELEMENTS_MAX) });
// In version 0.1 of some clients an absent message is null.
const oldMaterial = {
  ...material,
  x509CertificateChain: chain.optional(),
  timestampVerificationData: timestamps
    .nullable()
    .optional()
    .transform((it) => it ?? undefined),
};

const envelope = z.strictObject({
  payload: base64,
  payloadType: z.string().min(1).max(256),
  signatures: z.tuple([
    z.strictObject({ sig: base64, keyid: z.string().max(HINT_LENGTH_MAX).optional() }),
  ]),
});
const message = z.strictObject({
  messageDigest: z.strictObject({ algorithm: z.literal('SHA2_256'), digest: base64 }),
  signature: base64,
});

interface Proofs {
  readonly publicKey?: unknown;
  readonly certificate?: unknown;
  readonly x509CertificateChain?: unknown;
}

const hasOneProof = (it: Proofs): boolean =>
  [it.publicKey, it.certificate, it.x509CertificateChain].filter((one) => one !== undefined)
    .length === 1;
const ONE_PROOF = 'one of publicKey and certificate is needed';

/** What a host reads. */
export const hostShape = z.strictObject({
  mediaType: z.literal(MEDIA.sigstore),
  verificationMaterial: z.strictObject(material).refine(hasOneProof, ONE_PROOF),
  dsseEnvelope: envelope,
});

const content = { dsseEnvelope: envelope.optional(), messageSignature: message.optional() };
const hasOneContent = (it: { dsseEnvelope?: unknown; messageSignature?: unknown }) =>
  (it.dsseEnvelope === undefined) !== (it.messageSignature === undefined);
const ONE_CONTENT = 'one of dsseEnvelope and messageSignature is needed';

/** What clients write, by media type. */
export const CLIENT_SHAPES: ReadonlyMap<string, z.ZodType<ClientDocument>> = new Map([
  [`${OLD_MEDIA}0.1`, clientShape({ ...oldMaterial, tlogEntries: entries(promisedEntry) })],
  [`${OLD_MEDIA}0.2`, clientShape(oldMaterial)],
  [`${OLD_MEDIA}0.3`, clientShape(material)],
  [MEDIA.sigstore, clientShape(material)],
]);

function entries(one: typeof promisedEntry) {
  return z.array(one).max(ELEMENTS_MAX).optional();
}

function clientShape(of: z.ZodRawShape): z.ZodType<ClientDocument> {
  const shape = z.strictObject({
    mediaType: z.string(),
    verificationMaterial: z.strictObject(of).refine(hasOneProof, ONE_PROOF),
    ...content,
  });
  return shape.refine(hasOneContent, ONE_CONTENT) as unknown as z.ZodType<ClientDocument>;
}

/** A bundle of any version, as far as the versions agree. */
export interface ClientDocument {
  readonly verificationMaterial: {
    readonly publicKey?: { readonly hint: string } | undefined;
    readonly certificate?: z.infer<typeof certificate> | undefined;
    readonly x509CertificateChain?: z.infer<typeof chain> | undefined;
    readonly tlogEntries?:
      | readonly (z.infer<typeof promisedEntry> | z.infer<typeof provenEntry>)[]
      | undefined;
    readonly timestampVerificationData?: z.infer<typeof timestamps> | undefined;
  };
  readonly dsseEnvelope?: z.infer<typeof envelope> | undefined;
  readonly messageSignature?: z.infer<typeof message> | undefined;
}
