// Identities: signed through a private sigstore over HTTP, verified offline against its trusted root. The
// ids are those of the list of hostile inputs.
//
// SPDX-License-Identifier: Apache-2.0

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../src/core/errors.ts';
import type { TrustedIdentity, TrustPolicy } from '../../src/core/verify/trust.ts';
import {
  CLAIMS,
  type Claims,
  codesOf,
  entryOf,
  ISSUER,
  type LogEntry,
  makeIdentity,
  makeReleased,
  SOURCE,
  SUBJECT,
  signKeyless,
  signOddly,
  trustIdentities,
  WORKFLOW,
} from '../support/keyless.ts';
import { ODD_CERTIFICATES } from '../support/odd-certificates.ts';
import { type PrivateSigstore, startSigstore } from '../support/private-sigstore.ts';
import { type BundleJson, encodeJson, signBundle } from '../support/signed-bundle.ts';
import { encodeVsa } from '../support/summaries.ts';
import { flipBit, second, signer } from '../support/verdicts.ts';
import { makeTrustedKey, makeVerification } from '../support/verify.ts';

const MISMATCH = 'verify/identity-mismatch';
const REJECTED = 'verify/vsa-rejected';
let sigstore: PrivateSigstore;
let stranger: PrivateSigstore;
let good: BundleJson;
let trust: TrustPolicy;
const statements = makeReleased();

beforeAll(async () => {
  [sigstore, stranger] = await Promise.all([startSigstore(), startSigstore()]);
  good = await signKeyless(sigstore, statements.release);
  trust = trustIdentities(sigstore);
});
afterAll(async () => {
  await Promise.all([sigstore.stop(), stranger.stop()]);
});

const first = (bundle: BundleJson, by: TrustPolicy = trust) =>
  codesOf([bundle], by)[0] ?? 'accepted';
const copy = (bundle: BundleJson): BundleJson => structuredClone(bundle);
interface RekorAnswer {
  readonly body: string;
  readonly logIndex: number;
  readonly integratedTime: number;
  readonly verification: {
    readonly signedEntryTimestamp: string;
    readonly inclusionProof: { readonly rootHash: string; readonly checkpoint: string };
  };
}

describe('an identity', () => {
  test.each([1, 2] as const)('signs through Rekor v%i and is accepted offline', async (rekor) => {
    const bundle = await signKeyless(sigstore, statements.release, {}, rekor);
    const asked = sigstore.requests.length;
    expect(codesOf([bundle], trust)).toEqual([]);
    expect(sigstore.requests.length).toBe(asked);
    expect(sigstore.requests).toContain(`/api/v${rekor}/log/entries`);
  });

  test.each<[string, Claims, ErrorCode]>([
    ['I01 another repository', { sub: SUBJECT.replace('policies', 'policy-evil') }, MISMATCH],
    ['I01 the allowed name inside another', { sub: `https://evil.example/${SUBJECT}` }, MISMATCH],
    ['I01 a dot that is another letter', { sub: SUBJECT.replace('github.', 'githubX') }, MISMATCH],
    ['I01 the wildcard does not cross a slash', { sub: `${SUBJECT}/x` }, MISMATCH],
    ['I01 the wildcard is not nothing', { sub: SUBJECT.replace(/v7$/, 'v') }, MISMATCH],
    ['I03 another workflow', { sub: SUBJECT.replace('release', 'other') }, MISMATCH],
    ['I03 a branch', { sub: SUBJECT.replace('tags/v7', 'heads/main') }, MISMATCH],
    ['I03 a pull request', { sub: SUBJECT.replace('tags/v7', 'pull/7/merge') }, MISMATCH],
    ['another issuer', { iss: `${ISSUER}.evil.net` }, MISMATCH],
    ['I04 another repository id', { repository_id: '1' }, MISMATCH],
    ['I04 another owner id', { repository_owner_id: '1' }, MISMATCH],
    ['another trigger', { event_name: 'workflow_dispatch' }, MISMATCH],
    ['I03 a workflow of another file', { workflow_ref: 'acme/policies/x.yml@v1' }, MISMATCH],
    ['I05 a runner of somebody', { runner_environment: 'self-hosted' }, 'verify/runner'],
  ])('%s is refused', async (_name, claims, code) => {
    expect(first(await signKeyless(sigstore, statements.release, claims))).toBe(code);
  });

  test('I09 of one scope is nobody in another', () => {
    const [policy] = trust.policies;
    if (policy === undefined) throw new Error('no policy');
    const release = { ...policy.release, identities: [makeIdentity({ subject: `${SUBJECT}0` })] };
    const other = { ...policy, name: 'other', scope: 'other.example.com' };
    expect(first(good, { ...trust, policies: [{ ...policy, release }, other] })).toBe(MISMATCH);
  });

  test('that is revoked is refused, whatever else lists it', () => {
    const revoked = { ...trust.revoked, identities: [SUBJECT] };
    expect(first(good, { ...trust, revoked })).toBe('verify/identity-revoked');
  });

  test('S21 does not count where keys are demanded, and a key does not where identities are', async () => {
    const byKey = await signBundle(statements.release, signer);
    const keys = [makeTrustedKey('ci', signer.fingerprint, signer.publicKeyPem)];
    const only = (change: object): TrustPolicy => ({
      ...trust,
      policies: trust.policies.map((it) => ({ ...it, release: { ...it.release, ...change } })),
    });
    expect(first(good, only({ identities: [], anyOf: keys }))).toBe('verify/identity-required');
    const listed = only({ anyOf: keys });
    expect(first(byKey, listed)).toBe('accepted');
    const elsewhere = { ...listed.policies[0], name: 'o', scope: 'o.example.com' };
    const apart = { ...trust, policies: [...trust.policies, elsewhere] } as TrustPolicy;
    expect(first(byKey, apart)).toBe('verify/identity-required');
  });

  test('P12 speaks for a verifier where that list names it, and for no release by that', async () => {
    const sub = `https://github.com/acme/verifier/${WORKFLOW}@${SOURCE.ref}`;
    const { digest } = statements.bytes;
    const by = (statement: Uint8Array) => signKeyless(sigstore, statement, { sub });
    const verifier = makeIdentity({ id: 'verifier', subject: sub, workflow: null });
    const verification = makeVerification({ anyOf: [], identities: [verifier] });
    const policies = trust.policies.map((it) => ({ ...it, verification }));
    const asking: TrustPolicy = { ...trust, policies };
    const judged = async (statement: Uint8Array) =>
      codesOf([good, await by(statement)], asking)[0] ?? 'accepted';
    expect(await judged(encodeVsa(digest))).toBe('accepted');
    expect(await judged(encodeVsa(digest, { verificationResult: 'FAILED' }))).toBe(REJECTED);
    const byReleaser = await signKeyless(sigstore, encodeVsa(digest));
    expect(codesOf([good, byReleaser], asking)).toEqual([REJECTED]);
    const released = await by(statements.release);
    expect(codesOf([released, await by(encodeVsa(digest))], asking)[0]).toBe(MISMATCH);
  });
});

describe('a certificate', () => {
  const odd = async (how: Parameters<typeof signOddly>[2], by = trust) =>
    first(await signOddly(sigstore, statements.release, how), by);
  const bare = () => trustIdentities(sigstore, [bareIdentity()]);
  const ext = (number: number, value: string) => ({ oid: `1.3.6.1.4.1.57264.1.${number}`, value });

  test('with no more than issuer and name is enough where no more is demanded', async () => {
    expect(await odd({}, bare())).toBe('accepted');
    expect(await odd({})).toBe(MISMATCH);
  });

  test('S09 of another authority is refused', async () => {
    expect(await odd({ authority: stranger.authority })).toBe('verify/certificate-untrusted');
  });

  test('S09 of an authority itself is refused', async () => {
    const root = sigstore.authority.rootCertificate;
    const certificate = Buffer.from(root.buffer, root.byteOffset, root.byteLength);
    expect(await odd({ certificate })).toBe('verify/certificate-untrusted');
  });

  test.each<[keyof typeof ODD_CERTIFICATES, ErrorCode]>([
    ['p384', 'verify/algorithm'],
    ['rsa', 'verify/algorithm'],
    ['ca', 'verify/certificate-untrusted'],
    ['noeku', 'verify/certificate-untrusted'],
    ['noissuer', 'verify/certificate-untrusted'],
    ['two', MISMATCH],
    ['mailtwo', MISMATCH],
  ])('S09 S24 I13 that is odd in one respect (%s) is %s', (name, code) => {
    const bundle = copy(good);
    bundle.verificationMaterial['certificate'] = { rawBytes: ODD_CERTIFICATES[name] };
    expect(first(bundle)).toBe(code);
  });

  test('S25 that is no DER is refused without a crash', async () => {
    for (const raw of [
      Buffer.alloc(50_000, 0x30),
      Buffer.from('hello'),
      Buffer.from([0x30, 0x80]),
    ]) {
      const bundle = copy(good);
      bundle.verificationMaterial['certificate'] = { rawBytes: raw.toString('base64') };
      expect(first(bundle)).toBe('verify/certificate-untrusted');
    }
  });

  test.each([
    ['I06 the issuer under a number that begins alike', [ext(10, ISSUER)]],
    ['the issuer only in the old, unframed extension', [{ ...ext(1, ISSUER), legacy: true }]],
    ['I14 the issuer twice', [ext(8, ISSUER), ext(8, ISSUER)]],
    ['I14 a text that is not framed', [{ ...ext(8, ISSUER), legacy: true }]],
    ['I14 a frame that is longer', [{ ...ext(8, `\x0c\x05abcd`), legacy: true }]],
    ['I14 a frame with bytes behind it', [{ ...ext(8, `\x0c\x01ab`), legacy: true }]],
    ['I12 an issuer with other letters', [ext(8, ISSUER.replace('a', '\u0430'))]],
  ])('%s is refused', async (_name, extensions) => {
    expect(await odd({ extensions }, bare())).toBe('verify/certificate-untrusted');
  });

  test.each([
    ['I13 two names in one', `${SUBJECT}, URI:https://evil.example/`],
    ['I12 a letter that looks alike', SUBJECT.replace('a', '\u0430')],
    ['I12 a letter with its highest bit set', SUBJECT.replace('acme', '\u00e1cme')],
    ['a line break', `${SUBJECT}\n`],
    ['no name', ''],
  ])('%s is verify/identity-mismatch', async (_name, subject) => {
    expect(await odd({ subject }, bare())).toBe(MISMATCH);
  });
});

/** An identity by issuer and name alone. */
function bareIdentity(): TrustedIdentity {
  const nothing = { repositoryId: null, ownerId: null, runner: null, workflow: null };
  return makeIdentity({ ...nothing, triggers: null, subject: SUBJECT });
}

describe('what vouches for it', () => {
  const spoiled = (spoil: (bundle: BundleJson) => void, by = trust) => {
    const bundle = copy(good);
    spoil(bundle);
    return first(bundle, by);
  };

  test('S05 S06 a flipped bit of signature or payload is refused', () => {
    expect(
      spoiled((it) => {
        const [one] = it.dsseEnvelope.signatures;
        if (one !== undefined) one.sig = flipBit(one.sig, 20);
      }),
    ).toMatch(/^verify\/(tlog-invalid|signature-invalid|timestamp-invalid)$/);
    expect(
      spoiled((it) => {
        it.dsseEnvelope.payload = flipBit(it.dsseEnvelope.payload, 20);
      }),
    ).toMatch(/^verify\/(tlog-invalid|signature-invalid)$/);
  });

  test('S12 no log entry is too few', () => {
    const none = (it: BundleJson) => {
      it.verificationMaterial['tlogEntries'] = [];
    };
    expect(spoiled(none)).toBe('verify/tlog-invalid');
  });

  test('S12 an entry about another signature is refused', async () => {
    const other = await signKeyless(sigstore, statements.release);
    expect(
      spoiled((it) => {
        it.verificationMaterial['tlogEntries'] = other.verificationMaterial['tlogEntries'];
      }),
    ).toBe('verify/tlog-invalid');
  });

  test.each<[string, (entry: LogEntry) => void]>([
    [
      'S13 another root',
      (it) => {
        it.inclusionProof.rootHash = flipBit(it.inclusionProof.rootHash, 3);
      },
    ],
    [
      'S13 an index outside of the tree',
      (it) => {
        it.inclusionProof.logIndex = '9';
      },
    ],
    [
      'S13 a hash too many',
      (it) => {
        it.inclusionProof.hashes = [it.inclusionProof.rootHash];
      },
    ],
    [
      'S13 another size',
      (it) => {
        it.inclusionProof.treeSize = '2';
      },
    ],
    [
      'S13 no checkpoint signature',
      (it) => {
        it.inclusionProof.checkpoint.envelope = 'x\n1\ny\n\n';
      },
    ],
    [
      'S13 a size that is no number',
      (it) => {
        const { checkpoint } = it.inclusionProof;
        checkpoint.envelope = checkpoint.envelope.replace('\n1\n', '\nNaN\n');
      },
    ],
    [
      'S13 a promise that was not signed',
      (it) => {
        it.inclusionPromise = { signedEntryTimestamp: Buffer.alloc(70, 1).toString('base64') };
      },
    ],
    [
      'S12 a body that is no JSON',
      (it) => {
        it.canonicalizedBody = 'AAAA';
      },
    ],
  ])('%s is verify/tlog-invalid', (_name, spoil) => {
    expect(spoiled((it) => spoil(entryOf(it)))).toBe('verify/tlog-invalid');
  });

  test('S13 a negative index is verify/bundle-invalid', () => {
    const negative = (it: BundleJson) => {
      entryOf(it).inclusionProof.logIndex = '-1';
    };
    expect(spoiled(negative)).toBe('verify/bundle-invalid');
  });

  test('S14 a checkpoint whose name is a slow expression is refused at once', () => {
    const started = performance.now();
    expect(
      spoiled((it) => {
        const { checkpoint } = entryOf(it).inclusionProof;
        const name = '(([a-z:/.]+)+)+!';
        checkpoint.envelope = checkpoint.envelope.replace(/\u2014 \S+ /, `\u2014 ${name} `);
      }),
    ).toBe('verify/tlog-invalid');
    expect(performance.now() - started).toBeLessThan(1000);
  });

  test('S16 a log time that nobody promised is no time', async () => {
    const bundle = await signOddly(sigstore, statements.release, { witnesses: ['log'] });
    const entry = entryOf(bundle);
    delete entry.inclusionPromise;
    const by = trustIdentities(sigstore, [bareIdentity()]);
    expect(first(bundle, by)).toMatch(/^verify\/timestamp-(missing|invalid)$/);
  });

  test('a timestamp over something else is refused', async () => {
    const other = await signKeyless(sigstore, statements.release);
    expect(
      spoiled((it) => {
        it.verificationMaterial['timestampVerificationData'] =
          other.verificationMaterial['timestampVerificationData'];
      }),
    ).toBe('verify/timestamp-invalid');
  });

  test('S11 a certificate of a certificate log that is not trusted is refused', async () => {
    const root = { ...sigstore.rootJson, ctlogs: stranger.rootJson.ctlogs };
    const { parseTrustedRoot } = await import('../../src/wire/trusted-root.ts');
    const parsed = parseTrustedRoot(encodeJson(root));
    if (!parsed.ok) throw new Error('the root is refused');
    expect(first(good, trustIdentities({ root: parsed.value }))).toBe('verify/sct-invalid');
  });

  test('another root vouches for nothing of it', () => {
    const by = trustIdentities(stranger);
    expect(first(good, by)).toMatch(/^verify\/(timestamp|certificate|tlog)-/);
  });

  test('S12 an entry that somebody else made of this signature is refused', async () => {
    const other = await signKeyless(sigstore, statements.release);
    const theirs = other.verificationMaterial['certificate'] as { rawBytes: string };
    const pem = `-----BEGIN CERTIFICATE-----\n${theirs.rawBytes}\n-----END CERTIFICATE-----\n`;
    const verifiers = [Buffer.from(pem).toString('base64')];
    const proposedContent = { envelope: JSON.stringify(good.dsseEnvelope), verifiers };
    const answer = await fetch(`${sigstore.url}/api/v1/log/entries`, {
      method: 'POST',
      body: JSON.stringify({ apiVersion: '0.0.1', kind: 'dsse', spec: { proposedContent } }),
    });
    const [made] = Object.values((await answer.json()) as Record<string, RekorAnswer>);
    if (made === undefined) throw new Error('no entry');
    const { inclusionProof: proof, signedEntryTimestamp } = made.verification;
    expect(
      spoiled((it) => {
        Object.assign(entryOf(it), {
          logIndex: String(made.logIndex),
          integratedTime: String(made.integratedTime),
          canonicalizedBody: made.body,
          inclusionPromise: { signedEntryTimestamp },
          inclusionProof: {
            logIndex: '0',
            treeSize: '1',
            rootHash: Buffer.from(proof.rootHash, 'hex').toString('base64'),
            checkpoint: { envelope: proof.checkpoint },
          },
        });
      }),
    ).toBe('verify/tlog-invalid');
  });

  test.each([1, 2] as const)(
    'L08 a log (v%i) whose key was not in use yet is refused',
    async (rekor) => {
      const good = await signKeyless(sigstore, statements.release, {}, rekor);
      const root = structuredClone(sigstore.rootJson);
      for (const log of root.tlogs) log.publicKey.validFor.start = '2090-01-01T00:00:00Z';
      const { parseTrustedRoot } = await import('../../src/wire/trusted-root.ts');
      const parsed = parseTrustedRoot(encodeJson(root));
      if (!parsed.ok) throw new Error('the root is refused');
      expect(first(good, trustIdentities({ root: parsed.value }))).toBe('verify/tlog-invalid');
    },
  );

  test('as much of it as the scope demands is needed, from distinct sources', () => {
    const demanding = (thresholds: object): TrustPolicy => ({
      ...trust,
      policies: trust.policies.map((it) => ({
        ...it,
        thresholds: { ...it.thresholds, ...thresholds },
      })),
    });
    expect(first(good, demanding({ timestamp: 2 }))).toBe('accepted');
    expect(first(good, demanding({ timestamp: 3 }))).toBe('verify/timestamp-missing');
    expect(first(good, demanding({ ctlog: 2 }))).toBe('verify/sct-invalid');
    expect(first(good, demanding({ tlog: 2 }))).toBe('verify/tlog-invalid');
  });
});

describe('thresholds over identities and keys', () => {
  const mixed = (minimumMatches: number): TrustPolicy => ({
    ...trust,
    policies: trust.policies.map((it) => ({
      ...it,
      release: {
        ...it.release,
        minimumMatches,
        anyOf: [
          makeTrustedKey('first', signer.fingerprint, signer.publicKeyPem),
          makeTrustedKey('second', second.fingerprint, second.publicKeyPem),
        ],
      },
    })),
  });

  test('I10 two signatures by one identity are one', async () => {
    const again = await signKeyless(sigstore, statements.release, { sub: SUBJECT });
    expect(codesOf([good, again], mixed(2))).toEqual(['verify/threshold-not-met']);
  });

  test('an identity and a key are two, in whatever order', async () => {
    const byKey = await signBundle(statements.release, signer);
    expect(codesOf([good, byKey], mixed(2))).toEqual([]);
    expect(codesOf([byKey, good], mixed(2))).toEqual([]);
    expect(codesOf([byKey, good], mixed(3))).toEqual(['verify/threshold-not-met']);
  });
});

describe('provenance', () => {
  const GITHUB = 'https://actions.github.io/buildtypes/workflow/v1';
  const RUNNER = 'https://github.com/actions/runner/github-hosted';
  const demanding = (change: object = {}): TrustPolicy => ({
    ...trust,
    policies: trust.policies.map((it) => ({
      ...it,
      provenance: {
        builderIds: [RUNNER, 'https://ci.example.com/builder'],
        buildTypes: [GITHUB],
        sourceRepositories: [SOURCE.repository],
        signers: ['release'],
        ...change,
      },
    })),
  });
  const statementOf = (spoil: (predicate: Predicate) => void = () => undefined) => {
    const predicate = {
      buildDefinition: {
        buildType: GITHUB,
        externalParameters: {
          workflow: { ref: SOURCE.ref, repository: SOURCE.repository, path: WORKFLOW },
        } as Record<string, unknown>,
        internalParameters: {
          github: {
            event_name: 'push',
            repository_id: '123456789',
            repository_owner_id: '987654',
            runner_environment: 'github-hosted',
          },
        },
        resolvedDependencies: [
          {
            uri: `git+${SOURCE.repository}@${SOURCE.ref}`,
            digest: { gitCommit: SOURCE.commit },
          },
        ],
      },
      runDetails: { builder: { id: RUNNER }, metadata: { invocationId: 'x' } },
    };
    spoil(predicate);
    const base = JSON.parse(new TextDecoder().decode(statements.release));
    return encodeJson({ ...base, predicateType: 'https://slsa.dev/provenance/v1', predicate });
  };
  type Predicate = {
    buildDefinition: {
      buildType: string;
      externalParameters: Record<string, unknown>;
      internalParameters: { github: Record<string, string> };
    };
    runDetails: { builder: { id: string } };
  };
  const judged = async (
    spoil?: (predicate: Predicate) => void,
    claims: Claims = {},
    by = demanding(),
  ) => {
    const bundle = await signKeyless(sigstore, statementOf(spoil), claims);
    return codesOf([good, bundle], by)[0] ?? 'accepted';
  };

  test('of GitHub Actions that says what the certificate says is accepted', async () => {
    expect(await judged()).toBe('accepted');
  });

  test.each<[string, (predicate: Predicate) => void, ErrorCode]>([
    [
      'P06 another runner',
      (it) => {
        it.runDetails.builder.id = `${RUNNER}-evil`;
      },
      BUILDER,
    ],
    [
      'P06 a trusted builder that did not sign',
      (it) => {
        it.runDetails.builder.id = 'https://github.com/actions/runner/self-hosted';
      },
      BUILDER,
    ],
    [
      'P07 another build type',
      (it) => {
        it.buildDefinition.buildType = `${GITHUB}x`;
      },
      'verify/external-parameters',
    ],
    [
      'P08 another repository id',
      (it) => {
        it.buildDefinition.internalParameters.github['repository_id'] = '1';
      },
      INCONSISTENT,
    ],
    [
      'P08 another trigger',
      (it) => {
        it.buildDefinition.internalParameters.github['event_name'] = 'schedule';
      },
      INCONSISTENT,
    ],
    [
      'P08 another workflow',
      (it) => {
        const { externalParameters } = it.buildDefinition;
        externalParameters['workflow'] = {
          ref: SOURCE.ref,
          repository: SOURCE.repository,
          path: 'x.yml',
        };
      },
      INCONSISTENT,
    ],
    [
      'P09 an input of a dispatch',
      (it) => {
        it.buildDefinition.externalParameters['inputs'] = {};
      },
      'verify/external-parameters',
    ],
  ])('%s is refused', async (_name, spoil, code) => {
    expect(await judged(spoil)).toBe(code);
  });

  test('P08 a commit that the certificate does not know is refused', async () => {
    expect(await judged(undefined, { sha: '2'.repeat(40) })).toBe(INCONSISTENT);
  });

  test('P06 a signer who may not speak for the builder is refused', async () => {
    const by = demanding({ signers: ['first'] });
    expect(await judged(undefined, {}, by)).toBe(BUILDER);
  });
});

const BUILDER = 'verify/builder-mismatch';
const INCONSISTENT = 'verify/provenance-inconsistent';

test('the claims of a token are those that the tests spoil', () => {
  expect(CLAIMS.sub).toBe(SUBJECT);
});
