// Cases of form: versions of bundles, chains, statements, keys and what is named as the artifact.
//
// SPDX-License-Identifier: Apache-2.0

import { ARTIFACT_DIGEST, statementAbout } from '../client-bundles.ts';
import { toBuffer } from '../paper-sigstore.ts';
import { asOlder, type ClientCase, entryOf, flip, keyed, make } from './case.ts';

const statement = (type: string | undefined) => ({
  ...statementAbout(ARTIFACT_DIGEST),
  _type: type,
});

const versions: readonly ClientCase[] = (['0.1', '0.2', '0.3'] as const).map((version) => ({
  name: `happy-v${version}`,
  odd: `nothing; media type of version ${version}`,
  verdict: 'verified',
  make: async (world) => ({ bundle: asOlder(await make(world), version) }),
}));

const bundles: readonly ClientCase[] = [
  ...versions,
  {
    name: 'happy-new-media-type',
    odd: 'nothing; the newer media type of version 0.3',
    verdict: 'verified',
    make: async (world) => ({ bundle: await make(world) }),
  },
  {
    name: 'unknown-version',
    odd: 'the media type is of version 99.9',
    verdict: 'verify/bundle-version',
    make: async (world) => {
      const mediaType = 'application/vnd.dev.sigstore.bundle+json;version=99.9';
      return { bundle: { ...(await make(world)), mediaType } };
    },
  },
  {
    name: 'malformed-json',
    odd: 'the last bracket is missing',
    verdict: 'verify/bundle-invalid',
    make: async (world) => ({ bundle: JSON.stringify(await make(world)).slice(0, -1) }),
  },
  {
    name: 'invalid-base64-signature',
    odd: 'the signature is no base64',
    verdict: 'verify/bundle-invalid',
    make: async (world) => {
      const bundle = await make(world);
      if (bundle.messageSignature !== undefined) bundle.messageSignature.signature = '%%%%';
      return { bundle };
    },
  },
  {
    name: 'no-content',
    odd: 'neither a signature over a file nor an envelope',
    verdict: 'verify/bundle-invalid',
    make: async (world) => {
      const { messageSignature: _, ...bundle } = await make(world);
      return { bundle };
    },
  },
  {
    name: 'negative-log-index',
    odd: 'the index of the log entry is below zero',
    verdict: 'verify/bundle-invalid',
    make: async (world) => {
      const bundle = await make(world);
      entryOf(bundle).entry.logIndex = '-1';
      return { bundle };
    },
  },
  {
    name: 'empty-certificate-chain',
    odd: 'version 0.2 with a chain of no certificates',
    verdict: 'verify/bundle-invalid',
    make: async (world) => {
      const bundle = asOlder(await make(world), '0.2');
      bundle.verificationMaterial.x509CertificateChain = { certificates: [] };
      return { bundle };
    },
  },
  {
    name: 'root-certificate-in-chain',
    odd: 'version 0.2 whose chain ends with the root',
    verdict: 'verify/bundle-invalid',
    make: async (world) => {
      const root = toBuffer(world.authority.rootCertificate).toString('base64');
      return { bundle: asOlder(await make(world), '0.2', [root]) };
    },
  },
  {
    name: 'other-artifact',
    odd: 'a good bundle, over another file',
    verdict: 'verify/subject-mismatch',
    make: async (world) => ({ bundle: await make(world), artifact: Buffer.from('other') }),
  },
  {
    name: 'other-artifact-statement',
    odd: 'a good statement, about another file',
    verdict: 'verify/subject-mismatch',
    make: async (world) => {
      const bundle = await make(world, { thing: 'statement', entry: 'dsse 0.0.1' });
      return { bundle, artifact: Buffer.from('other') };
    },
  },
  {
    name: 'message-digest-mismatch',
    odd: 'the digest that the bundle tells is not that of the file; the signature is good',
    verdict: 'verify/subject-mismatch',
    make: async (world) => {
      const bundle = await make(world);
      const digest = bundle.messageSignature?.messageDigest;
      if (digest !== undefined) digest.digest = flip(digest.digest, 0);
      return { bundle };
    },
  },
];

const keys: readonly ClientCase[] = [
  {
    name: 'managed-key-happy',
    odd: 'nothing; a key instead of a certificate, in a log',
    verdict: 'verified',
    make: async (world) => {
      const by = keyed();
      return { bundle: await make(world, { by }), key: by.pem };
    },
  },
  {
    name: 'managed-key-and-empty-root',
    odd: 'a key, no log entry, and a trusted root that lists nothing',
    verdict: 'verified',
    make: async (world) => {
      const by = keyed();
      const bundle = await make(world, { by });
      bundle.verificationMaterial.tlogEntries = [];
      return { bundle, key: by.pem, root: { mediaType: world.root.mediaType } };
    },
  },
  {
    name: 'managed-key-wrong-key',
    odd: 'another key is asked for',
    verdict: 'verify/signature-invalid',
    make: async (world) => ({ bundle: await make(world, { by: keyed() }), key: keyed().pem }),
  },
  {
    name: 'managed-key-no-key',
    odd: 'a key signed it, and an identity is asked for',
    verdict: 'verify/identity-required',
    make: async (world) => ({ bundle: await make(world, { by: keyed() }) }),
  },
  {
    name: 'certificate-where-key-asked',
    odd: 'a certificate signed it, and a key is asked for',
    verdict: 'verify/identity-required',
    make: async (world) => ({ bundle: await make(world), key: keyed().pem }),
  },
];

const statements: readonly ClientCase[] = [
  ...(
    [
      ['missing', undefined],
      ['unknown', 'https://in-toto.io/Statement/v2'],
    ] as const
  ).map(
    ([what, type]): ClientCase => ({
      name: `statement-type-${what}`,
      odd: `the type of the signed statement is ${what}; all else is good`,
      verdict: 'verify/statement-type',
      make: async (world) => {
        const by = keyed();
        const entry = 'hashedrekord 0.0.2';
        const how = { by, entry, thing: 'statement', statement: statement(type) } as const;
        return { bundle: await make(world, how), key: by.pem };
      },
    }),
  ),
  {
    name: 'payload-type-unknown',
    odd: 'the envelope says that its payload is something else',
    verdict: 'verify/tlog-invalid',
    make: async (world) => {
      const bundle = await make(world, { thing: 'statement', entry: 'hashedrekord 0.0.1' });
      if (bundle.dsseEnvelope !== undefined) bundle.dsseEnvelope.payloadType = 'text/plain';
      return { bundle };
    },
  },
  {
    name: 'two-envelope-signatures',
    odd: 'the envelope has two signatures',
    verdict: 'verify/bundle-invalid',
    make: async (world) => {
      const bundle = await make(world, { thing: 'statement', entry: 'dsse 0.0.1' });
      bundle.dsseEnvelope?.signatures.push(...bundle.dsseEnvelope.signatures);
      return { bundle };
    },
  },
  {
    name: 'intoto-canonical-entry',
    odd: 'nothing; a key, and an entry of kind intoto that has the hash of the payload alone',
    verdict: 'verified',
    make: async (world) => {
      const by = keyed();
      const how = { by, thing: 'statement', entry: 'intoto 0.0.2' } as const;
      return { bundle: await make(world, how), key: by.pem };
    },
  },
];

export const FORMS: readonly ClientCase[] = [...bundles, ...keys, ...statements];
