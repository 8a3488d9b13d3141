// What a verifier says of a bundle, as statements before they are signed; good in every respect unless a test
// changes them.
//
// SPDX-License-Identifier: Apache-2.0

import { PREDICATE } from '../../src/core/bundle.ts';
import { type Digest, digestHex } from '../../src/core/digest.ts';
import { encodeJson } from './signed-bundle.ts';
import { makeDescriptor, VERIFIER } from './verify.ts';

const REPOSITORY = makeDescriptor().repository;
const WHEN = '2026-03-01T11:30:00Z';
const LEVELS = ['SLSA_BUILD_LEVEL_3'];

type Change = Readonly<Record<string, unknown>>;

/** A SLSA verification summary about a digest; `subject` is another one where a test lies. */
export function encodeVsa(
  digest: Digest,
  change: Change = {},
  subject: Digest = digest,
): Uint8Array {
  const predicate = {
    verifier: { id: VERIFIER },
    timeVerified: WHEN,
    resourceUri: `oci://${REPOSITORY}@${digest}`,
    policy: { uri: `${VERIFIER}/policy` },
    verificationResult: 'PASSED',
    verifiedLevels: LEVELS,
    ...change,
  };
  return encode(PREDICATE.vsa, predicate, subject);
}

/** A simple verification result about a digest. */
export function encodeSvr(digest: Digest, change: Change = {}): Uint8Array {
  const predicate = {
    verifier: { id: VERIFIER },
    timeCreated: WHEN,
    properties: LEVELS,
    ...change,
  };
  return encode(PREDICATE.svr, predicate, digest);
}

function encode(predicateType: string, predicate: Change, subject: Digest): Uint8Array {
  return encodeJson({
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: REPOSITORY, digest: { sha256: digestHex(subject) } }],
    predicateType,
    predicate,
  });
}
