// The trust policy: YAML or JSON -> TrustPolicy. Invariants: a policy that would accept anybody is
// refused when it is read (rule TRUST-1 of docs/verification.md); an id and a key belong to each other
// one to one; the fingerprint changes when anything that is judged changes, keys included.
//
// SPDX-License-Identifier: Apache-2.0

import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { PREDICATE } from '../core/bundle.ts';
import type { Digest } from '../core/digest.ts';
import {
  err,
  type Failure,
  failure,
  ok,
  type Result,
  type SourcePosition,
} from '../core/result.ts';
import { escapeAndCut } from '../core/text.ts';
import type {
  RootKey,
  ScopePolicy,
  TrustedIdentity,
  TrustedKey,
  TrustedRootText,
  TrustPolicy,
  TrustRoots,
} from '../core/verify/trust.ts';
import { toCanonicalJson } from './canonical-json.ts';
import { type LocatedYaml, parseYaml } from './policy/yaml.ts';
import {
  type IdentityDocument,
  type KeyDocument,
  type ScopeDocument,
  type SignerDocument,
  type TrustDocument,
  trustDocumentShape,
} from './trust-document.ts';
import { parsePublicKey } from './trust-key.ts';
import { findVacuous, findVacuousKeys } from './trust-vacuous.ts';
import { parseTrustedRoot } from './trusted-root.ts';
import { fitShape, hintsOf } from './zod-words.ts';

type Signers = Pick<ScopePolicy['release'], 'anyOf' | 'identities'>;

/** Answers the text of a file; the path is as the trust policy names it. */
export type ReadFile = (path: string, what: 'key' | 'root') => Result<string>;

/** Reads a trust policy. `file` names it in positions; every problem is told, the first one first. */
export function parseTrustPolicy(
  bytes: Uint8Array,
  file: string,
  readFile: ReadFile,
): Result<TrustPolicy> {
  const parsed = parseYaml(file, bytes);
  if (!parsed.ok) {
    const start = { file, line: 1, column: 1 };
    return err(collect(parsed.error.map((it) => ({ text: it.message, at: it.at ?? start }))));
  }
  const source = parsed.value;
  const shaped = fitShape(trustDocumentShape, source.value);
  if (!shaped.success) return err(refuseShape(shaped.error.issues, source));

  const root = readRoot(shaped.data, source, readFile);
  if (!root.ok) return root;
  const policies: ScopePolicy[] = [];
  for (const [at, scope] of shaped.data.policies.entries()) {
    const policy = toScopePolicy(scope, ['policies', at], source, readFile);
    if (!policy.ok) return policy;
    policies.push(policy.value);
  }
  const sets = readKeySets(shaped.data, source, readFile);
  if (!sets.ok) return sets;
  const { roots, breakGlass } = sets.value;
  const vacuous = [
    ...findVacuous(policies, root.value !== null),
    ...(roots === null ? [] : findVacuousKeys(roots, 'roots')),
    ...(breakGlass === null ? [] : findVacuousKeys(breakGlass, 'breakGlass')),
  ];
  if (vacuous.length > 0) {
    return err(collect(vacuous.map((it) => ({ text: it.text, at: source.at(it.path) }))));
  }
  return ok(withFingerprint(shaped.data, policies, root.value, sets.value));
}

function toScopePolicy(
  document: ScopeDocument,
  path: readonly PropertyKey[],
  source: LocatedYaml,
  readFile: ReadFile,
): Result<ScopePolicy> {
  const { release, provenance, verification } = document.require;
  const releasers = [...path, 'require', 'release', 'anyOf'];
  const signers = toSigners(release.anyOf, releasers, source, readFile);
  if (!signers.ok) return signers;
  const { freshness } = document;
  const heads =
    freshness?.anyOf === undefined
      ? signers
      : toSigners(freshness.anyOf, [...path, 'freshness', 'anyOf'], source, readFile);
  if (!heads.ok) return heads;
  const verifiers = toVerification(verification, path, source, readFile);
  if (!verifiers.ok) return verifiers;
  return ok({
    name: document.name,
    scope: document.scope,
    channels: document.channels,
    tenant: document.tenant ?? null,
    release: {
      minimumMatches: release.minimumMatches,
      allOf: release.allOf ?? [],
      ...signers.value,
      predicateTypes: release.predicateTypes ?? [PREDICATE.release],
    },
    thresholds: document.thresholds,
    provenance:
      provenance === undefined ? null : { ...provenance, signers: provenance.signers ?? null },
    verification: verifiers.value,
    freshness: freshness === undefined ? null : { maxAgeMs: freshness.maxAge, ...heads.value },
    maxVersionStep: document.maxVersionStep,
  });
}

function toVerification(
  demand: ScopeDocument['require']['verification'],
  path: readonly PropertyKey[],
  source: LocatedYaml,
  readFile: ReadFile,
): Result<ScopePolicy['verification']> {
  if (demand === undefined) return ok(null);
  const at = [...path, 'require', 'verification', 'anyOf'];
  const signers = toSigners(demand.anyOf, at, source, readFile);
  if (!signers.ok) return signers;
  const { verifier, levels, maxAge: maxAgeMs, predicateTypes = [PREDICATE.vsa] } = demand;
  return ok({ verifier, predicateTypes, levels, maxAgeMs, ...signers.value });
}

function toSigners(
  entries: readonly SignerDocument[],
  path: readonly PropertyKey[],
  source: LocatedYaml,
  readFile: ReadFile,
): Result<Signers> {
  const anyOf: TrustedKey[] = [];
  const identities: TrustedIdentity[] = [];
  for (const [index, entry] of entries.entries()) {
    if (!('key' in entry)) {
      identities.push(toIdentity(entry));
      continue;
    }
    const key = toTrustedKey(entry.id, entry.key, readFile);
    if (!key.ok) return err({ ...key.error, at: source.at([...path, index, 'key']) });
    anyOf.push(key.value);
  }
  return ok({ anyOf, identities });
}

function toIdentity(it: IdentityDocument): TrustedIdentity {
  const text = (value: string | number | undefined) => (value === undefined ? null : `${value}`);
  return {
    id: it.id,
    issuer: it.issuer,
    subject: it.identity,
    repositoryId: text(it.repositoryId),
    ownerId: text(it.ownerId),
    runner: it.runner ?? null,
    workflow: it.workflow ?? null,
    triggers: it.triggers ?? null,
  };
}

function readRoot(
  document: TrustDocument,
  source: LocatedYaml,
  readFile: ReadFile,
): Result<TrustedRootText | null> {
  if (document.trustedRoot === undefined) return ok(null);
  const named = document.trustedRoot;
  // A file is read as bytes; a text that stands in a policy was UTF-8 there.
  const inline = typeof named === 'string' ? null : Buffer.from(named.inline).toString('latin1');
  const text = typeof named === 'string' ? readFile(named, 'root') : ok(inline ?? '');
  const root = text.ok ? parseTrustedRoot(Buffer.from(text.value, 'latin1')) : text;
  return root.ok ? root : err({ ...root.error, at: source.at(['trustedRoot']) });
}

type KeySets = Pick<TrustPolicy, 'roots' | 'breakGlass'>;

/** The sets of keys that count by how many of them signed. */
function readKeySets(
  document: TrustDocument,
  source: LocatedYaml,
  readFile: ReadFile,
): Result<KeySets> {
  const roots = readKeys(document.roots, 'roots', source, readFile);
  if (!roots.ok) return roots;
  const glass = readKeys(document.breakGlass, 'breakGlass', source, readFile);
  if (!glass.ok) return glass;
  const maxMinutes = document.breakGlass?.maxMinutes;
  const breakGlass =
    glass.value === null || maxMinutes === undefined ? null : { ...glass.value, maxMinutes };
  return ok({ roots: roots.value, breakGlass });
}

function readKeys(
  named: TrustDocument['roots'],
  at: 'roots' | 'breakGlass',
  source: LocatedYaml,
  readFile: ReadFile,
): Result<TrustRoots | null> {
  if (named === undefined) return ok(null);
  const keys: RootKey[] = [];
  for (const [index, { id, file, pem }] of named.keys.entries()) {
    const text = file === undefined ? ok(pem ?? '') : readFile(file, 'key');
    const key = text.ok ? parsePublicKey(text.value) : text;
    if (!key.ok) return err({ ...key.error, at: source.at([at, 'keys', index]) });
    keys.push({ id, ...key.value });
  }
  return ok({ threshold: named.threshold, keys });
}

function toTrustedKey(id: string, key: KeyDocument, readFile: ReadFile): Result<TrustedKey> {
  const pem = key.file === undefined ? ok(key.pem ?? '') : readFile(key.file, 'key');
  if (!pem.ok) return pem;
  const parsed = parsePublicKey(pem.value);
  if (!parsed.ok) return err({ ...parsed.error, message: `key ${id}: ${parsed.error.message}` });
  return ok({
    id,
    ...parsed.value,
    notBefore: new Date(key.notBefore).toISOString(),
    notAfter: new Date(key.notAfter).toISOString(),
  });
}

function withFingerprint(
  document: TrustDocument,
  policies: readonly ScopePolicy[],
  trustedRoot: TrustedRootText | null,
  { roots, breakGlass }: KeySets,
): TrustPolicy {
  const judged = {
    version: document.version,
    roots,
    force: document.force,
    policies: policies.map(withoutUndemanded),
    trustedRoot,
    revoked: document.revoked as unknown as TrustPolicy['revoked'],
    onDistrustedLkg: document.onDistrustedLkg,
  };
  const counted = breakGlass === null ? judged : { ...judged, breakGlass };
  const hash = createHash('sha256').update(toCanonicalJson(counted)).digest('hex');
  return { ...judged, policies, breakGlass, fingerprint: `sha256:${hash}` as Digest };
}

// What is not demanded is not counted: a policy has the fingerprint that it had before there was such a thing.
function withoutUndemanded({ verification, ...scope }: ScopePolicy) {
  const { allOf, ...release } = scope.release;
  const rest = allOf.length === 0 ? { ...scope, release } : scope;
  return verification === null ? rest : { ...rest, verification };
}

interface Problem {
  readonly text: string;
  readonly at: SourcePosition;
}

function refuseShape(issues: readonly z.core.$ZodIssue[], source: LocatedYaml): Failure {
  const problems = issues.flatMap((issue): Problem[] => {
    const where = issue.path.length === 0 ? '' : `${issue.path.map(String).join('.')}: `;
    if (issue.code !== 'unrecognized_keys') {
      return [{ text: `${where}${issue.message}`, at: source.at(issue.path) }];
    }
    return issue.keys.map((key) => ({
      text: `${where}unknown field "${key}"`,
      at: source.atKey(issue.path, key),
    }));
  });
  return collect(problems, hintsOf(issues));
}

function collect(problems: readonly Problem[], hints: readonly string[] = []): Failure {
  const [first, ...rest] = problems;
  const print = (it: Problem) =>
    escapeAndCut(`${it.at.file}:${it.at.line}:${it.at.column}: ${it.text}`, 300);
  return failure('trust/invalid', escapeAndCut(first?.text ?? 'not a trust policy', 300), {
    causes: rest.map(print),
    hints,
    ...(first === undefined ? {} : { at: first.at }),
  });
}
