// From golden vectors to folders of a guest. Every vector names whole paths (/etc/shadow), and a guest that
// lost those would not live long: each vector is played in a world, a folder that its policies and its
// paths are moved into. Vectors that change nothing and share their policies share a world; all others
// have one of their own, because what one does the next would find.
//
// SPDX-License-Identifier: Apache-2.0

import { dirname } from 'node:path';
import type { Request } from '../../../src/core/policy/request.ts';
import type { Vector } from '../../support/policy/vectors.ts';

/** Where the disk of the worlds is mounted. */
export const WORLDS = '/worlds';

/** A folder with the files that its vectors speak of. */
export interface World {
  readonly name: string;
  readonly root: string;
  /** Names of the policies, in the vectors' order. */
  readonly policy: readonly string[];
  readonly vectors: readonly Vector[];
}

/** Operations that leave files and names as they were. */
const KEEPING: ReadonlySet<string> = new Set(['read', 'write', 'use']);

/** Objects that stand for directories, though nothing below them is named. */
const DIRECTORIES: ReadonlySet<string> = new Set(['/opt/dir']);

/** Puts every vector into a world. */
export function worldsOf(vectors: readonly Vector[]): readonly World[] {
  const shared = new Map<string, Vector[]>();
  for (const vector of vectors) {
    const key = isShareable(vector) ? vector.policy.join('+') : vector.id;
    shared.set(key, [...(shared.get(key) ?? []), vector]);
  }
  return [...shared.values()].map((its, at) => {
    const name = `w${at}`;
    return { name, root: `${WORLDS}/${name}`, policy: its[0]?.policy ?? [], vectors: its };
  });
}

function isShareable({ request }: Vector): boolean {
  const { operation, identity, exeDigest } = request;
  return KEEPING.has(operation) && identity === undefined && exeDigest === undefined;
}

/** Whether a protected name gets another file once the policy is active. */
export function isReplaced({ path, identity }: Request, objects: readonly Placed[]): boolean {
  return identity !== undefined && objects.some((it) => it.path === path);
}

/** An object of a policy, in the vectors' own paths. */
export interface Placed {
  readonly kind: 'path' | 'tree';
  readonly path: string;
}

/** What a world must hold: directories first, then files. */
export interface Contents {
  readonly directories: readonly string[];
  readonly files: readonly string[];
}

/** What is there before the policy is activated. */
export function contentsOf({ vectors }: World, objects: readonly Placed[]): Contents {
  const requests = vectors.map(({ request }) => request);
  const there = new Set(requests.flatMap((it) => existing(it, objects)));
  const named = [
    ...objects.map(({ path }) => path),
    ...requests.flatMap(({ path, identity, to }) => [path, identity ?? path, to ?? path]),
  ];
  const directories = new Set(named.flatMap(ancestorsOf));
  for (const { kind, path } of objects) if (kind === 'tree') directories.add(path);
  for (const path of named) if (DIRECTORIES.has(path)) directories.add(path);
  // What replaces a directory is one; so is what a directory replaces.
  for (const { path, identity, to, replaces } of requests) {
    if (identity !== undefined && directories.has(path)) directories.add(identity);
    if (replaces === true && to !== undefined && directories.has(to)) directories.add(path);
  }
  return {
    directories: [...directories].sort(),
    files: [...there].filter((path) => !directories.has(path)).sort(),
  };
}

function existing(request: Request, objects: readonly Placed[]): readonly string[] {
  const { operation, path, identity, to, replaces } = request;
  const own = operation === 'create' ? [] : [path];
  // A name of another's inode is linked to it, and no file of its own, unless it is replaced later.
  const first = identity === undefined ? own : [identity];
  const later = isReplaced(request, objects) ? own : [];
  return [...first, ...later, ...(replaces === true && to !== undefined ? [to] : [])];
}

function ancestorsOf(path: string): readonly string[] {
  const parent = dirname(path);
  return parent === '/' ? [] : [...ancestorsOf(parent), parent];
}
