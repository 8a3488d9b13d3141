// References: where a bundle is. Two transports, one grammar of our own, so that nothing a user or a
// file wrote can become an option of a program that we run.
//
//   registry    HOST[:PORT]/PATH[:TAG][@sha256:HEX]
//   oci-layout  oci-layout:DIR[:TAG][@sha256:HEX]       DIR absolute, without ':' and '@'
//
// Deliberately absent: default hosts, default tags, short names.
//
// SPDX-License-Identifier: Apache-2.0

import { type Digest, parseDigest } from './digest.ts';
import { err, failure, ok, type Result } from './result.ts';

/** The place of a repository, without tag and digest. */
export type Repository =
  | { readonly kind: 'registry'; readonly host: string; readonly path: string }
  | { readonly kind: 'oci-layout'; readonly dir: string };

/** A repository with what selects a bundle in it: a tag, a digest, both (the digest wins) or none. */
export interface Reference {
  readonly repository: Repository;
  readonly tag: string | null;
  readonly digest: Digest | null;
}

// Distribution spec v1.1: path components and tags. The host is a DNS name, IPv4 or [IPv6].
const HOST =
  /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:]+\])(?::[0-9]{1,5})?$/;
const PATH = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const DIR = /^\/[A-Za-z0-9._/+-]*$/;
const REFERENCE_BYTES_MAX = 512;

/** Reads a reference; what does not fit the grammar is `resolve/reference-invalid`. */
export function parseReference(text: string): Result<Reference> {
  if (text.length > REFERENCE_BYTES_MAX) return invalid(text, 'longer than 512 characters');
  const at = text.indexOf('@');
  const name = at < 0 ? text : text.slice(0, at);
  let digest: Digest | null = null;
  if (at >= 0) {
    const parsed = parseDigest(text.slice(at + 1));
    if (!parsed.ok) return parsed;
    digest = parsed.value;
  }
  return name.startsWith('oci-layout:')
    ? parseLayout(text, name.slice('oci-layout:'.length), digest)
    : parseRegistry(text, name, digest);
}

function parseLayout(text: string, name: string, digest: Digest | null): Result<Reference> {
  const colon = name.indexOf(':');
  const dir = colon < 0 ? name : name.slice(0, colon);
  const tag = colon < 0 ? null : name.slice(colon + 1);
  if (!DIR.test(dir) || dir.split('/').some((part) => part === '..')) {
    return invalid(
      text,
      'the directory of an oci-layout is absolute, without "..", ":" and spaces',
    );
  }
  if (tag !== null && !TAG.test(tag)) return invalid(text, 'the tag is not a tag');
  return ok({ repository: { kind: 'oci-layout', dir }, tag, digest });
}

function parseRegistry(text: string, name: string, digest: Digest | null): Result<Reference> {
  const slash = name.indexOf('/');
  if (slash < 0) return invalid(text, 'a registry host and a repository are needed');
  const host = name.slice(0, slash);
  const rest = name.slice(slash + 1);
  const colon = rest.lastIndexOf(':');
  const path = colon < 0 ? rest : rest.slice(0, colon);
  const tag = colon < 0 ? null : rest.slice(colon + 1);
  if (!HOST.test(host)) return invalid(text, 'the host is not a host');
  if (!PATH.test(path)) return invalid(text, 'the repository is not lower-case path components');
  if (tag !== null && !TAG.test(tag)) return invalid(text, 'the tag is not a tag');
  return ok({ repository: { kind: 'registry', host, path }, tag, digest });
}

function invalid(text: string, why: string): Result<never> {
  return err(
    failure('resolve/reference-invalid', `not a reference: ${JSON.stringify(text.slice(0, 100))}`, {
      causes: [why],
      hints: [
        'write HOST[:PORT]/REPOSITORY:TAG, HOST/REPOSITORY@sha256:HEX or oci-layout:/DIR:TAG',
      ],
    }),
  );
}

/** The canonical text of a repository, as the signed config names it. */
export function formatRepository(repository: Repository): string {
  return repository.kind === 'registry'
    ? `${repository.host}/${repository.path}`
    : `oci-layout:${repository.dir}`;
}

/** The canonical text of a reference; {@link parseReference} reads it back. */
export function formatReference(reference: Reference): string {
  const tag = reference.tag === null ? '' : `:${reference.tag}`;
  const digest = reference.digest === null ? '' : `@${reference.digest}`;
  return `${formatRepository(reference.repository)}${tag}${digest}`;
}
