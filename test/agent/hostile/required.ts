// I10 and P06: a release by as many as are demanded, without the one who must be among them; and one whose
// provenance is of a signer who does not build.
//
// SPDX-License-Identifier: Apache-2.0

import type { TrustPolicy } from '../../../src/core/verify/trust.ts';
import { attach, type Draft, type Hostile } from '../../support/hostile.ts';
import type { Offer } from '../../support/shelf.ts';
import { makeSigner, type TestSigner, trustIn } from '../../support/signed-bundle.ts';
import { sealed } from '../../support/trust.ts';
import { ci, second, sign } from './keys.ts';

const security = makeSigner();

/** Two of three, and never without the last one. */
export function trustWithRequired(): TrustPolicy {
  const trust = trustIn(ci, second, security);
  const policies = trust.policies.map((it) => ({
    ...it,
    release: { ...it.release, minimumMatches: 2, allOf: ['signer-2'] },
    provenance: it.provenance === null ? null : { ...it.provenance, signers: ['signer-0'] },
  }));
  return sealed({ ...trust, policies });
}

async function releasedBy(
  draft: Draft,
  by: readonly TestSigner[],
  builtBy: TestSigner = ci,
): Promise<Offer> {
  const releases = by.map((it) => sign(draft.release, it));
  return attach(draft, ...(await Promise.all([...releases, sign(draft.provenance, builtBy)])));
}

export const goodWithRequired = (draft: Draft) => releasedBy(draft, [ci, security]);

const short = (what: string, ...by: readonly TestSigner[]): Hostile => ({
  id: 'I10',
  what,
  codes: ['verify/threshold-not-met'],
  offer: (draft) => releasedBy(draft, by),
});

export const REQUIRED: readonly Hostile[] = [
  short('two good signers, without the one who must sign', ci, second),
  short('the one who must sign, twice and alone', security, security),
  {
    id: 'P06',
    what: 'a trusted builder, by the word of a signer who does not build',
    codes: ['verify/builder-mismatch'],
    offer: (draft) => releasedBy(draft, [ci, security], security),
  },
];
