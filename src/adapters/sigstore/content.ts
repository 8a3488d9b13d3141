// The content of a fetched bundle: every byte is hashed here again, because who fetched it is not who
// decides (the enforcer gets bundles from an unprivileged agent). Manifest, descriptor and files must
// name the same content, all of it and nothing else (bad input C01).
//
// SPDX-License-Identifier: Apache-2.0

import {
  type BundleBytes,
  type BundleDescriptor,
  type Descriptor,
  MEDIA,
} from '../../core/bundle.ts';
import { LIMITS } from '../../core/limits.ts';
import type { PolicyIr } from '../../core/policy/ir.ts';
import { err, failure, ok, type Result } from '../../core/result.ts';
import { sameJson } from '../../core/verify/same-json.ts';
import { digestOf } from '../../wire/content.ts';
import { parseDescriptor } from '../../wire/descriptor.ts';
import { parseManifest } from '../../wire/manifest.ts';
import { parseIr } from '../../wire/policy/ir.ts';

/** Reads and checks everything of a bundle but its attestations. */
export function readContent(
  bundle: BundleBytes,
): Result<{ readonly descriptor: BundleDescriptor; readonly ir: PolicyIr }> {
  const content = checkContent(bundle);
  if (!content.ok) return content;
  const { descriptor, compiled } = content.value;
  const ir = parseIr(compiled);
  if (ir.ok) return ok({ descriptor, ir: ir.value });
  if (ir.error.code !== 'policy/reserved-name') return ir;
  // The same words mean a slip in a policy repository and an attack in a bundle (bad input C04).
  return err({ ...ir.error, code: 'verify/baseline-violation' });
}

/** Hashes everything but the attestations, and holds it against what manifest and descriptor say. */
export function checkContent(
  bundle: BundleBytes,
): Result<{ readonly descriptor: BundleDescriptor; readonly compiled: Uint8Array }> {
  if (bundle.manifest.length > LIMITS.manifestBytesMax) {
    return err(failure('fetch/manifest-too-large', 'the manifest is larger than the cap'));
  }
  if (digestOf(bundle.manifest) !== bundle.digest) {
    return err(failure('fetch/digest-mismatch', 'the manifest does not hash to its digest'));
  }
  const manifest = parseManifest(bundle.manifest);
  if (!manifest.ok) return manifest;
  if (!holds(manifest.value.config, bundle.config)) return mismatch('the config is another one');
  const descriptor = parseDescriptor(bundle.config);
  if (!descriptor.ok) return descriptor;
  const { files } = descriptor.value;
  if (!sameJson(manifest.value.files, files)) {
    return mismatch('manifest and descriptor list different files');
  }
  const blobs = new Map(bundle.files.map((it) => [it.digest, it.bytes]));
  for (const file of files) {
    const bytes = blobs.get(file.digest);
    if (bytes === undefined) return mismatch(`${file.path} is absent`);
    if (!holds(file, bytes)) return mismatch(`${file.path} has other content`);
  }
  const listed = new Set(files.map((it) => it.digest));
  if (bundle.files.some((it) => !listed.has(it.digest))) {
    return mismatch('a file is present that is not listed');
  }
  // parseManifest demands exactly one compiled policy.
  const compiled = files.find((it) => it.mediaType === MEDIA.ir);
  const bytes = compiled === undefined ? undefined : blobs.get(compiled.digest);
  if (bytes === undefined) return mismatch('the compiled policy is absent');
  return ok({ descriptor: descriptor.value, compiled: bytes });
}

function holds(descriptor: Descriptor, bytes: Uint8Array): boolean {
  return bytes.length === descriptor.size && digestOf(bytes) === descriptor.digest;
}

function mismatch(message: string): Result<never> {
  return err(failure('verify/content-mismatch', message));
}
