// Every bound in one place, with its unit in its name. Beyond a bound is a refusal, never a cut.
//
// SPDX-License-Identifier: Apache-2.0

export const LIMITS = {
  manifestBytesMax: 4 * 1024 * 1024,
  configBytesMax: 1024 * 1024,
  fileBytesMax: 4 * 1024 * 1024,
  bundleBytesMax: 16 * 1024 * 1024,
  layersMax: 256,
  /** What a publisher puts into a manifest; readers take what fits into the manifest's bound. */
  embeddedBlobBytesMax: 16 * 1024,
  embeddedBytesMax: 64 * 1024,
  attestationBytesMax: 1024 * 1024,
  archiveBytesMax: 128 * 1024 * 1024,
  archiveEntriesMax: 4096,
  artifactBytesMax: 512 * 1024 * 1024,
  referrersMax: 64,
  headBytesMax: 512 * 1024,
  headStatementsMax: 8,
  trustBytesMax: 4 * 1024 * 1024,
  referrerIndexBytesMax: 4 * 1024 * 1024,
  recordBytesMax: 4 * 1024 * 1024,
  /** Decision records of refusals; then of admissions that are neither active nor last-known-good. */
  refusalsMax: 200,
  refusalBytesMax: 8 * 1024 * 1024,
  admissionsMax: 100,
  admissionBytesMax: 32 * 1024 * 1024,
  policyFileBytesMax: 1024 * 1024,
  jsonDepthMax: 64,
  fetchTimeoutMs: 60_000,
  verifyTimeoutMs: 20_000,
  enforcerFrameBytesMax: 48 * 1024 * 1024,
} as const;
