// From policy paths to facts of this host: the chain of names that a path goes through, and the
// identities that the kernel sees. Text of paths comes from the filesystem, identities only from the
// kernel (never from stat numbers).
//
// What changes between two steps here is no hole: names are looked up live in every decision, and the
// identities here only add to them.
//
// SPDX-License-Identifier: Apache-2.0

import { readlinkSync, realpathSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { PathFact } from '../core/enforcer/kernel.ts';
import type { MayLeaveOut } from '../core/image/gaps.ts';
import {
  type Identity,
  type NameFact,
  type ParentMissing,
  planResolution,
  type Resolution,
  type ResolutionStep,
} from '../core/image/resolution.ts';
import type { PolicyIr } from '../core/policy/ir.ts';
import { err, type Failure, failure, ok, type Result } from '../core/result.ts';
import type { KernelPort } from './kernel-port.ts';
import type { Mount } from './mounts.ts';
import { isLasting, nameToLookUp } from './name-only.ts';
import { scanTree } from './tree-scan.ts';

/** What resolution asks. */
export interface ResolverOptions {
  readonly kernel: Pick<KernelPort, 'resolve' | 'scan' | 'measureVerity'>;
  readonly mounts: () => Result<readonly Mount[]>;
  /** Directory entries that the scan of all trees may visit. */
  readonly scanEntriesMax: number;
  /** Whether processes are in control groups of the unified hierarchy. */
  readonly hasGroups: () => boolean;
  /** Files that exempt programs were before, and that still run. */
  readonly earlier: (path: string, now: Identity | null) => readonly Identity[];
}

const S_IFMT = 0o170000;
const S_IFLNK = 0o120000;
const SYMLINKS_MAX = 40; // as the kernel: MAXSYMLINKS

type Fact = Resolution extends ReadonlyMap<string, infer T> ? T : never;

/**
 * Resolves every path that an image of these rules needs. What cannot be found out about a path fails the
 * whole, unless that path may be left out: then it is told as a fact.
 */
export function resolvePolicy(
  ir: PolicyIr,
  options: ResolverOptions,
  mayLeaveOut: MayLeaveOut = () => false,
): Result<Resolution> {
  const resolution = new Map<string, Fact>();
  const budget = { entriesLeft: options.scanEntriesMax };
  for (const step of planResolution(ir)) {
    const fact = resolveStep(step, options, budget, mayLeaveOut(step.path));
    if (!fact.ok) return fact;
    resolution.set(step.path, fact.value);
  }
  return ok(resolution);
}

function resolveStep(
  { path, scan, measure, program }: ResolutionStep,
  options: ResolverOptions,
  budget: { entriesLeft: number },
  isSpared: boolean,
): Result<Fact> {
  const chain = resolveChain(path, options.kernel);
  if (!chain.ok) return isSpared ? ok({ kind: 'unresolved', failure: chain.error }) : chain;
  if (chain.value.kind === 'parent-missing') return ok(chain.value);
  const { names, end } = chain.value;
  let unknown: Failure | null = null;
  const inside =
    scan && end !== null ? lookInside(end, options, budget) : ok({ linked: [], mountRoots: [] });
  if (!inside.ok) {
    if (!isSpared) return inside;
    unknown = inside.error;
  }
  const verity = measure && end !== null ? measured(path, end, options) : ok(null);
  if (!verity.ok) {
    if (!isSpared) return verity;
    unknown = verity.error;
  }
  const earlier = program ? options.earlier(path, names.at(-1)?.target ?? null) : [];
  return ok({
    kind: 'found',
    names,
    ...(inside.ok ? inside.value : { linked: [], mountRoots: [] }),
    verity: verity.ok ? verity.value : null,
    earlier,
    unknown,
  });
}

// SUBJ-6: without fs-verity a digest says nothing of the file that runs, so nothing is exempt by it.
function measured(path: string, end: string, { kernel }: ResolverOptions): Result<string> {
  const digest = kernel.measureVerity(end);
  if (!digest.ok) return digest;
  if (digest.value !== null) return ok(digest.value);
  return err(
    failure('stage/no-verity', `${path} is exempt by its digest, and has no fs-verity`, {
      hints: [
        `enable it: fsverity enable ${path} (ext4 needs tune2fs -O verity), or exempt it without digest`,
      ],
    }),
  );
}

function lookInside(end: string, options: ResolverOptions, budget: { entriesLeft: number }) {
  const mounts = options.mounts();
  return mounts.ok ? scanTree(end, options.kernel, mounts.value, budget) : mounts;
}

type Chain =
  | {
      readonly kind: 'chain';
      readonly names: readonly [NameFact, ...NameFact[]];
      /** Where the last name is; null when nothing is there. */
      readonly end: string | null;
    }
  | ParentMissing;

function resolveChain(path: string, kernel: ResolverOptions['kernel']): Result<Chain> {
  const names: NameFact[] = [];
  let next = path;
  for (let hop = 0; hop <= SYMLINKS_MAX; hop += 1) {
    const place = findPlace(next);
    if (!place.ok) return place;
    if (place.value.kind === 'parent-missing') return ok(place.value);
    const { directory, name } = place.value;
    const above = factsUp(directory, kernel);
    if (!above.ok) return above;
    const here = directory === '/' ? `/${name}` : `${directory}/${name}`;
    const fact = kernel.resolve(here, false);
    if (!fact.ok) return fact;
    const named = toName(path, name, above.value, fact.value);
    if (!named.ok) return named;
    names.push(named.value);
    if (fact.value === null || (fact.value.mode & S_IFMT) !== S_IFLNK) {
      const [first, ...rest] = names as [NameFact, ...NameFact[]];
      return ok({
        kind: 'chain',
        names: [first, ...rest],
        end: named.value.target === null ? null : here,
      });
    }
    const to = readLink(here);
    if (!to.ok) return to;
    next = to.value.startsWith('/') ? to.value : `${directory}/${to.value}`;
  }
  return err(failure('stage/too-many-symlinks', `${path} leads through too many symbolic links`));
}

function toName(
  path: string,
  name: string,
  above: readonly [PathFact, ...PathFact[]],
  found: PathFact | null,
): Result<NameFact> {
  const lookedUp = nameToLookUp(path, name, above[0], above[1]);
  if (!lookedUp.ok) return lookedUp;
  const lasts = found !== null && isLasting(found, above[0]);
  return ok({
    directories: lastingOf(above),
    name: Buffer.from(lookedUp.value, 'utf8'),
    target: lasts ? toIdentity(found) : null,
  });
}

type Place =
  | { readonly kind: 'place'; readonly directory: string; readonly name: string }
  | ParentMissing;

/** The real directory of a path and its last name. `..` in a link is followed, not cut from text. */
function findPlace(path: string): Result<Place> {
  const last = basename(path);
  // A link to a directory as such has no name of its own until it is followed.
  const isName = last !== '' && last !== '.' && last !== '..' && !path.endsWith('/');
  const real = realPath(isName ? path.slice(0, path.length - last.length) || '/' : path);
  if (!real.ok || real.value.kind === 'parent-missing') return real as Result<Place>;
  const directory = isName ? real.value.path : dirname(real.value.path);
  const name = isName ? last : basename(real.value.path);
  if (name !== '') return ok({ kind: 'place', directory, name });
  return err(failure('stage/resolve-failed', `${path} is the root directory`));
}

function realPath(
  path: string,
): Result<{ readonly kind: 'real'; readonly path: string } | ParentMissing> {
  try {
    return ok({ kind: 'real', path: realpathSync.native(path) });
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    // Nothing can be protected below something that is no directory, either.
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      return ok({ kind: 'parent-missing', missing: firstMissing(path) });
    }
    if (code === 'ELOOP') {
      return err(failure('stage/too-many-symlinks', `${path} leads through a loop`));
    }
    if (code === undefined) throw cause;
    return err(failure('stage/resolve-failed', `${path} cannot be resolved: ${code}`));
  }
}

function firstMissing(path: string): string {
  const parts = path.split('/').filter((it) => it !== '');
  let exists = '';
  for (const part of parts) {
    try {
      realpathSync.native(`${exists}/${part}`);
      exists = `${exists}/${part}`;
    } catch {
      // Whatever the reason: it is the first part that leads nowhere.
      return `${exists}/${part}`;
    }
  }
  // All of it is there, and the last part is no directory.
  return exists;
}

function readLink(path: string): Result<string> {
  try {
    return ok(readlinkSync(path));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === undefined) throw cause;
    // It was a link a moment ago: somebody is changing it, and the next try will see what it became.
    return err(failure('stage/resolve-failed', `${path} cannot be read as a link: ${code}`));
  }
}

function factsUp(
  directory: string,
  kernel: ResolverOptions['kernel'],
): Result<readonly [PathFact, ...PathFact[]]> {
  const facts: PathFact[] = [];
  for (let at = directory; ; at = dirname(at)) {
    const fact = kernel.resolve(at, true);
    if (!fact.ok) return fact;
    if (fact.value === null) {
      return err(failure('stage/resolve-failed', `${at} went away while it was resolved`));
    }
    facts.push(fact.value);
    if (at === '/') return ok(facts as [PathFact, ...PathFact[]]);
  }
}

// nameToLookUp() has refused a name whose own directory does not last.
function lastingOf(facts: readonly [PathFact, ...PathFact[]]): readonly [Identity, ...Identity[]] {
  const [first, ...rest] = facts;
  const above = rest.filter((fact, index) => isLasting(fact, rest[index + 1] ?? fact));
  return [toIdentity(first), ...above.map(toIdentity)];
}

function toIdentity({ ino, sub, dev, gen }: PathFact): Identity {
  return { ino, sub, dev, gen };
}
