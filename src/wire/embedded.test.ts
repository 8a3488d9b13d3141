// Content that a manifest carries: what a publisher puts in, and that a reader believes hashes only.
//
// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import { makeBundleContent } from '../../test/support/bundle-content.ts';
import { type Descriptor, MEDIA } from '../core/bundle.ts';
import { LIMITS } from '../core/limits.ts';
import { err, failure, ok } from '../core/result.ts';
import { type ContentSource, readAttestations, readBundle } from './bundle-reader.ts';
import { digestOf } from './content.ts';
import { chooseEmbedded, readData } from './embedded.ts';
import { encodeManifest, parseManifest } from './manifest.ts';
import { encodeReferrer } from './referrer.ts';

const CONTENT = makeBundleContent('registry.example.com/acme/p');
const EMBEDDED = chooseEmbedded(CONTENT.blobs);
const blobOf = (bytes: Uint8Array) => ({
  descriptor: { mediaType: MEDIA.source, digest: digestOf(bytes), size: bytes.length },
  bytes,
});
const filled = (length: number, value: number) => blobOf(new Uint8Array(length).fill(value));

function carrying(): Uint8Array {
  const parsed = parseManifest(CONTENT.manifest);
  if (!parsed.ok) throw new Error(parsed.error.code);
  return encodeManifest(parsed.value, EMBEDDED);
}

/** A registry that has manifests and nothing else. */
function onlyManifests(manifests: readonly Uint8Array[], subject: Uint8Array): ContentSource {
  const byDigest = new Map(manifests.map((it) => [digestOf(it), it]));
  const absent = err(failure('fetch/blob-missing', 'no such content'));
  const referrers: readonly Descriptor[] = manifests
    .filter((it) => it !== subject)
    .map((it) => ({ mediaType: MEDIA.manifest, digest: digestOf(it), size: it.length }));
  return {
    manifest: async (digest) => {
      const found = byDigest.get(digest);
      return found === undefined ? absent : ok(found);
    },
    blob: async () => absent,
    referrers: async () => ok(referrers),
  };
}

describe('what a publisher embeds', () => {
  it('is every small blob, in order, as long as there is room', () => {
    const large = filled(LIMITS.embeddedBlobBytesMax + 1, 0);
    const fitting = [1, 2, 3, 4].map((value) => filled(LIMITS.embeddedBlobBytesMax, value));
    const late = filled(1, 9);
    const chosen = chooseEmbedded([large, ...fitting, late]);
    expect([...chosen.keys()]).toEqual(fitting.map((it) => it.descriptor.digest));
    expect([...chosen.values()].reduce((sum, it) => sum + it.length, 0)).toBe(
      LIMITS.embeddedBytesMax,
    );
  });

  it('is read back equal, byte for byte', () => {
    const parsed = parseManifest(carrying());
    expect(parsed.ok && parsed.value.embedded).toEqual(EMBEDDED);
    expect(parsed.ok && encodeManifest(parsed.value, parsed.value.embedded)).toEqual(carrying());
  });
});

describe('what a reader takes', () => {
  it('a small bundle and its attestations without asking for one blob', async () => {
    const manifest = carrying();
    const subject = {
      mediaType: MEDIA.manifest,
      digest: digestOf(manifest),
      size: manifest.length,
    };
    const attestation = new TextEncoder().encode('{"an":"attestation"}');
    const layer = { ...blobOf(attestation).descriptor, mediaType: MEDIA.sigstore };
    const referrer = encodeReferrer(subject, layer, attestation, 'https://example.com/p');
    const source = onlyManifests([manifest, referrer.manifest], manifest);
    const read = await readBundle(source, subject.digest);
    expect(read.ok && [read.value.config, ...read.value.files.map((it) => it.bytes)]).toEqual(
      CONTENT.blobs.map((it) => it.bytes),
    );
    expect(read.ok && read.value.attestations).toEqual([attestation]);
  });

  it('no attestation that the manifest of its referrer spoils', async () => {
    const attestation = new TextEncoder().encode('{"an":"attestation"}');
    const layer = { ...blobOf(attestation).descriptor, mediaType: MEDIA.sigstore };
    const { digest, size } = { digest: digestOf(CONTENT.manifest), size: CONTENT.manifest.length };
    const subject = { mediaType: MEDIA.manifest, digest, size };
    const referrer = encodeReferrer(subject, layer, attestation, 'https://example.com/p');
    const other = Buffer.from('{"an":"Attestation"}').toString('base64');
    const text = new TextDecoder().decode(referrer.manifest);
    const spoiled = text.replace(/"data":"[^"]+"/, `"data":"${other}"`);
    expect(spoiled).not.toBe(text);
    const source = onlyManifests([new TextEncoder().encode(spoiled)], CONTENT.manifest);
    const read = await readAttestations(source, digest);
    expect(read.ok && read.value.found).toEqual([]);
    expect(read.ok && read.value.skipped.map((it) => it.code)).toEqual(['fetch/digest-mismatch']);
  });

  it('only standard base64 of exactly these bytes', () => {
    const { descriptor } = blobOf(new Uint8Array([0xfb, 0xff]));
    const codeOf = (data: string) => {
      const read = readData(data, descriptor);
      return read.ok ? 'read' : read.error.code;
    };
    expect(
      ['+/8=', '-_8=', '+/8', '+/8= ', '+/9=', '!', '+/7/', '+w==', '+/A='].map(codeOf),
    ).toEqual([
      'read',
      'fetch/descriptor-invalid',
      'fetch/descriptor-invalid',
      'fetch/descriptor-invalid',
      'fetch/descriptor-invalid',
      'fetch/descriptor-invalid',
      'fetch/blob-size-exceeded',
      'fetch/blob-truncated',
      'fetch/digest-mismatch',
    ]);
  });
});
