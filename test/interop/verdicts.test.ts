// One corpus, two verifiers: everything here is attached to a bundle in a real registry, and judged by the
// real cosign (`verify`, `verify-attestation`) and by Warder's own way from the registry to the verdict.
// Where they differ, the difference is listed, and docs/verification.md says why.
//
// SPDX-License-Identifier: Apache-2.0

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createOrasRegistry } from '../../src/adapters/oras/registry.ts';
import { collectClientFact } from '../../src/adapters/sigstore/client.ts';
import { collectEvidence } from '../../src/adapters/sigstore/collect.ts';
import { MEDIA, PREDICATE } from '../../src/core/bundle.ts';
import { parseReference } from '../../src/core/reference.ts';
import { type Demand, judgeClient } from '../../src/core/verify/client.ts';
import { judge } from '../../src/core/verify/judge.ts';
import type { TrustPolicy } from '../../src/core/verify/trust.ts';
import { encodeCosignStatement } from '../../src/wire/statement.ts';
import { cosign } from '../support/cosign.ts';
import {
  CLAIMS,
  ISSUER,
  makeIdentity,
  makeReleased,
  SUBJECT,
  signKeyless,
  trustIdentities,
} from '../support/keyless.ts';
import { makeToken, type PrivateSigstore, startSigstore } from '../support/private-sigstore.ts';
import { startRegistry, type TestRegistry } from '../support/registry.ts';
import { unwrap } from '../support/result.ts';
import {
  type BundleJson,
  encodeJson,
  makeSigner,
  makeStatements,
  signBundle,
  trustIn,
} from '../support/signed-bundle.ts';
import { ORAS_PATH } from '../support/tools.ts';
import { flipBit } from '../support/verdicts.ts';
import { makeContext } from '../support/verify.ts';

const made = makeReleased();
const { descriptor } = made.content;
const statements = {
  sign: encodeCosignStatement(descriptor, made.bytes.digest),
  release: made.release,
  provenance: made.provenance,
  aboutAnother: makeStatements({ name: 'another' }).release,
};
const key = makeSigner();
const otherKey = makeSigner();
const attested = ['verify-attestation', '--type', PREDICATE.release];
const OFFLINE = ['--insecure-ignore-tlog', '--private-infrastructure'];

let registry: TestRegistry;
let sigstore: PrivateSigstore;
let stranger: PrivateSigstore;
let dir = '';
let count = 0;
/** What was attached in the case before. */
let last: readonly Uint8Array[] = [];

beforeAll(async () => {
  [registry, sigstore, stranger] = await Promise.all([
    startRegistry(),
    startSigstore(),
    startSigstore(),
  ]);
  dir = await mkdtemp(join(tmpdir(), 'warder-verdicts-'));
  const files: readonly (readonly [string, string])[] = [
    ['key.pub', key.publicKeyPem],
    ['other.pub', otherKey.publicKeyPem],
    ['plain.pem', key.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()],
    ['none.json', JSON.stringify({ mediaType: sigstore.signingConfig(1)['mediaType'] })],
    ['signing1.json', JSON.stringify(sigstore.signingConfig(1))],
    ['signing2.json', JSON.stringify(sigstore.signingConfig(2))],
    ['root.json', JSON.stringify(sigstore.rootJson)],
    ['stranger.json', JSON.stringify(stranger.rootJson)],
    ['token', makeToken(CLAIMS)],
    ['descriptor.json', JSON.stringify(descriptor)],
  ];
  for (const [name, text] of files) await writeFile(join(dir, name), text);
  await cosign(dir, 'import-key-pair', '--key', 'plain.pem', '--output-key-prefix', 'cosign');
});
afterAll(async () => {
  await Promise.all([registry.stop(), sigstore.stop(), stranger.stop()]);
  await rm(dir, { recursive: true });
});

/** Who attaches what: bundles of ours, or cosign itself. */
type Attach = () => Promise<readonly BundleJson[] | { readonly cosign: readonly string[] }>;

interface Case {
  readonly attach: Attach;
  /** Arguments of cosign before the reference. */
  readonly cosign: readonly string[];
  readonly trust: () => TrustPolicy;
}

/** Pushes the bundle to a place of its own, attaches, and asks both. */
async function verdicts(one: Case): Promise<readonly [cosign: string, warder: string]> {
  count += 1;
  const name = `${registry.host}/corpus/${count}`;
  const port = createOrasRegistry({ orasPath: ORAS_PATH, plainHttpHosts: [registry.host] });
  const { repository } = unwrap(parseReference(name));
  const { manifest, blobs } = made.content;
  const digest = unwrap(await port.push(repository, ['t'], manifest, blobs));
  const reference = `${name}@${digest}`;
  const attached = await one.attach();
  if ('cosign' in attached) {
    await cosign(dir, ...attached.cosign, '--allow-http-registry', '--yes', reference);
  } else {
    const subject = { mediaType: MEDIA.manifest, digest, size: manifest.length };
    for (const it of attached) {
      unwrap(await port.attach(repository, subject, encodeJson(it), 'https://example.com/any'));
    }
  }
  const theirs = cosign(dir, ...one.cosign, '--allow-http-registry', reference);
  const cosignSays = await theirs.then(
    () => 'accepted',
    () => 'refused',
  );
  const at = { reference: { repository, tag: null, digest }, digest };
  const bundle = unwrap(await port.fetch(at));
  last = bundle.attestations;
  const evidence = unwrap(collectEvidence(bundle, one.trust()));
  return [cosignSays, judge(evidence, one.trust(), makeContext()).kind];
}

const byKey = (what: Uint8Array) => signBundle(what, key, { hint: '' });
// As `warder publish` writes it: the hint is outside, and the key id, which cosign would compare, is empty.
const hinted = async (what: Uint8Array) => {
  const bundle = await signBundle(what, key);
  for (const it of bundle.dsseEnvelope.signatures) Object.assign(it, { keyid: '' });
  return bundle;
};
const byIdentity = (what: Uint8Array, rekor: 1 | 2 = 1) => signKeyless(sigstore, what, {}, rekor);
const WHO = ['--certificate-identity', SUBJECT, '--certificate-oidc-issuer', ISSUER];
const ROOT = ['--trusted-root', 'root.json', '--use-signed-timestamps'];
const IDENTITY = [...WHO, ...ROOT];
const ATTEST = ['attest', '--type', PREDICATE.release, '--predicate', 'descriptor.json'];

const taking = (predicate: string, trust: TrustPolicy): TrustPolicy => ({
  ...trust,
  policies: trust.policies.map((it) => ({
    ...it,
    provenance: null,
    release: { ...it.release, predicateTypes: [predicate] },
  })),
});
const keyTrust = () => taking(PREDICATE.release, trustIn(key));
const keySign = () => taking(PREDICATE.cosignSign, trustIn(key));
const idTrust = () => trustIdentities(sigstore);
const idSign = () => taking(PREDICATE.cosignSign, trustIdentities(sigstore));
const KEY = ['--key', 'key.pub', ...OFFLINE];

const one = (make: () => Promise<BundleJson>, spoil: (it: BundleJson) => void = () => {}) => {
  return async () => {
    const bundle = structuredClone(await make());
    spoil(bundle);
    return [bundle];
  };
};
const withoutTime = (it: BundleJson) => {
  delete it.verificationMaterial['timestampVerificationData'];
};

test.each<[string, Case]>([
  [
    'cosign sign with a key',
    {
      attach: async () => ({
        cosign: ['sign', '--key', 'cosign.key', '--signing-config', 'none.json'],
      }),
      cosign: ['verify', ...KEY],
      trust: keySign,
    },
  ],
  ...([1, 2] as const).flatMap((rekor): [string, Case][] => [
    [
      `cosign sign with an identity, Rekor ${rekor}`,
      {
        attach: async () => ({ cosign: ['sign', ...services(rekor)] }),
        cosign: ['verify', ...IDENTITY],
        trust: idSign,
      },
    ],
    [
      `Warder's release with an identity, Rekor ${rekor}`,
      {
        attach: one(() => byIdentity(statements.release, rekor)),
        cosign: [...attested, ...IDENTITY],
        trust: idTrust,
      },
    ],
  ]),
  [
    "Warder's signature with an identity",
    {
      attach: one(() => byIdentity(statements.sign, 2)),
      cosign: ['verify', ...IDENTITY],
      trust: idSign,
    },
  ],
  [
    "Warder's release with a key",
    {
      attach: one(() => hinted(statements.release)),
      cosign: [...attested, ...KEY],
      trust: keyTrust,
    },
  ],
  [
    'a second release that does not hold beside one that does',
    {
      attach: async () => [await byKey(statements.aboutAnother), await hinted(statements.release)],
      cosign: [...attested, ...KEY],
      trust: keyTrust,
    },
  ],
])('both accept: %s', async (_name, it) => {
  expect(await verdicts(it)).toEqual(['accepted', 'accepted']);
});

function services(rekor: 1 | 2): readonly string[] {
  const files = ['--signing-config', `signing${rekor}.json`, '--trusted-root', 'root.json'];
  return [...files, '--identity-token', 'token'];
}

test.each<[string, Case]>([
  [
    'another key',
    {
      attach: one(() => hinted(statements.release)),
      cosign: [...attested, '--key', 'other.pub', ...OFFLINE],
      trust: () => taking(PREDICATE.release, trustIn(otherKey)),
    },
  ],
  [
    'another identity',
    {
      attach: one(() => byIdentity(statements.release)),
      cosign: [...attested, ...ROOT, ...WHO.map((it) => (it === SUBJECT ? `${SUBJECT}0` : it))],
      trust: () => trustIdentities(sigstore, [makeIdentity({ subject: `${SUBJECT}0` })]),
    },
  ],
  [
    'another issuer',
    {
      attach: one(() => byIdentity(statements.release)),
      cosign: [...attested, ...ROOT, ...WHO.map((it) => (it === ISSUER ? `${ISSUER}/` : it))],
      trust: () => trustIdentities(sigstore, [makeIdentity({ issuer: `${ISSUER}/` })]),
    },
  ],
  [
    'another root',
    {
      attach: one(() => byIdentity(statements.release)),
      cosign: [...attested, ...WHO, '--trusted-root', 'stranger.json', '--use-signed-timestamps'],
      trust: () => trustIdentities(stranger),
    },
  ],
  [
    'a statement about another bundle',
    {
      attach: one(() => byIdentity(statements.aboutAnother)),
      cosign: [...attested, ...IDENTITY],
      trust: idTrust,
    },
  ],
  [
    'a payload that was altered',
    {
      attach: one(
        () => byKey(statements.release),
        (it) => {
          it.dsseEnvelope.payload = flipBit(it.dsseEnvelope.payload, 30);
        },
      ),
      cosign: [...attested, ...KEY],
      trust: keyTrust,
    },
  ],
  [
    'no log entry',
    {
      attach: one(
        () => byIdentity(statements.release),
        (it) => {
          it.verificationMaterial['tlogEntries'] = [];
        },
      ),
      cosign: [...attested, ...IDENTITY],
      trust: idTrust,
    },
  ],
  [
    'no time under Rekor 2',
    {
      attach: one(() => byIdentity(statements.release, 2), withoutTime),
      cosign: [...attested, ...IDENTITY],
      trust: idTrust,
    },
  ],
  [
    'nothing attached',
    { attach: async () => [], cosign: [...attested, ...IDENTITY], trust: idTrust },
  ],
  [
    'a field that nobody knows',
    {
      attach: one(
        () => hinted(statements.release),
        (it) => void Object.assign(it, { extra: 1 }),
      ),
      cosign: [...attested, ...KEY],
      trust: keyTrust,
    },
  ],
])('both refuse: %s', async (_name, it) => {
  expect(await verdicts(it)).toEqual(['refused', 'refused']);
});

test.each<[string, Case, readonly [string, string]]>([
  [
    'what cosign attests, a statement of version 0.1, by a key',
    {
      attach: async () => ({
        cosign: [...ATTEST, '--key', 'cosign.key', '--signing-config', 'none.json'],
      }),
      cosign: [...attested, ...KEY],
      trust: keyTrust,
    },
    ['accepted', 'refused'],
  ],
  [
    'what cosign attests, a statement of version 0.1, by an identity',
    {
      attach: async () => ({ cosign: [...ATTEST, ...services(2)] }),
      cosign: [...attested, ...IDENTITY],
      trust: idTrust,
    },
    ['accepted', 'refused'],
  ],
  [
    'a signature without a release, where the trust policy asks for one',
    {
      attach: one(() => byIdentity(statements.sign)),
      cosign: ['verify', ...IDENTITY],
      trust: idTrust,
    },
    ['accepted', 'refused'],
  ],
  [
    'a repository of the right name and another number',
    {
      attach: one(() => signKeyless(sigstore, statements.release, { repository_id: '1' })),
      cosign: [...attested, ...IDENTITY],
      trust: idTrust,
    },
    ['accepted', 'refused'],
  ],
  [
    'the time of the log alone, under Rekor 1',
    {
      attach: one(() => byIdentity(statements.release), withoutTime),
      cosign: [...attested, ...IDENTITY],
      trust: idTrust,
    },
    ['refused', 'accepted'],
  ],
  [
    'a key without its hint',
    {
      attach: one(() => byKey(statements.release)),
      cosign: [...attested, ...KEY],
      trust: keyTrust,
    },
    ['accepted', 'refused'],
  ],
])('they differ: %s', async (name, it, expected) => {
  expect(await verdicts(it)).toEqual(expected);
  if (name.startsWith('what cosign attests'))
    expect(asClient(name.endsWith('by a key'))).toBe(true);
});

/** Whether `warder sigstore verify-bundle` verifies what was attached last. */
function asClient(isKey: boolean): boolean {
  const [bundle = new Uint8Array()] = last;
  const artifact = made.bytes.digest;
  const root = isKey ? null : sigstore.root;
  const task = { bundle, artifact, key: isKey ? key.publicKeyPem : null, root };
  const demand: Demand = isKey
    ? { kind: 'key' }
    : { kind: 'identity', issuer: ISSUER, subject: SUBJECT };
  return judgeClient(unwrap(collectClientFact(task)), demand, artifact).ok;
}
