// S, I and P by identities: certificates, logs and timestamps of a private sigstore, over the whole path.
//
// SPDX-License-Identifier: Apache-2.0

import type { ErrorCode } from '../../../src/core/errors.ts';
import type { TrustPolicy } from '../../../src/core/verify/trust.ts';
import { attach, type Draft, draftOf, type Hostile } from '../../support/hostile.ts';
import {
  type Claims,
  entryOf,
  ISSUER,
  makeIdentity,
  SOURCE,
  SUBJECT,
  signKeyless,
  signOddly,
  trustIdentities,
} from '../../support/keyless.ts';
import { ODD_CERTIFICATES } from '../../support/odd-certificates.ts';
import type { PrivateSigstore } from '../../support/private-sigstore.ts';
import type { Offer } from '../../support/shelf.ts';
import { type BundleJson, encodeJson } from '../../support/signed-bundle.ts';
import { flipBit } from '../../support/verdicts.ts';
import { sign } from './keys.ts';

/** The services, and others that nobody trusts. */
export interface Authorities {
  readonly trusted: PrivateSigstore;
  readonly stranger: PrivateSigstore;
}

/** A bare name is enough for certificates that say no more. */
export function trustByIdentities({ trusted }: Authorities): TrustPolicy {
  const nothing = { repositoryId: null, ownerId: null, runner: null, workflow: null };
  const bare = { ...nothing, triggers: null, subject: 'https://bare.example.com/job' };
  return trustIdentities(trusted, [makeIdentity(), makeIdentity({ ...bare, id: 'bare' })]);
}

/** A draft from the repository that the claims are of, signed. */
export async function goodByIdentity(on: Authorities, draft: Draft): Promise<Offer> {
  return attach(draft, encodeJson(await signKeyless(on.trusted, draft.release)));
}

const BARE = 'https://bare.example.com/job';
const MISMATCH = 'verify/identity-mismatch';
const UNTRUSTED = 'verify/certificate-untrusted';
const TLOG = 'verify/tlog-invalid';
const ext = (number: number, value: string, legacy = false) => ({
  ...{ oid: `1.3.6.1.4.1.57264.1.${number}`, value, legacy },
});

/** Every row; the draft that is offered is from the repository of the claims. */
export function identities(on: Authorities): readonly Hostile[] {
  const row = (
    id: string,
    what: string,
    codes: readonly ErrorCode[],
    make: (release: Uint8Array) => Promise<BundleJson>,
  ): Hostile => ({
    ...{ id, what, codes },
    offer: async () => {
      const draft = draftOf({ source: SOURCE });
      return attach(draft, encodeJson(await make(draft.release)));
    },
  });
  const claims = (id: string, what: string, code: ErrorCode, said: Claims) =>
    row(id, what, [code], (it) => signKeyless(on.trusted, it, said));
  const odd = (id: string, what: string, code: ErrorCode, how: Parameters<typeof signOddly>[2]) =>
    row(id, what, [code], (it) => signOddly(on.trusted, it, { subject: BARE, ...how }));
  const spoiled = (
    id: string,
    what: string,
    codes: readonly ErrorCode[],
    spoil: (bundle: BundleJson) => void,
  ) =>
    row(id, what, codes, async (it) => {
      const bundle = await signKeyless(on.trusted, it);
      spoil(bundle);
      return bundle;
    });
  const certified = (id: string, what: string, code: ErrorCode, rawBytes: string) =>
    spoiled(id, what, [code], (it) => {
      it.verificationMaterial['certificate'] = { rawBytes };
    });
  return [
    odd('S09', 'another authority', UNTRUSTED, { authority: on.stranger.authority }),
    certified('S09', 'an authority as a leaf', UNTRUSTED, ODD_CERTIFICATES.ca),
    certified('S09', 'no use for code', UNTRUSTED, ODD_CERTIFICATES.noeku),
    certified('S24', 'a key on P-384', 'verify/algorithm', ODD_CERTIFICATES.p384),
    certified('S24', 'an RSA key', 'verify/algorithm', ODD_CERTIFICATES.rsa),
    certified('S25', 'no DER', UNTRUSTED, Buffer.from('hello').toString('base64')),
    certified('S25', '50,000 levels', UNTRUSTED, Buffer.alloc(50_000, 0x30).toString('base64')),
    certified('I13', 'two names', MISMATCH, ODD_CERTIFICATES.two),
    certified('I13', 'a name behind an address', MISMATCH, ODD_CERTIFICATES.mailtwo),
    spoiled('S12', 'no log entry', [TLOG], (it) => {
      it.verificationMaterial['tlogEntries'] = [];
    }),
    row('S12', 'the entry of another signature', [TLOG], async (it) => {
      const [one, other] = [await signKeyless(on.trusted, it), await signKeyless(on.trusted, it)];
      const entries = other.verificationMaterial['tlogEntries'];
      return {
        ...one,
        verificationMaterial: { ...one.verificationMaterial, tlogEntries: entries },
      };
    }),
    spoiled('S13', 'another root', [TLOG], (it) => {
      const { inclusionProof } = entryOf(it);
      inclusionProof.rootHash = flipBit(inclusionProof.rootHash, 3);
    }),
    spoiled('S13', 'an index outside of the tree', [TLOG], (it) => {
      entryOf(it).inclusionProof.logIndex = '9';
    }),
    spoiled('S13', 'a hash too many', [TLOG], (it) => {
      const { inclusionProof } = entryOf(it);
      inclusionProof.hashes = [inclusionProof.rootHash];
    }),
    spoiled('S13', 'a checkpoint without signature', [TLOG], (it) => {
      entryOf(it).inclusionProof.checkpoint.envelope = 'x\n1\ny\n\n';
    }),
    spoiled('S13', 'a size that is no number', [TLOG], (it) => {
      const { checkpoint } = entryOf(it).inclusionProof;
      checkpoint.envelope = checkpoint.envelope.replace('\n1\n', '\nNaN\n');
    }),
    spoiled('S14', 'a checkpoint whose name is a slow expression', [TLOG], (it) => {
      const { checkpoint } = entryOf(it).inclusionProof;
      const name = '(([a-z:/.]+)+)+!';
      checkpoint.envelope = checkpoint.envelope.replace(/\u2014 \S+ /, `\u2014 ${name} `);
    }),
    row(
      'S16',
      'a log time that nobody promised',
      ['verify/timestamp-missing', 'verify/timestamp-invalid'],
      async (it) => {
        const bundle = await signOddly(on.trusted, it, { subject: BARE, witnesses: ['log'] });
        delete entryOf(bundle).inclusionPromise;
        return bundle;
      },
    ),
    {
      id: 'S21',
      what: 'a key where identities are demanded',
      codes: ['verify/identity-required', 'verify/key-unknown'],
      offer: async () => {
        const draft = draftOf({ source: SOURCE });
        return attach(draft, await sign(draft.release));
      },
    },
    claims('I01', 'a longer name', MISMATCH, { sub: SUBJECT.replace('policies', 'policy-evil') }),
    claims('I01', 'the name inside another', MISMATCH, { sub: `https://evil.example/${SUBJECT}` }),
    claims('I01', 'a dot for a letter', MISMATCH, { sub: SUBJECT.replace('github.', 'githubX') }),
    claims('I01', 'a slash behind it', MISMATCH, { sub: `${SUBJECT}/x` }),
    claims('I03', 'another workflow', MISMATCH, { sub: SUBJECT.replace('release', 'other') }),
    claims('I03', 'a branch', MISMATCH, { sub: SUBJECT.replace('tags/v7', 'heads/main') }),
    claims('I03', 'a pull request', MISMATCH, { sub: SUBJECT.replace('tags/v7', 'pull/7/merge') }),
    claims('I04', 'another repository id', MISMATCH, { repository_id: '1' }),
    claims('I04', 'another owner id', MISMATCH, { repository_owner_id: '1' }),
    claims('I05', 'a runner of somebody', 'verify/runner', { runner_environment: 'self-hosted' }),
    odd('I06', 'a number that begins alike', UNTRUSTED, { extensions: [ext(10, ISSUER)] }),
    odd('I12', 'a name that looks alike', MISMATCH, { subject: BARE.replace('a', '\u0430') }),
    odd('I12', 'a letter with its highest bit', MISMATCH, { subject: BARE.replace('a', '\u00e1') }),
    odd('I14', 'the issuer twice', UNTRUSTED, { extensions: [ext(8, ISSUER), ext(8, ISSUER)] }),
    odd('I14', 'a frame that is longer', UNTRUSTED, { extensions: [ext(8, '\x0c\x05abcd', true)] }),
    odd('I14', 'bytes behind the frame', UNTRUSTED, { extensions: [ext(8, '\x0c\x01ab', true)] }),
  ];
}
