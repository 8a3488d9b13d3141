// A certificate of a stranger -> what it says. Read twice, by two parsers that share no code, and refused
// where they differ: an identity that means one thing to one reader and another to the next is how names
// are smuggled (bad inputs I06, I12 to I14). Nothing here decides whether the certificate is trusted.
//
// SPDX-License-Identifier: Apache-2.0

import { createHash, X509Certificate as NodeCertificate } from 'node:crypto';
import { X509Certificate } from '@sigstore/core';
import type { Digest } from '../../core/digest.ts';
import { err, failure, ok, type Result } from '../../core/result.ts';
import { escapeAndCut } from '../../core/text.ts';
import type { CertificateClaims } from '../../core/verify/evidence.ts';

/** What a certificate says. */
export interface CertificateWords {
  readonly fingerprint: Digest;
  readonly issuer: string;
  readonly subject: string;
  readonly claims: CertificateClaims;
  /** Logs that its timestamps are of, as the certificate claims; verification decides. */
  readonly certificateLogs: readonly string[];
}

const CODE_SIGNING = '1.3.6.1.5.5.7.3.3';
const SUBJECT_ALTERNATIVE_NAMES = '0603551d11';
// DER of the object identifiers 1.3.6.1.4.1.57264.1.N for N below 128; compared as bytes, because a
// reader of text may take .10 for .1.
const FULCIO_ARC = '060a2b0601040183bf3001';
const ISSUER = 8;
const CLAIMS = {
  signerUri: 9,
  runner: 11,
  repository: 12,
  commit: 13,
  ref: 14,
  repositoryId: 15,
  ownerId: 17,
  workflowUri: 18,
  trigger: 20,
} as const;
const TEXT_LENGTH_MAX = 1024;
const PRINTABLE = /^[\x21-\x7e]+(?: [\x21-\x7e]+)*$/;

/** Reads a certificate; throws what its parsers throw, which the caller takes for a refusal. */
export function readCertificate(der: Uint8Array): Result<CertificateWords> {
  const bytes = Buffer.from(der);
  const node = attempt(() => new NodeCertificate(bytes));
  if (node === null) return untrusted('it is not a certificate');
  // OpenSSL reads the first certificate and ignores what follows.
  if (!node.raw.equals(bytes)) return untrusted('it is not one DER certificate');
  const { publicKey } = node;
  if (publicKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    const found = publicKey.asymmetricKeyDetails?.namedCurve ?? publicKey.asymmetricKeyType;
    return err(failure('verify/algorithm', `the certificate has a ${String(found)} key`));
  }
  if (node.ca) return untrusted('it is of an authority');
  if (!(node.keyUsage ?? []).includes(CODE_SIGNING)) return untrusted('it is not for signing code');
  const core = attempt(() => X509Certificate.parse(bytes));
  if (core === null) return untrusted('its DER is not that of a certificate');
  const extensions = readExtensions(core);
  if (extensions === null) return untrusted('an extension is there twice');
  const subject = readSubject(node, core);
  if (subject === null) return mismatch(node.subjectAltName ?? '');
  const texts = new Map<number, string>();
  for (const number of [ISSUER, ...Object.values(CLAIMS)]) {
    const raw = extensions.get(`${FULCIO_ARC}${number.toString(16).padStart(2, '0')}`);
    if (raw === undefined) continue;
    const text = readUtf8String(raw);
    if (text === null) return untrusted(`extension ${number} is not one printable UTF8String`);
    texts.set(number, text);
  }
  const issuer = texts.get(ISSUER);
  if (issuer === undefined) return untrusted('it does not say who issued the identity');
  const claims = Object.fromEntries(
    Object.entries(CLAIMS).map(([name, number]) => [name, texts.get(number) ?? null]),
  ) as unknown as CertificateClaims;
  const scts = core.extSCT?.signedCertificateTimestamps ?? [];
  return ok({
    fingerprint: `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest,
    issuer,
    subject,
    claims,
    certificateLogs: scts.map((it) => it.logID.toString('hex')),
  });
}

// S25: whatever a parser throws about bytes of a stranger (wrong tags, lengths, depth), it is no certificate.
function attempt<T>(parse: () => T): T | null {
  try {
    return parse();
  } catch {
    return null;
  }
}

/** Values by the DER of their object identifier; null when one is there twice. */
function readExtensions(core: X509Certificate): ReadonlyMap<string, Buffer> | null {
  const found = new Map<string, Buffer>();
  for (const extension of core.extensions) {
    const [oid] = extension.subs;
    const value = extension.subs.at(-1);
    if (oid === undefined || value === undefined) return null;
    const name = oid.toDER().toString('hex');
    if (found.has(name)) return null;
    found.set(name, value.value);
  }
  return found;
}

/** The only alternative name: an address or an e-mail, the same to both parsers. */
function readSubject(node: NodeCertificate, core: X509Certificate): string | null {
  const names = node.subjectAltName ?? '';
  const mine = core.subjectAltName;
  if (mine === undefined || mine.length > TEXT_LENGTH_MAX || !PRINTABLE.test(mine)) return null;
  // Node quotes a name that could be taken for two; a quoted one is no name of ours.
  if (names !== `URI:${mine}` && names !== `email:${mine}`) return null;
  const all = core.extensions.filter(
    (it) => it.subs[0]?.toDER().toString('hex') === SUBJECT_ALTERNATIVE_NAMES,
  );
  return all.length === 1 ? mine : null;
}

/** One DER UTF8String, whole, with a minimal length. */
function readUtf8String(raw: Buffer): string | null {
  if (raw.length < 2 || raw[0] !== 0x0c) return null;
  const first = raw[1] ?? 0;
  const width = first < 0x80 ? 0 : first & 0x7f;
  if (width > 2) return null;
  let length = width === 0 ? first : 0;
  for (let at = 0; at < width; at += 1) length = length * 256 + (raw[2 + at] ?? 0);
  if ((width === 1 && length < 0x80) || (width === 2 && length < 0x100)) return null;
  const text = raw.subarray(2 + width).toString('latin1');
  if (text.length !== length || length > TEXT_LENGTH_MAX || !PRINTABLE.test(text)) return null;
  return text;
}

function untrusted(why: string): Result<never> {
  const causes = [why];
  return err(failure('verify/certificate-untrusted', 'the certificate cannot be used', { causes }));
}

function mismatch(names: string): Result<never> {
  const what = 'the certificate does not have exactly one plain name';
  const causes = [escapeAndCut(names, 200)];
  return err(failure('verify/identity-mismatch', what, { causes }));
}
