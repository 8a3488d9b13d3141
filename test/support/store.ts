// Small admissions for tests of the agent's store: real bytes, real digests, nothing verified.
//
// SPDX-License-Identifier: Apache-2.0

import { createHash } from 'node:crypto';
import type { Admission, BundleBytes } from '../../src/core/bundle.ts';
import type { Digest } from '../../src/core/digest.ts';
import type { BundleSummary } from '../../src/core/enforcement.ts';
import type { BundleVersion } from '../../src/core/version.ts';

const TRUST = `sha256:${'f'.repeat(64)}` as Digest;
const AT = '2026-01-01T00:00:00.000Z';

/** An admitted bundle of a version, as the store is given it. */
export function admittedBundle(number: number): {
  readonly bundle: BundleBytes;
  readonly admission: Admission;
  readonly summary: BundleSummary;
  readonly version: BundleVersion;
} {
  const version = number as BundleVersion;
  const manifest = bytes(`manifest ${number}`);
  const shared = bytes('the same file in every version');
  const bundle = {
    digest: digestOf(manifest),
    manifest,
    config: bytes(`config ${number}`),
    files: [{ digest: digestOf(shared), bytes: shared }],
    attestations: [bytes(`release ${number}`), bytes(`provenance ${number}`)],
  };
  const { digest } = bundle;
  const summary: BundleSummary = {
    digest,
    version,
    repository: 'r',
    channel: 'c',
    commit: '0',
    sourceRepository: 's',
    signers: [],
    expires: AT,
  };
  const admission = {
    digest,
    descriptor: { version },
    ir: { irVersion: 1, rules: [] },
    signers: [],
    trustFingerprint: TRUST,
    verifiedAt: AT,
  } as unknown as Admission;
  return { bundle, admission, summary, version };
}

function digestOf(content: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(content).digest('hex')}` as Digest;
}

function bytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'utf8'));
}
