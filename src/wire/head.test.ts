// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import { MEDIA } from '../core/bundle.ts';
import type { Digest } from '../core/digest.ts';
import type { ChannelHead } from '../core/head.ts';
import { err, failure, ok } from '../core/result.ts';
import type { BundleVersion } from '../core/version.ts';
import { encodeCarrier } from './carrier.ts';
import { encodeHeadStatement, parseHeadPredicate, readHead } from './head.ts';
import { parseStatement } from './statement.ts';

const HEAD: ChannelHead = {
  repository: 'registry.example.com/policies',
  channel: 'prod',
  version: 7 as BundleVersion,
  digest: `sha256:${'d'.repeat(64)}` as Digest,
  sequence: 1_772_366_400,
  issuedAt: '2026-03-01T12:00:00Z',
  expires: '2026-03-03T12:00:00Z',
};

const bytes = (text: string) => new TextEncoder().encode(text);
const STATEMENTS = [bytes('{"a":1}'), bytes('{"b":2}')];

function spoiled(change: (manifest: Record<string, never>) => unknown) {
  const { manifest } = encodeCarrier('head', STATEMENTS);
  const json = change(JSON.parse(new TextDecoder().decode(manifest)));
  const read = readHead(ok(bytes(JSON.stringify(json))));
  return read.ok ? 'accepted' : read.error.code;
}

describe('the manifest of a head', () => {
  it('carries the signed statements in itself', () => {
    const { manifest, blobs } = encodeCarrier('head', STATEMENTS);
    expect(readHead(ok(manifest))).toEqual({ ok: true, value: STATEMENTS });
    expect(blobs.map((it) => it.descriptor.mediaType)).toEqual([
      MEDIA.empty,
      MEDIA.sigstore,
      MEDIA.sigstore,
    ]);
  });

  it('is refused when a statement is not what its descriptor says', () => {
    const layer = (change: object) => (it: Record<string, never>) => ({
      ...it,
      layers: [{ ...(it['layers'] as unknown as object[])[0], ...change }],
    });
    const other = Buffer.from('{"c":3}').toString('base64');
    expect(spoiled((it) => it)).toBe('accepted');
    for (const change of [
      { data: other },
      { size: 8 },
      { data: `${other}=` },
      { data: undefined },
    ]) {
      expect(spoiled(layer(change))).toBe('verify/head-invalid');
    }
  });

  it('is refused when it is of another kind, empty, too long or not strict', () => {
    expect(spoiled((it) => ({ ...it, artifactType: MEDIA.artifact }))).toBe('verify/head-invalid');
    expect(spoiled((it) => ({ ...it, layers: [] }))).toBe('verify/head-invalid');
    const [layer] = [encodeCarrier('head', STATEMENTS).manifest];
    const many = encodeCarrier(
      'head',
      Array.from({ length: 9 }, () => layer ?? bytes('')),
    );
    expect(readHead(ok(many.manifest))).toMatchObject({ error: { code: 'verify/head-invalid' } });
    expect(readHead(ok(bytes('<html>')))).toMatchObject({ error: { code: 'verify/head-invalid' } });
  });

  it('is missing when there is no such tag, and unknown when the registry fails', () => {
    const gone = readHead(err(failure('resolve/not-found', 'no such tag')));
    expect(gone).toMatchObject({ error: { code: 'verify/head-missing' } });
    const down = readHead(err(failure('fetch/registry-unavailable', 'down')));
    expect(down).toMatchObject({ error: { code: 'fetch/registry-unavailable' } });
  });
});

describe('the statement of a head', () => {
  it('is read back equal, and is about the bundle that it names', () => {
    const statement = parseStatement(encodeHeadStatement(HEAD));
    expect(statement).toMatchObject({ ok: true, value: { subjects: [HEAD.digest] } });
    if (statement.ok) expect(parseHeadPredicate(statement.value.predicate)).toEqual(ok(HEAD));
  });

  it.each<readonly [string, object]>([
    ['an unknown field', { until: '2027-01-01T00:00:00Z' }],
    ['no version', { version: 0 }],
    ['a version with a fraction', { version: 1.5 }],
    ['a digest in capitals', { digest: `sha256:${'D'.repeat(64)}` }],
    ['a time with an offset', { issuedAt: '2026-03-01T12:00:00+01:00' }],
    ['a day that does not exist', { expires: '2026-02-30T00:00:00Z' }],
    ['a channel like a version tag', { channel: 'prod-v3' }],
  ])('with %s is refused', (_name, change) => {
    expect(parseHeadPredicate({ ...HEAD, ...change })).toMatchObject({
      error: { code: 'verify/head-invalid' },
    });
  });
});
