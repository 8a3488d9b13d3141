// Artifacts as a registry stores them, without an opinion on any of them: what is exported and imported.
//
// SPDX-License-Identifier: Apache-2.0

import type { Descriptor } from './bundle.ts';
import type { Digest } from './digest.ts';

/** Manifests with everything that they name, and the tags that name some of them. */
export interface Snapshot {
  readonly tags: readonly { readonly tag: string; readonly digest: Digest }[];
  readonly manifests: readonly StoredManifest[];
  /** Configs and layers, each once. */
  readonly blobs: readonly { readonly descriptor: Descriptor; readonly bytes: Uint8Array }[];
}

/** A manifest byte for byte. */
export interface StoredManifest {
  readonly mediaType: string;
  readonly artifactType: string | null;
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}
