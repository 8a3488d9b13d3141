// How a bundle came to be, as its SLSA provenance says: the part that Warder writes and believes.
//
// SPDX-License-Identifier: Apache-2.0

/** One build. Strings are compared exactly; nothing here is a pattern. */
export interface Provenance {
  readonly buildType: string;
  readonly builderId: string;
  /** Canonical URL of the policy repository. */
  readonly repository: string;
  /** The full Git ref that was pushed, such as `refs/heads/main`. */
  readonly ref: string;
  /** Path of the publishing configuration, or of the workflow, in the repository. */
  readonly config: string;
  /** Full commit id. */
  readonly commit: string;
  /** What a GitHub Actions build says besides; null where the build type does not. */
  readonly workflow: string | null;
  readonly repositoryId: string | null;
  readonly ownerId: string | null;
  readonly trigger: string | null;
}
