// What Git says of the commit that is published: the only source of a bundle's version and times.
//
// SPDX-License-Identifier: Apache-2.0

import type { ErrorCode } from '../errors.ts';
import { err, failure, ok, type Result } from '../result.ts';
import { type BundleVersion, toBundleVersion } from '../version.ts';

/** Facts of one commit. */
export interface CommitFacts {
  /** Full id. */
  readonly commit: string;
  readonly committedAtMs: number;
  /** Commits on the first-parent line down to this one; null when the history was cut (shallow clone). */
  readonly firstParentCount: number | null;
  /** Names of the tags that point exactly here. */
  readonly tags: readonly string[];
}

/** A file of a commit. What is published is what is committed, never what lies in a work tree. */
export interface SourceFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

const VERSION_TAG = /^v([1-9][0-9]{0,15})$/;

/** The version of a commit: its tag `vN`, else the length of its first-parent line. */
export function versionOf(facts: CommitFacts): Result<BundleVersion> {
  const tagged = facts.tags.flatMap((tag) => {
    const version = toBundleVersion(Number(VERSION_TAG.exec(tag)?.[1] ?? 0));
    return version === null ? [] : [version];
  });
  const [only] = tagged;
  if (tagged.length > 1) {
    return refuse('publish/version-ambiguous', 'two version tags point at the commit', [
      tagged.map((version) => `v${version}`).join(', '),
    ]);
  }
  if (only !== undefined) return ok(only);
  if (facts.firstParentCount === null) {
    const hint = 'fetch the whole history (fetch-depth: 0), or tag the commit vN';
    return refuse(
      'publish/shallow-history',
      'the history is cut: commits cannot be counted',
      [],
      hint,
    );
  }
  const counted = toBundleVersion(facts.firstParentCount);
  if (counted !== null) return ok(counted);
  return refuse('publish/version-ambiguous', 'the commit has no version', []);
}

function refuse(
  code: ErrorCode,
  message: string,
  causes: readonly string[],
  hint?: string,
): Result<never> {
  return err(failure(code, message, { causes, hints: hint === undefined ? [] : [hint] }));
}
