// P12: what a verifier says, where the trust policy asks for it. Everything else of each bundle is good.
//
// SPDX-License-Identifier: Apache-2.0

import { PREDICATE } from '../../../src/core/bundle.ts';
import type { TrustPolicy } from '../../../src/core/verify/trust.ts';
import { attach, type Draft, type Hostile } from '../../support/hostile.ts';
import type { Offer } from '../../support/shelf.ts';
import { makeSigner, type TestSigner } from '../../support/signed-bundle.ts';
import { encodeSvr, encodeVsa } from '../../support/summaries.ts';
import { sealed } from '../../support/trust.ts';
import { digestOf, makeTrustedKey, makeVerification, VERIFIER } from '../../support/verify.ts';
import { REPOSITORY } from '../../support/world.ts';
import { ci, good, sign, trustByKeys } from './keys.ts';

const verifier = makeSigner();

/** The trust policy that asks for a summary (VSA) or a result (SVR) besides. */
export function trustByVerifier(): TrustPolicy {
  const trust = trustByKeys();
  const anyOf = [makeTrustedKey('verifier', verifier.fingerprint, verifier.publicKeyPem)];
  const verification = makeVerification({ anyOf, predicateTypes: [PREDICATE.vsa, PREDICATE.svr] });
  return sealed({ ...trust, policies: trust.policies.map((it) => ({ ...it, verification })) });
}

type Change = Readonly<Record<string, unknown>>;

const vsa = ({ digest }: Draft, change: Change = {}, by: TestSigner = verifier) =>
  sign(encodeVsa(digest, change), by);
const svr = ({ digest }: Draft, change: Change = {}, by: TestSigner = verifier) =>
  sign(encodeSvr(digest, change), by);

/** A draft with release, provenance, and what somebody says besides. */
async function verified(draft: Draft, ...said: readonly Promise<Uint8Array>[]): Promise<Offer> {
  const usual = [sign(draft.release), sign(draft.provenance)];
  return attach(draft, ...(await Promise.all([...usual, ...said])));
}

/** What admits a bundle: a summary, or a result, among others that do not. */
export const goodByVsa = (draft: Draft): Promise<Offer> =>
  verified(draft, vsa(draft, { verificationResult: 'FAILED' }), vsa(draft));
export const goodBySvr = (draft: Draft): Promise<Offer> =>
  verified(draft, svr(draft, {}, ci), svr(draft));

const rejected = (what: string, ...said: readonly ((draft: Draft) => Promise<Uint8Array>)[]) => ({
  id: 'P12',
  what,
  codes: ['verify/vsa-rejected'] as const,
  offer: (draft: Draft) => verified(draft, ...said.map((it) => it(draft))),
});

const OTHER = digestOf('e');
const EVIL = { id: `${VERIFIER}-evil` };
const LATE = '2026-02-28T11:59:59Z';
const FUTURE = '2026-03-01T12:05:01Z';
const ELSEWHERE = 'oci://registry.example.com/other';

export const VERIFICATIONS: readonly Hostile[] = [
  { id: 'P12', what: 'nothing from the verifier', codes: ['verify/vsa-missing'], offer: good },
  {
    id: 'P12',
    what: 'a summary of another bundle',
    codes: ['verify/subject-mismatch'],
    offer: (draft) => verified(draft, sign(encodeVsa(draft.digest, {}, OTHER), verifier)),
  },
  rejected('a summary that says FAILED', (it) => vsa(it, { verificationResult: 'FAILED' })),
  rejected('a summary that says PASSED, to the level FAILED', (it) =>
    vsa(it, { verifiedLevels: ['SLSA_BUILD_LEVEL_3', 'FAILED'] }),
  ),
  rejected('a summary about another resource', (it) =>
    vsa(it, { resourceUri: `${ELSEWHERE}@${it.digest}` }),
  ),
  rejected('a summary about the place alone', (it) =>
    vsa(it, { resourceUri: `oci://${REPOSITORY}` }),
  ),
  rejected('a summary of another verifier', (it) => vsa(it, { verifier: EVIL })),
  rejected("a summary in the verifier's name by who releases", (it) => vsa(it, {}, ci)),
  rejected('a summary outside its window', (it) => vsa(it, { timeVerified: LATE })),
  rejected('a summary from the future', (it) => vsa(it, { timeVerified: FUTURE })),
  rejected('a summary to a lower level', (it) =>
    vsa(it, { verifiedLevels: ['SLSA_BUILD_LEVEL_2'] }),
  ),
  rejected('a summary with a field that nobody knows', (it) => vsa(it, { waived: true })),
  rejected(
    'two halves of a summary',
    (it) => vsa(it, { verificationResult: 'FAILED' }),
    (it) => vsa(it, { verifiedLevels: [] }),
  ),
  rejected('a result of another verifier', (it) => svr(it, { verifier: EVIL })),
  rejected('a result without the property', (it) => svr(it, { properties: ['REVIEWED'] })),
  rejected('a result outside its window', (it) => svr(it, { timeCreated: LATE })),
  rejected('a result from the future', (it) => svr(it, { timeCreated: FUTURE })),
  rejected("a result in the verifier's name by who releases", (it) => svr(it, {}, ci)),
];
