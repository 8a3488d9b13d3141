// Small bundles with real bytes for tests of registries, layouts and publishing. Nothing is signed.
//
// SPDX-License-Identifier: Apache-2.0

import {
  type BundleDescriptor,
  type BundleFile,
  type Descriptor,
  MEDIA,
} from '../../src/core/bundle.ts';
import type { BundleVersion } from '../../src/core/version.ts';
import { toCanonicalJson } from '../../src/wire/canonical-json.ts';
import { digestOf } from '../../src/wire/content.ts';
import { encodeDescriptor } from '../../src/wire/descriptor.ts';
import { encodeManifest } from '../../src/wire/manifest.ts';

/** A bundle as it is pushed. */
export interface BundleContent {
  readonly descriptor: BundleDescriptor;
  readonly manifest: Uint8Array;
  readonly blobs: readonly { readonly descriptor: Descriptor; readonly bytes: Uint8Array }[];
}

/** Makes a well-formed bundle for a repository; versions differ in their bytes. */
export function makeBundleContent(
  repository: string,
  version = 1,
  change: Partial<BundleDescriptor> = {},
): BundleContent {
  const contents = [
    { path: 'policies/a.yaml', mediaType: MEDIA.source, text: `# policy ${version}\n` },
    { path: 'policies/a.test.yaml', mediaType: MEDIA.tests, text: '# tests\n' },
  ].map((one) => ({ ...one, bytes: new TextEncoder().encode(one.text) }));
  const ir = toCanonicalJson({ irVersion: 1, rules: [] });
  const all = [...contents, { path: 'policy.ir.json', mediaType: MEDIA.ir, bytes: ir }];
  const files: BundleFile[] = all.map(({ path, mediaType, bytes }) => ({
    path,
    mediaType,
    digest: digestOf(bytes),
    size: bytes.length,
  }));
  const descriptor: BundleDescriptor = {
    name: 'test',
    tenant: 'acme',
    channel: 'prod',
    repository,
    version: version as BundleVersion,
    previous: null,
    createdAt: '2026-01-01T00:00:00Z',
    notBefore: '2026-01-01T00:00:00Z',
    expires: '2030-01-01T00:00:00Z',
    minAgentVersion: '0.1.0',
    requires: { kernel: '6.1', hooks: [] },
    selectors: {},
    source: {
      repository: 'https://git.example.com/acme/policies',
      ref: 'refs/heads/main',
      commit: '1'.repeat(40),
    },
    files,
    ...change,
  };
  const configBytes = encodeDescriptor(descriptor);
  const config = {
    mediaType: MEDIA.config,
    digest: digestOf(configBytes),
    size: configBytes.length,
  };
  const blobs = all.map(({ bytes, mediaType }) => ({
    descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length },
    bytes,
  }));
  return {
    descriptor,
    manifest: encodeManifest({ config, files }),
    blobs: [{ descriptor: config, bytes: configBytes }, ...blobs],
  };
}
