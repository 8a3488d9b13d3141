// Trust policies as they travel: whole in themselves (keys and trusted root inside, no files), in canonical
// JSON, as the predicate of a statement that root keys sign. carrier.ts is the file, and what stands in a
// registry under `CHANNEL.trust.vN`.
//
// Invariant: a policy that is written and read again has the same fingerprint.
//
// SPDX-License-Identifier: Apache-2.0

import { PREDICATE } from '../core/bundle.ts';
import { err, failure, ok, type Result } from '../core/result.ts';
import type {
  ScopePolicy,
  TrustedIdentity,
  TrustedKey,
  TrustPolicy,
} from '../core/verify/trust.ts';
import { toCanonicalJson } from './canonical-json.ts';
import { parseCarrier } from './carrier.ts';
import { encodeDocumentStatement, readSignedDocument } from './signed-document.ts';
import { parseTrustPolicy } from './trust.ts';

/** The tag of one version of the trust policy of a channel. It never moves. */
export function trustTag(channel: string, version: number): string {
  return `${channel}.trust.v${version}`;
}

/** The policy as one document without files. */
export function encodeTrustDocument(policy: TrustPolicy): Uint8Array {
  const { version, roots, breakGlass, force, policies, trustedRoot, revoked, onDistrustedLkg } =
    policy;
  const document = {
    apiVersion: 'warder.dev/trust/v1',
    version,
    ...(trustedRoot === null ? {} : { trustedRoot: { inline: trustedRoot.json } }),
    ...(roots === null
      ? {}
      : {
          roots: {
            threshold: roots.threshold,
            keys: roots.keys.map(({ id, publicKeyPem }) => ({ id, pem: publicKeyPem })),
          },
        }),
    ...(breakGlass === null
      ? {}
      : {
          breakGlass: {
            threshold: breakGlass.threshold,
            maxMinutes: breakGlass.maxMinutes,
            keys: breakGlass.keys.map(({ id, publicKeyPem }) => ({ id, pem: publicKeyPem })),
          },
        }),
    policies: policies.map(toScope),
    revoked,
    onDistrustedLkg,
    force,
  };
  return toCanonicalJson(document);
}

/** Reads a document without files. */
export function parseTrustDocument(document: Uint8Array): Result<TrustPolicy> {
  return parseTrustPolicy(document, 'trust policy', (path) =>
    err(failure('trust/statement-invalid', `a trust policy that travels names no file: ${path}`)),
  );
}

function toScope(scope: ScopePolicy) {
  const { release, provenance, verification, freshness, tenant, ...rest } = scope;
  const { minimumMatches, allOf, predicateTypes } = release;
  return {
    name: rest.name,
    scope: rest.scope,
    channels: rest.channels,
    ...(tenant === null ? {} : { tenant }),
    require: {
      release: {
        minimumMatches,
        ...(allOf.length === 0 ? {} : { allOf }),
        anyOf: toSigners(release),
        predicateTypes,
      },
      ...(provenance === null ? {} : { provenance: withoutNulls(provenance) }),
      ...(verification === null
        ? {}
        : {
            verification: {
              verifier: verification.verifier,
              predicateTypes: verification.predicateTypes,
              levels: verification.levels,
              maxAge: toAge(verification.maxAgeMs),
              anyOf: toSigners(verification),
            },
          }),
    },
    thresholds: rest.thresholds,
    ...(freshness === null
      ? {}
      : {
          freshness: {
            head: 'required',
            maxAge: toAge(freshness.maxAgeMs),
            anyOf: toSigners(freshness),
          },
        }),
    maxVersionStep: rest.maxVersionStep,
  };
}

function toSigners(of: {
  readonly anyOf: readonly TrustedKey[];
  readonly identities: readonly TrustedIdentity[];
}) {
  const keys = of.anyOf.map(({ id, publicKeyPem, notBefore, notAfter }) => ({
    id,
    key: { pem: publicKeyPem, notBefore: toTime(notBefore), notAfter: toTime(notAfter) },
  }));
  const identities = of.identities.map(({ subject, ...rest }) =>
    withoutNulls({ ...rest, identity: subject }),
  );
  return [...keys, ...identities];
}

function withoutNulls(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([, it]) => it !== null));
}

const toTime = (iso: string) => `${iso.slice(0, 19)}Z`;

function toAge(ms: number): string {
  if (ms % 86_400_000 === 0) return `${ms / 86_400_000}d`;
  return ms % 3_600_000 === 0 ? `${ms / 3_600_000}h` : `${ms / 60_000}m`;
}

/** The statement that roots sign: the whole document. */
export function encodeTrustStatement(document: Uint8Array): Uint8Array {
  return encodeDocumentStatement(
    { name: 'trust policy', predicateType: PREDICATE.trust },
    document,
  );
}

/** The document inside signed statements, verified by nobody yet; they must agree about it. */
export function readTrustDocument(statements: readonly Uint8Array[]): Result<Uint8Array> {
  return readSignedDocument(statements, PREDICATE.trust, invalid);
}

/** The statements of a signed trust policy in a file. */
export function parseSignedTrust(file: Uint8Array): Result<readonly Uint8Array[]> {
  return parseCarrier('trust', file);
}

/** The same, from what a registry answered; no such tag is no such version. */
export function readTrust(fetched: Result<Uint8Array>): Result<readonly Uint8Array[] | null> {
  if (fetched.ok) return parseSignedTrust(fetched.value);
  return fetched.error.code === 'resolve/not-found' ? ok(null) : fetched;
}

function invalid(why: string): Result<never> {
  return err(failure('trust/statement-invalid', `the signed statements are ${why}`));
}
