// What a guest runs for the worlds: shell scripts that lay them out, hold descriptors that are older than the
// policy, and make every vector's attempt.
//
// SPDX-License-Identifier: Apache-2.0

import { basename, dirname } from 'node:path';
import type { Request } from '../../../src/core/policy/request.ts';
import type { Vector } from '../../support/policy/vectors.ts';
import { LAYER, objectsOf, readPolicy } from './policies.ts';
import { type Contents, contentsOf, isReplaced, WORLDS, type World } from './worlds.ts';

const OP = '/usr/local/bin/op';
const CGROUPS = '/sys/fs/cgroup';
const HELD = '/run/held';
const SOURCES = '/run/sources';

/** Bytes after a program that give it another fs-verity digest. */
const OTHER_DIGEST = 'other';

/** Mounts the disk of the worlds and makes the programs that all of them need. */
export function prepareScript(): string {
  return [
    `mkdir -p ${WORLDS} ${HELD} ${SOURCES}/directory`,
    `for d in /sys/block/vd*; do if [ "$(cat $d/serial)" = worlds ]; then mount -t ext4 /dev/\${d##*/} ${WORLDS}; fi; done`,
    `echo source > ${SOURCES}/file`,
    `cp ${OP} ${LAYER}`,
    `grep -q ' ${CGROUPS} ' /proc/mounts || mount -t cgroup2 none ${CGROUPS}`,
  ].join('\n');
}

/** Programs whose digests stand for those of the vectors, in the order of `digests`. */
export function sampleScript(digests: readonly string[]): string {
  return digests
    .flatMap((_, at) => [makeProgram(samplePath(at), at), `${OP} seal ${samplePath(at)}`])
    .join('\n');
}

/** Where {@link sampleScript} has put the program of a digest. */
export function samplePath(at: number): string {
  return `${WORLDS}/sample-${at}`;
}

/** Lays out every world, before anything is enforced. */
export function layoutScript(worlds: readonly World[], digests: readonly string[]): string {
  return [...worlds.flatMap((world) => layoutOf(world, digests)), 'sync'].join('\n');
}

function layoutOf(world: World, digests: readonly string[]): readonly string[] {
  const { root, vectors } = world;
  const objects = objectsOf(world);
  const contents = contentsOf(world, objects);
  const requests = vectors.map(({ request }) => request);
  const executed = new Set(
    requests.filter((it) => it.operation === 'execute').map(({ path }) => path),
  );
  const programs = new Set(
    requests.flatMap(({ exe, parentExe }) => [exe ?? [], parentExe ?? []].flat()),
  );
  const sealed = sealedPrograms(world);
  const at = (path: string) => `"${root}${path}"`;
  const made = [root, ...contents.directories.map((it) => `${root}${it}`)];
  return [
    `mkdir -p ${made.map((it) => `"${it}"`).join(' ')}`,
    ...contents.files.map((path) =>
      executed.has(path) ? `cp ${OP} ${at(path)}` : `echo content > ${at(path)}`,
    ),
    ...requests.flatMap((it) => aliasOf(it, contents, isReplaced(it, objects), at)),
    `chmod -R a+rwX "${root}"`,
    ...[...programs, ...sealed.keys()].flatMap((path) => [
      `mkdir -p "$(dirname ${at(path)})"`,
      makeProgram(`${root}${path}`, 0),
    ]),
    ...[...sealed].flatMap(([path, digest]) => [
      makeProgram(`${root}${path}`, digests.indexOf(digest)),
      `${OP} seal ${at(path)}`,
    ]),
    ...requests.flatMap((it) =>
      isChangedLater(it, sealed) ? laterProgram(it, root, digests) : [],
    ),
    ...vectors.filter(isHeld).map((vector) => holdLine(vector, world)),
  ];
}

// A name of another's inode; one that replaces a protected name comes later.
function aliasOf(
  { operation, path, identity }: Request,
  { directories }: Contents,
  replaced: boolean,
  at: (path: string) => string,
): readonly string[] {
  if (identity === undefined || replaced) return [];
  if (!directories.includes(identity)) return [`ln ${at(identity)} ${at(path)}`];
  // Of what is mounted, the root cannot be moved; what is below it can.
  const [shown, over] =
    operation === 'rename' ? [dirname(identity), dirname(path)] : [identity, path];
  return [`mkdir -p ${at(over)}`, `mount --bind ${at(shown)} ${at(over)}`];
}

// Programs that a policy exempts by digest: they must have that one when it is activated.
function sealedPrograms({ policy }: World): ReadonlyMap<string, string> {
  const exemptions = policy.flatMap((name) => readPolicy(name).rules.flatMap((it) => it.except));
  return new Map(
    exemptions.flatMap(({ exe, digest }) =>
      exe === undefined || digest === undefined ? [] : [[exe, digest] as const],
    ),
  );
}

// A policy that is activated measures the program, so another one can only come afterwards.
function isChangedLater({ exe, exeDigest }: Request, sealed: ReadonlyMap<string, string>): boolean {
  const digest = sealed.get(exe ?? '');
  return digest !== undefined && digest !== exeDigest;
}

/** Beside its name until the policy is active: a program with another digest than the policy's, or none. */
const LATER = '.later';

function laterProgram({ exe, exeDigest }: Request, root: string, digests: readonly string[]) {
  if (exe === undefined) return [];
  const path = `${root}${exe}${LATER}`;
  if (exeDigest === undefined) return [makeProgram(path, 0)];
  return [makeProgram(path, digests.indexOf(exeDigest)), `${OP} seal "${path}"`];
}

// The same program with other bytes behind it where another digest is wanted.
function makeProgram(path: string, variant: number): string {
  const tail = variant === 0 ? '' : `; printf ${OTHER_DIGEST}-${variant} >> "${path}"`;
  return `rm -f "${path}"; cp ${OP} "${path}"; chmod 755 "${path}"${tail}`;
}

function isHeld({ request }: Vector): boolean {
  return request.operation === 'use';
}

// Waits with its descriptor until a line comes; what it says goes into a file.
function holdLine(vector: Vector, world: World): string {
  const { request, id } = vector;
  const held = isReplaced(request, objectsOf(world)) ? request.identity : request.path;
  const attempt = contentsOf(world, objectsOf(world)).directories.includes(request.path)
    ? 'held-list'
    : `held-${request.access}`;
  const file = `${HELD}/${id}`;
  return [
    `mkfifo ${file}.go`,
    `${asWhom(request)}${OP} ${attempt} "${world.root}${held}" <>${file}.go >${file}.out 2>&1 &`,
    `until grep -q ready ${file}.out; do sleep 0.02; done`,
  ].join('\n');
}

/** Makes every attempt and prints `VECTOR|PID OUTCOME`. */
export function attemptScript(worlds: readonly World[]): string {
  return worlds
    .flatMap((world) => world.vectors.flatMap((vector) => attemptOf(vector, world)))
    .join('\n');
}

function attemptOf(vector: Vector, world: World): readonly string[] {
  const { request, id } = vector;
  const at = (path: string) => `"${world.root}${path}"`;
  const objects = objectsOf(world);
  const before = isReplaced(request, objects)
    ? [
        `${LAYER} rename ${at(request.identity ?? '')} ${at(request.path)} | grep -q OK || echo "${id}|0 LAYOUT"`,
      ]
    : [];
  if (isHeld(vector)) {
    const file = `${HELD}/${id}`;
    const wait = `echo go > ${file}.go; until grep -q ' ' ${file}.out; do sleep 0.02; done`;
    return [...before, wait, `echo "${id}|$(tail -n 1 ${file}.out)"`];
  }
  if (isChangedLater(request, sealedPrograms(world))) {
    before.push(`mv ${at(`${request.exe}${LATER}`)} ${at(request.exe ?? '')}`);
  }
  const words = wordsOf(request, contentsOf(world, objects), at);
  return [...before, `echo "${id}|$(${asWhom(request)}${byWhom(request, at)} ${words} 2>&1)"`];
}

function wordsOf(
  request: Request,
  { directories }: Contents,
  at: (path: string) => string,
): string {
  const { operation, path, to = '' } = request;
  const isDirectory = directories.includes(path);
  switch (operation) {
    case 'read':
      return `open-read ${at(path)}`;
    case 'write':
      return `open-write ${at(path)}`;
    case 'create':
      return `open-excl ${at(path)}`;
    case 'delete':
      return `${isDirectory ? 'rmdir' : 'unlink'} ${at(path)}`;
    case 'rename':
      return `rename ${at(movedName(request, directories))} ${at(to)}`;
    case 'link':
      return `link ${at(path)} ${at(to)}`;
    case 'setattr':
      return `chmod ${at(path)}`;
    case 'execute':
      return `exec ${at(path)}`;
    case 'mount':
      return `mount-bind ${SOURCES}/${isDirectory ? 'directory' : 'file'} ${at(path)}`;
    case 'use':
      throw new Error('a descriptor is held');
  }
}

// A directory that is reached through a mount of its parent has the name that it has there.
function movedName({ path, identity }: Request, directories: readonly string[]): string {
  return identity === undefined || !directories.includes(identity)
    ? path
    : `${dirname(path)}/${basename(identity)}`;
}

function byWhom({ exe, parentExe }: Request, at: (path: string) => string): string {
  const own = exe === undefined ? OP : at(exe);
  return parentExe === undefined ? own : `${at(parentExe)} spawn ${own}`;
}

// In a control group, and then as a user.
function asWhom({ cgroup = '/', uid = 0 }: Request): string {
  const group = `${CGROUPS}${cgroup}`;
  const enter =
    cgroup === '/'
      ? ''
      : `/bin/sh -c 'mkdir -p "$0" && echo 0 > "$0/cgroup.procs" && exec "$@"' "${group}" `;
  return `${enter}${uid === 0 ? '' : `/usr/bin/setpriv --reuid ${uid} --regid ${uid} --clear-groups `}`;
}

/** Reads what the attempt script printed. */
export function readAttempts(stdout: string): ReadonlyMap<string, Attempted> {
  return new Map(
    stdout
      .trim()
      .split('\n')
      .map((line) => {
        const [id = '', rest = ''] = line.split('|');
        const match = /^(\d+) ([A-Z]\w*)$/.exec(rest);
        return [id, { pid: Number(match?.[1] ?? -1), outcome: match?.[2] ?? rest }] as const;
      }),
  );
}

/** One attempt as it was made. */
export interface Attempted {
  readonly pid: number;
  /** `OK`, the name of an errno, or what was printed instead. */
  readonly outcome: string;
}
