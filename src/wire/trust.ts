// The trust policy: YAML or JSON -> TrustPolicy. Invariants: a policy that would accept anybody is
// refused when it is read (rule TRUST-1 of docs/verification.md); an id and a key belong to each other
// one to one; the fingerprint changes when anything that is judged changes, keys included.
// Deliberately absent: certificate identities, logs and timestamps. They are refused by name.
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
import type { ScopePolicy, TrustedKey, TrustPolicy } from '../core/verify/trust.ts';
import { toCanonicalJson } from './canonical-json.ts';
import { type LocatedYaml, parseYaml } from './policy/yaml.ts';
import {
  type KeyDocument,
  type ScopeDocument,
  type TrustDocument,
  trustDocumentShape,
} from './trust-document.ts';
import { parsePublicKey } from './trust-key.ts';
import { findKeyless, findVacuous } from './trust-vacuous.ts';
import { fitShape, hintsOf } from './zod-words.ts';

/** Answers the text of a key file; the path is as the trust policy names it. */
export type ReadKeyFile = (path: string) => Result<string>;

/** Reads a trust policy. `file` names it in positions; every problem is told, the first one first. */
export function parseTrustPolicy(
  bytes: Uint8Array,
  file: string,
  readKeyFile: ReadKeyFile,
): Result<TrustPolicy> {
  const parsed = parseYaml(file, bytes);
  if (!parsed.ok) {
    const start = { file, line: 1, column: 1 };
    return err(collect(parsed.error.map((it) => ({ text: it.message, at: it.at ?? start }))));
  }
  const source = parsed.value;
  const keyless = findKeyless(source.value);
  if (keyless !== null) return err(refuseKeyless(keyless, source));
  const shaped = fitShape(trustDocumentShape, source.value);
  if (!shaped.success) return err(refuseShape(shaped.error.issues, source));

  const policies: ScopePolicy[] = [];
  for (const [at, scope] of shaped.data.policies.entries()) {
    const policy = toScopePolicy(scope, ['policies', at], source, readKeyFile);
    if (!policy.ok) return policy;
    policies.push(policy.value);
  }
  const vacuous = findVacuous(policies);
  if (vacuous.length > 0) {
    return err(collect(vacuous.map((it) => ({ text: it.text, at: source.at(it.path) }))));
  }
  return ok(withFingerprint(shaped.data, policies));
}

function toScopePolicy(
  document: ScopeDocument,
  path: readonly PropertyKey[],
  source: LocatedYaml,
  readKeyFile: ReadKeyFile,
): Result<ScopePolicy> {
  const { release, provenance } = document.require;
  const anyOf: TrustedKey[] = [];
  for (const [index, entry] of release.anyOf.entries()) {
    const at = source.at([...path, 'require', 'release', 'anyOf', index, 'key']);
    const key = toTrustedKey(entry.id, entry.key, readKeyFile);
    if (!key.ok) return err({ ...key.error, at });
    anyOf.push(key.value);
  }
  return ok({
    name: document.name,
    scope: document.scope,
    channels: document.channels,
    tenant: document.tenant ?? null,
    release: {
      minimumMatches: release.minimumMatches,
      anyOf,
      predicateTypes: release.predicateTypes ?? [PREDICATE.release],
    },
    provenance: provenance ?? null,
  });
}

function toTrustedKey(id: string, key: KeyDocument, readKeyFile: ReadKeyFile): Result<TrustedKey> {
  const pem = key.file === undefined ? ok(key.pem ?? '') : readKeyFile(key.file);
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

function withFingerprint(document: TrustDocument, policies: readonly ScopePolicy[]): TrustPolicy {
  const judged = {
    version: document.version,
    policies,
    revoked: document.revoked as { digests: Digest[]; keys: Digest[] },
    onDistrustedLkg: document.onDistrustedLkg,
  };
  const hash = createHash('sha256').update(toCanonicalJson(judged)).digest('hex');
  return { ...judged, fingerprint: `sha256:${hash}` as Digest };
}

interface Problem {
  readonly text: string;
  readonly at: SourcePosition;
}

function refuseKeyless(path: readonly string[], source: LocatedYaml): Failure {
  const field = path.at(-1) ?? '';
  return failure('trust/keyless-not-supported-yet', `"${field}" is not supported yet`, {
    hints: ['list public keys: { id, key: { file, notBefore, notAfter } }'],
    at: source.atKey(path.slice(0, -1), field),
  });
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
