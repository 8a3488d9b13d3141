// A trust policy that travels says what it said: whatever it holds, it has the same fingerprint when it is
// read again.
//
// SPDX-License-Identifier: Apache-2.0

import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  makeScope,
  makeTrust,
  makeTrustedKey,
  makeVerification,
} from '../../test/support/verify.ts';
import type { TrustedIdentity } from '../core/verify/trust.ts';
import {
  encodeTrustDocument,
  encodeTrustStatement,
  parseTrustDocument,
  readTrustDocument,
} from './signed-trust.ts';
import { parseStatement } from './statement.ts';
import { fingerprintKey } from './trust-key.ts';

const SIGNERS = Array.from({ length: 4 }, () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicKeyPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  return { publicKeyPem, fingerprint: fingerprintKey(publicKey) };
});
const keys = SIGNERS.map((it, at) => makeTrustedKey(`k${at}`, it.fingerprint, it.publicKeyPem));
const roots = SIGNERS.map((it, at) => ({
  id: `r${at}`,
  publicKeyPem: it.publicKeyPem,
  fingerprint: it.fingerprint,
}));
const hours = fc.integer({ min: 1, max: 2000 }).map((it) => it * 3_600_000);
const maxAgeMs = fc.oneof(
  hours,
  fc.integer({ min: 1, max: 99_999 }).map((it) => it * 60_000),
);
const digest = fc.constantFrom(...SIGNERS.map((it) => it.fingerprint));

const policy = fc
  .record({
    version: fc.integer({ min: 1, max: 1_000_000 }),
    roots: fc.option(fc.integer({ min: 1, max: 3 }), { nil: null }),
    glass: fc.option(fc.integer({ min: 1, max: 3 }), { nil: null }),
    force: fc.boolean(),
    tenant: fc.option(fc.constantFrom('acme', 'a-b'), { nil: null }),
    provenance: fc.boolean(),
    fresh: fc.option(maxAgeMs, { nil: null }),
    own: fc.boolean(),
    allOf: fc.subarray(['k0', 'k1']),
    verified: fc.option(hours, { nil: null }),
    step: fc.integer({ min: 1, max: 1_000_000_000 }),
    revoked: fc.uniqueArray(digest),
    outcome: fc.constantFrom('keep-and-alert', 'baseline'),
  })
  .map((it) => {
    const scope = makeScope();
    const minimumMatches = Math.max(1, it.allOf.length);
    const release = { ...scope.release, minimumMatches, allOf: it.allOf, anyOf: keys.slice(0, 2) };
    const signers = it.own ? { anyOf: keys.slice(2), identities: [] } : release;
    const freshness =
      it.fresh === null
        ? null
        : { maxAgeMs: it.fresh, anyOf: signers.anyOf, identities: signers.identities };
    const provenance = it.provenance ? scope.provenance : null;
    const verification =
      it.verified === null
        ? null
        : makeVerification({ maxAgeMs: it.verified, anyOf: keys.slice(3) });
    return makeTrust({
      version: it.version,
      roots: it.roots === null ? null : { threshold: it.roots, keys: roots.slice(0, 3) },
      breakGlass:
        it.glass === null
          ? null
          : { threshold: it.glass, keys: roots.slice(1, 4), maxMinutes: it.glass * 7 },
      force: it.force,
      revoked: { digests: it.revoked, keys: it.revoked, identities: ['a@example.com'] },
      onDistrustedLkg: it.outcome as 'baseline',
      policies: [
        {
          ...{ ...scope, tenant: it.tenant, release, provenance, verification, freshness },
          maxVersionStep: it.step,
        },
      ],
    });
  });

test('what is written is read back as the same policy, byte for byte', () => {
  fc.assert(
    fc.property(policy, (it) => {
      const document = encodeTrustDocument(it);
      const read = parseTrustDocument(document);
      if (!read.ok) throw new Error(JSON.stringify(read.error));
      const { fingerprint: _one, ...rest } = read.value;
      const { fingerprint: _other, ...before } = it;
      expect(rest).toEqual(before);
      expect(encodeTrustDocument(read.value)).toEqual(document);
      expect(parseTrustDocument(document)).toEqual(read);
    }),
    { numRuns: 60 },
  );
});

test('an identity is written with all that was demanded of it, and no more', () => {
  const identity: TrustedIdentity = {
    id: 'release',
    issuer: 'https://token.actions.githubusercontent.com',
    subject: 'https://github.com/acme/policies/.github/workflows/release.yml@refs/tags/v*',
    repositoryId: '123456789',
    ownerId: null,
    runner: 'github-hosted',
    workflow: null,
    triggers: ['push'],
  };
  const scope = makeScope();
  const release = { ...scope.release, anyOf: keys.slice(0, 1), identities: [identity] };
  const text = new TextDecoder().decode(
    encodeTrustDocument(makeTrust({ policies: [{ ...scope, release }] })),
  );
  expect(text).toContain(
    '{"id":"release","identity":"https://github.com/acme/policies/.github/workflows/release.yml@refs/tags/v*","issuer":"https://token.actions.githubusercontent.com","repositoryId":"123456789","runner":"github-hosted","triggers":["push"]}',
  );
});

test('a policy that travels names no files, and its statement is about it alone', () => {
  const document = encodeTrustDocument(
    makeTrust({
      policies: [makeScope({ release: { ...makeScope().release, anyOf: keys.slice(0, 1) } })],
    }),
  );
  const file = new TextDecoder().decode(document).replace(/"pem":"[^"]*"/, '"file":"/etc/passwd"');
  expect(parseTrustDocument(new TextEncoder().encode(file))).toMatchObject({
    error: { code: 'trust/statement-invalid' },
  });
  expect(parseStatement(encodeTrustStatement(document))).toMatchObject({ ok: true });
  expect(readTrustDocument([])).toMatchObject({ error: { code: 'trust/statement-invalid' } });
});
