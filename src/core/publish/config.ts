// How a policy repository is published: `warder.yaml` at its root, after parsing.
//
// SPDX-License-Identifier: Apache-2.0

import type { Repository } from '../reference.ts';

/** Path of the configuration in the repository. */
export const PUBLISH_CONFIG_PATH = 'warder.yaml';

/** What the authors of a policy repository decide once, under review like the policies. */
export interface PublishConfig {
  readonly name: string;
  readonly tenant: string;
  readonly channel: string;
  /** Where bundles belong, and the name that is signed. */
  readonly repository: Repository;
  readonly source: {
    /** Canonical URL of this Git repository. */
    readonly repository: string;
    /** The one ref that is published, so that a commit has one digest. */
    readonly ref: string;
  };
  /** From a bundle's creation to its expiry. */
  readonly lifetimeMs: number;
  readonly policiesDir: string;
  readonly minAgentVersion: string;
  /** Of the host, besides what the policies need. */
  readonly requires: { readonly kernel: string; readonly hooks: readonly string[] };
  readonly selectors: Readonly<Record<string, string>>;
  readonly builder: { readonly id: string; readonly buildType: string };
}
