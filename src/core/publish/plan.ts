// What a commit becomes: the descriptor, provenance and tags of its bundle. Pure, so that the same
// commit gives the same bytes on every machine and on every day.
//
// SPDX-License-Identifier: Apache-2.0

import { type BundleDescriptor, type BundleFile, MEDIA } from '../bundle.ts';
import { pathProblem } from '../bundle-path.ts';
import type { Digest } from '../digest.ts';
import { LIMITS } from '../limits.ts';
import type { Provenance } from '../provenance.ts';
import { formatRepository } from '../reference.ts';
import { type Failure, failure, ok, type Result } from '../result.ts';
import type { BundleVersion } from '../version.ts';
import { type CommitFacts, type SourceFile, versionOf } from './commit.ts';
import { PUBLISH_CONFIG_PATH, type PublishConfig } from './config.ts';

/** Path of the compiled policies in a bundle. */
export const IR_PATH = 'policy.ir.json';

const YAML = /\.ya?ml$/;
const TEST_YAML = /\.test\.ya?ml$/;

/** Files of a commit by what they are in a bundle; everything that is not YAML stays behind. */
export interface SortedSources {
  readonly sources: readonly SourceFile[];
  readonly tests: readonly SourceFile[];
}

/** Sorts the files of the policy folder, in byte order of their paths. */
export function sortSources(files: readonly SourceFile[]): SortedSources {
  const yaml = files
    .filter((file) => YAML.test(file.path))
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
  return {
    sources: yaml.filter((file) => !TEST_YAML.test(file.path)),
    tests: yaml.filter((file) => TEST_YAML.test(file.path)),
  };
}

/** Everything about the sources that a host would refuse later, found before anything is pushed. */
export function checkSources(config: PublishConfig, sorted: SortedSources): readonly Failure[] {
  const all = [...sorted.sources, ...sorted.tests];
  const problems = all.flatMap((file) => {
    const why = pathProblem(file.path);
    if (why === null) return [];
    const what = `a bundle cannot carry ${JSON.stringify(file.path)}`;
    return [failure('publish/path-unsafe', what, { causes: [why], hints: ['rename the file'] })];
  });
  if (sorted.sources.length === 0) {
    const what = `the commit has no policy files in ${config.policiesDir}/`;
    problems.push(failure('publish/no-policies', what));
  }
  const bytes = all.reduce((sum, file) => sum + file.bytes.length, 0);
  const isLarge = all.some((file) => file.bytes.length > LIMITS.policyFileBytesMax);
  // The compiled form is a layer too, and about as large as its sources.
  if (isLarge || bytes > LIMITS.bundleBytesMax / 2 || all.length >= LIMITS.layersMax) {
    const causes = [`${all.length} files, ${bytes} bytes`];
    problems.push(
      failure('publish/too-large', 'the policies do not fit into a bundle', { causes }),
    );
  }
  return problems;
}

/** Media type of a file in a bundle. */
export function mediaTypeOf(path: string): string {
  if (path === IR_PATH) return MEDIA.ir;
  return TEST_YAML.test(path) ? MEDIA.tests : MEDIA.source;
}

/** The descriptor of the bundle of a commit. */
export function planDescriptor(
  config: PublishConfig,
  facts: CommitFacts,
  files: readonly BundleFile[],
  previous: Digest | null,
  needed: readonly string[],
): Result<BundleDescriptor> {
  const version = versionOf(facts);
  if (!version.ok) return version;
  const createdAt = toTime(facts.committedAtMs);
  return ok({
    name: config.name,
    tenant: config.tenant,
    channel: config.channel,
    repository: formatRepository(config.repository),
    version: version.value,
    previous,
    createdAt,
    notBefore: createdAt,
    expires: toTime(facts.committedAtMs + config.lifetimeMs),
    minAgentVersion: config.minAgentVersion,
    requires: {
      kernel: config.requires.kernel,
      // Its rules need what they need, whatever is written.
      hooks: [...new Set([...needed, ...config.requires.hooks])].sort(),
    },
    selectors: config.selectors,
    source: {
      repository: config.source.repository,
      ref: config.source.ref,
      commit: facts.commit,
    },
    files,
  });
}

function toTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** How the bundle came to be. */
export function planProvenance(config: PublishConfig, descriptor: BundleDescriptor): Provenance {
  return {
    buildType: config.builder.buildType,
    builderId: config.builder.id,
    repository: descriptor.source.repository,
    ref: descriptor.source.ref,
    config: PUBLISH_CONFIG_PATH,
    commit: descriptor.source.commit,
    workflow: null,
    repositoryId: null,
    ownerId: null,
    trigger: null,
  };
}

/** The tag that names one version for ever. */
export function versionTag(channel: string, version: BundleVersion): string {
  return `${channel}-v${version}`;
}
