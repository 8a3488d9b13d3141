// Who signs in the table of hostile inputs.
//
// SPDX-License-Identifier: Apache-2.0

import type { TrustPolicy } from '../../../src/core/verify/trust.ts';
import { attach, type Draft } from '../../support/hostile.ts';
import type { Offer } from '../../support/shelf.ts';
import {
  encodeJson,
  makeSigner,
  signBundle,
  type TestSigner,
  trustIn,
} from '../../support/signed-bundle.ts';
import { sealed } from '../../support/trust.ts';

export const ci = makeSigner();
export const second = makeSigner();
/** Listed, with a window that is over. */
export const expired = makeSigner();
/** Listed, and revoked. */
export const revoked = makeSigner();

/** The trust policy that knows them all, and demands provenance. */
export function trustByKeys(): TrustPolicy {
  const trust = trustIn(ci, second, expired, revoked);
  const policies = trust.policies.map((it) => ({
    ...it,
    release: {
      ...it.release,
      anyOf: it.release.anyOf.map((key) =>
        key.fingerprint === expired.fingerprint
          ? { ...key, notAfter: '2026-02-01T00:00:00.000Z' }
          : key,
      ),
    },
  }));
  const keys = [revoked.fingerprint];
  return sealed({ ...trust, policies, revoked: { digests: [], keys, identities: [] } });
}

/** One signed statement as it is attached. */
export async function sign(statement: Uint8Array, by: TestSigner = ci): Promise<Uint8Array> {
  return encodeJson(await signBundle(statement, by));
}

/** A draft with all that admits it. */
export async function good(draft: Draft): Promise<Offer> {
  return attach(draft, await sign(draft.release), await sign(draft.provenance));
}
