// What signatures are verified against, made from the trust policy: its keys by hint, and its trusted
// root as the library wants it. No network, and no cache that outlives the policy.
//
// SPDX-License-Identifier: Apache-2.0

import { TrustedRoot } from '@sigstore/protobuf-specs';
import { type TrustMaterial, toTrustMaterial } from '@sigstore/verify';
import { err, failure, ok, type Result } from '../../core/result.ts';
import { escapeAndCut } from '../../core/text.ts';
import type { TrustedRootText, TrustPolicy } from '../../core/verify/trust.ts';
import { makeKeyRing } from './keys.ts';
import type { Anchors } from './signature.ts';

/** Prepares the anchors of a trust policy. */
export function makeAnchors(trust: TrustPolicy): Result<Anchors> {
  const ring = makeKeyRing(trust);
  if (!ring.ok) return ring;
  if (trust.trustedRoot === null) return ok({ ...NO_ANCHORS, ring: ring.value });
  const anchors = makeRootAnchors(trust.trustedRoot);
  return anchors.ok ? ok({ ...anchors.value, ring: ring.value }) : anchors;
}

/** Prepares the anchors of a trusted root alone: no key is listed. */
export function makeRootAnchors({ json }: TrustedRootText): Result<Anchors> {
  try {
    const root = TrustedRoot.fromJSON(JSON.parse(json));
    return ok({ ring: new Map(), material: toTrustMaterial(root, noKey) });
  } catch (cause) {
    // Its shape was checked; what is thrown here is about keys and certificates inside.
    const text = escapeAndCut(cause instanceof Error ? cause.message : String(cause), 200);
    const what = 'a key or certificate of the trusted root cannot be read';
    return err(failure('trust/root-invalid', what, { causes: [text] }));
  }
}

const noKey: TrustMaterial['publicKey'] = () => {
  throw new Error('keys are found in the ring');
};

/** Anchors that nothing holds by. */
export const NO_ANCHORS: Anchors = {
  ring: new Map(),
  material: {
    certificateAuthorities: [],
    timestampAuthorities: [],
    tlogs: [],
    ctlogs: [],
    publicKey: noKey,
  },
};
