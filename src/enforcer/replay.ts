// Stored evidence is verified again, offline, before it is built from or stays in force under another trust
// policy. Three outcomes: admitted; admitted under its own root, when the trusted root was rotated and nothing
// else speaks against it (L04); distrusted, with the outcome that the trust policy configures.
//
// Invariant: only the root is taken from the time of the admission. Who may sign, what is revoked and what is
// demanded are those of the trust policy in force.
//
// SPDX-License-Identifier: Apache-2.0

import type { BundleBytes } from '../core/bundle.ts';
import { type DecidedBundle, decideBundle } from '../core/decision/bundle.ts';
import type { Digest } from '../core/digest.ts';
import { err, type Failure, failure, ok, type Result } from '../core/result.ts';
import type { TrustPolicy } from '../core/verify/trust.ts';
import { narrow } from '../decision/record.ts';
import { digestOf } from '../wire/content.ts';
import { encodeTrustDocument, parseTrustDocument } from '../wire/signed-trust.ts';
import { type AdmissionOptions, type Admitted, contextOf } from './admission.ts';
import { recordDecision, refuseAll, startMeasuring } from './decisions.ts';

/**
 * Verifies stored evidence: hashes always; signatures again when the trust policy is another than the one that
 * the bundle was admitted under. Expiry does not matter here: it blocks new activations and never takes
 * protection away.
 */
export async function replay(digest: Digest, options: AdmissionOptions): Promise<Result<Admitted>> {
  const { store, trust } = options;
  const known = store.admitted(digest);
  if (known === null) {
    return err(failure('restore/evidence-corrupt', `there is no record of ${digest}`));
  }
  const bytes = store.evidence(digest);
  if (!bytes.ok) return bytes;
  const collected = await collectAgain(bytes.value, trust, options);
  const { answer } = collected;
  if (!answer.ok) return answer;
  const admitted = { ir: answer.value.ir, summary: known.summary };
  if (known.trustFingerprint === trust.fingerprint) return ok({ ...admitted, concern: null });
  const decided = judge(collected, trust, options);
  if (decided.failures.length === 0) return ok({ ...admitted, concern: null });
  const reason = refuseAll(decided).error;
  if (await isAdmittedUnderOwnRoot(bytes.value, options)) {
    return ok({ ...admitted, concern: tellRotated(digest, reason) });
  }
  const distrusted = failure(
    'restore/distrusted',
    `the trust policy in force no longer admits ${digest}`,
    { causes: [`${reason.code}: ${reason.message}`, ...reason.causes] },
  );
  if (trust.onDistrustedLkg === 'baseline') return err(distrusted);
  return ok({ ...admitted, concern: distrusted });
}

interface Collected {
  readonly bytes: BundleBytes;
  readonly answer: Awaited<ReturnType<AdmissionOptions['verifier']['collect']>>;
  readonly measured: ReturnType<typeof startMeasuring>;
}

async function collectAgain(
  bytes: BundleBytes,
  trust: TrustPolicy,
  { verifier }: AdmissionOptions,
): Promise<Collected> {
  const measured = startMeasuring();
  return { bytes, answer: await verifier.collect(bytes, trust), measured };
}

/** Decides again, and records it. */
function judge(
  { bytes, answer, measured }: Collected,
  trust: TrustPolicy,
  options: AdmissionOptions,
): DecidedBundle {
  const { digest } = bytes;
  const { store, version } = options;
  const facts = { context: narrow(contextOf(options, 'replay'), [digest]), privileged: null };
  const collected = { answer, digest, attestations: bytes.attestations.map(digestOf) };
  const decided = decideBundle(collected, trust, facts, measured.stopwatch);
  const question = { kind: 'bundle', ...facts } as const;
  const draft = { question, subject: digest, bundles: [bytes], decided, ...measured.end() };
  // What is enforced already does not wait for its record.
  recordDecision(draft, { store, version, trust });
  return decided;
}

// L04: a log, an authority or a certificate log that is gone proves nothing about what it vouched for before.
async function isAdmittedUnderOwnRoot(
  bytes: BundleBytes,
  options: AdmissionOptions,
): Promise<boolean> {
  const { store, trust } = options;
  const root = store.rootOf(bytes.digest);
  if (root === null || root.digest === trust.trustedRoot?.digest) return false;
  const before = parseTrustDocument(encodeTrustDocument({ ...trust, trustedRoot: root }));
  if (!before.ok) return false;
  const collected = await collectAgain(bytes, before.value, options);
  return collected.answer.ok && judge(collected, before.value, options).failures.length === 0;
}

function tellRotated(digest: Digest, reason: Failure): Failure {
  return failure(
    'restore/trust-changed',
    `${digest} is admitted under the trusted root of its admission, not under the one in force`,
    {
      causes: [`under the one in force: ${reason.code}: ${reason.message}`, ...reason.causes],
      hints: ['publish a bundle that the new root vouches for; revoke this digest to end it'],
    },
  );
}
