// Signs in-toto statements with an identity instead of a key: a key that lives as long as this process, a
// certificate that says who asked for it, an entry in a transparency log, a timestamp. One certificate
// serves a whole publication.
//
// Invariants: the identity token is shown to the certificate authority and to nobody else, and is in no
// message; what this signer takes for its own was verified as a host would.
//
// SPDX-License-Identifier: Apache-2.0

import { generateKeyPairSync, sign, X509Certificate } from 'node:crypto';
import { bundleToJSON } from '@sigstore/bundle';
import { CIContextProvider, DSSEBundleBuilder, FulcioSigner, TSAWitness } from '@sigstore/sign';
import { err, failure, ok, type Result } from '../../core/result.ts';
import { escapeAndCut } from '../../core/text.ts';
import type { TrustedRootText } from '../../core/verify/trust.ts';
import type { SignerPort } from '../../ports.ts';
import type { SigningServices } from '../../wire/signing-config.ts';
import { parseSigstoreBundle } from '../../wire/sigstore-bundle.ts';
import { makeRootAnchors } from './anchors.ts';
import { type CertificateWords, readCertificate } from './certificate.ts';
import { logWitness } from './log-witness.ts';
import { type Anchors, verifySignature } from './signature.ts';

const PAYLOAD_TYPE = 'application/vnd.in-toto+json';
const AUDIENCE = 'sigstore';
const TOKEN = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
const FETCH = { timeout: 20_000, retry: { retries: 2 } };

/** The token of the CI job that runs this, from the place where its provider keeps it. */
export async function findToken(): Promise<Result<string>> {
  try {
    return ok(await new CIContextProvider(AUDIENCE).getToken());
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    return noToken('there is no identity token in this environment');
  }
}

/** Gets a certificate for the identity of the token and makes a signer of it. */
export async function createKeylessSigner(
  services: SigningServices,
  token: string,
  root: TrustedRootText,
): Promise<Result<SignerPort>> {
  if (!TOKEN.test(token)) return noToken('what was given is no identity token');
  const anchors = makeRootAnchors(root);
  if (!anchors.ok) return anchors;
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const signBytes = (data: Buffer) => sign('sha256', data, privateKey);
  const asker = new FulcioSigner({
    ...FETCH,
    fulcioBaseURL: services.fulcioUrl,
    identityProvider: { getToken: async () => token },
    keyHolder: {
      sign: async (data) => ({
        signature: signBytes(data),
        key: { $case: 'publicKey', publicKey: pem },
      }),
    },
  });
  const asked = await attempt('asking for a certificate', token, () => asker.sign(Buffer.alloc(0)));
  if (!asked.ok) return asked;
  const { key } = asked.value;
  if (key.$case !== 'x509Certificate') return failed('asking for a certificate', 'none was given');
  const words = readCertificate(new X509Certificate(key.certificate).raw);
  if (!words.ok) return words;
  const builder = new DSSEBundleBuilder({
    signer: { sign: async (data) => ({ signature: signBytes(data), key }) },
    witnesses: witnessesOf(services),
  });
  return ok(keylessSigner(builder, words.value, anchors.value, token));
}

function witnessesOf({ rekor, tsaUrl }: SigningServices) {
  const log = logWitness({
    ...FETCH,
    rekorBaseURL: rekor.url,
    majorApiVersion: rekor.majorVersion,
  });
  return tsaUrl === null ? [log] : [log, new TSAWitness({ ...FETCH, tsaBaseURL: tsaUrl })];
}

function keylessSigner(
  builder: DSSEBundleBuilder,
  own: CertificateWords,
  anchors: Anchors,
  token: string,
): SignerPort {
  return {
    signedBy: own.subject,
    sign: async (statement) => {
      const artifact = { data: Buffer.from(statement), type: PAYLOAD_TYPE };
      const made = await attempt('signing', token, () => builder.create(artifact));
      if (!made.ok) return made;
      return ok(new TextEncoder().encode(JSON.stringify(bundleToJSON(made.value))));
    },
    open: (attestation) => {
      const bundle = parseSigstoreBundle(attestation, true);
      if (!bundle.ok || bundle.value.payloadType !== PAYLOAD_TYPE) return null;
      const signed = verifySignature(bundle.value, anchors);
      if (!signed.ok || signed.value.certificate === null) return null;
      const { issuer, subject } = signed.value.certificate;
      return issuer === own.issuer && subject === own.subject ? bundle.value.payload : null;
    },
  };
}

async function attempt<T>(what: string, token: string, work: () => Promise<T>): Promise<Result<T>> {
  try {
    return ok(await work());
  } catch (cause) {
    // The library throws errors of its own with a code; everything else is a bug.
    if (!(cause instanceof Error) || !('code' in cause)) throw cause;
    const inner = cause.cause instanceof Error ? `: ${cause.cause.message}` : '';
    return failed(what, `${cause.message}${inner}`.replaceAll(token, '(token)'));
  }
}

function failed(what: string, why: string): Result<never> {
  const causes = [escapeAndCut(why, 300)];
  return err(failure('publish/signing-service', `${what} failed`, { causes }));
}

function noToken(why: string): Result<never> {
  const hints = ['run in a CI job that may ask for tokens, or name a file by --identity-token'];
  return err(failure('publish/identity-token', why, { hints }));
}
