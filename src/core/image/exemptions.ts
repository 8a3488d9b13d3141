// Exempt executables as classes. A class is a set of policy paths: a file that is several of them (hard
// links, busybox) has the class of all, a name has the class of its own path, so that a name which gets
// another program later lends no other path's exemption.
//
// SPDX-License-Identifier: Apache-2.0

import type { Exemption } from '../policy/document.ts';
import type { PolicyIr } from '../policy/ir.ts';
import { compareBytes } from '../policy/text.ts';
import { cgroupKey, type GroupNumbers, unitKey } from './groups.ts';
import type { ExemptRow, RuleSet } from './image.ts';
import type { Identity, NameFact, Resolution } from './resolution.ts';
import { identityKey, nameKey, type Tables } from './tables.ts';

/** Class numbers from 1, each with its programs. */
export type ExeClasses = ReadonlyMap<number, ReadonlySet<string>>;

interface Member {
  readonly mark: (exeClass: number) => void;
  readonly paths: Set<string>;
}

/** Gives every identity and name of an exempt executable its class, in `tables`. */
export function collectExeClasses(
  ir: PolicyIr,
  resolution: Resolution,
  tables: Tables,
): ExeClasses {
  const members = new Map<string, Member>();
  const join = (key: string, path: string, mark: Member['mark']) => {
    const member = members.get(key) ?? { mark, paths: new Set() };
    members.set(key, member);
    member.paths.add(path);
  };
  for (const program of listPrograms(ir)) {
    const fact = resolution.get(program.path);
    // A program whose directory is missing runs nowhere: its exemption is empty, which is the safe side.
    if (fact === undefined || fact.kind !== 'found') continue;
    const key = programKey(program);
    const last = fact.names.at(-1)?.target ?? null;
    // SUBJ-6: a digest is of content, which only an identity with fs-verity is bound to.
    const isMeasured = program.digest === null || program.digest === fact.verity;
    if (last !== null && isMeasured) joinIdentity(join, tables, key, last);
    if (program.digest !== null) continue;
    for (const name of fact.names) joinName(join, tables, key, name);
    for (const identity of fact.earlier) joinIdentity(join, tables, key, identity); // LIVE-8
  }
  return number(members);
}

type Join = (key: string, path: string, mark: Member['mark']) => void;

function joinName(join: Join, tables: Tables, path: string, fact: NameFact): void {
  const [parent] = fact.directories;
  join(`name ${nameKey(parent, fact.name)}`, path, (exeClass) => {
    tables.nameAt(parent, fact.name).exe = exeClass;
  });
}

function joinIdentity(join: Join, tables: Tables, path: string, identity: Identity): void {
  join(`identity ${identityKey(identity)}`, path, (exeClass) => {
    tables.objectAt(identity).exe = exeClass;
  });
}

interface Program {
  readonly path: string;
  /** fs-verity digest that the file must have. */
  readonly digest: string | null;
}

const programKey = ({ path, digest }: Program) => (digest === null ? path : `${path}\0${digest}`);

function listPrograms(ir: PolicyIr): readonly Program[] {
  const programs = new Map<string, Program>();
  for (const { exe, digest, parentExe } of ir.rules.flatMap((rule) => rule.except)) {
    if (exe !== undefined) put(programs, { path: exe, digest: digest ?? null });
    if (parentExe !== undefined) put(programs, { path: parentExe, digest: null });
  }
  return [...programs].sort(([a], [b]) => compareBytes(a, b)).map(([, program]) => program);
}

function put(programs: Map<string, Program>, program: Program): void {
  programs.set(programKey(program), program);
}

function number(members: ReadonlyMap<string, Member>): ExeClasses {
  const numbers = new Map<string, number>();
  const classes = new Map<number, ReadonlySet<string>>();
  for (const { mark, paths } of members.values()) {
    const key = [...paths].join('\0');
    const exeClass = numbers.get(key) ?? numbers.size + 1;
    numbers.set(key, exeClass);
    classes.set(exeClass, paths);
    mark(exeClass);
  }
  return classes;
}

interface RowDraft {
  readonly row: Omit<ExemptRow, 'label'>;
  set: RuleSet;
}

/** Lists which rules do not apply to which subjects. */
export function buildExemptions(
  ir: PolicyIr,
  classes: ExeClasses,
  groups: GroupNumbers,
  tables: Tables,
): ExemptRow[] {
  const drafts = new Map<string, RowDraft>();
  for (const [index, rule] of ir.rules.entries()) {
    for (const entry of rule.except) {
      for (const row of rowsOf(entry, classes, groups)) {
        const key = `${row.exe}:${row.parent}:${row.group}:${row.uid}`;
        const draft = drafts.get(key) ?? { row, set: 0n };
        draft.set |= 1n << BigInt(index);
        drafts.set(key, draft);
      }
    }
  }
  const rows: ExemptRow[] = [...drafts.values()].map(({ row, set }) => ({
    ...row,
    label: tables.labelOf(set),
  }));
  // The kernel guards the identity of executables (LIVE-4) only while some exemption depends on it.
  const none: ExemptRow = { exe: null, parent: null, group: null, uid: null, label: 0 };
  return classes.size === 0 ? rows : [none, ...rows];
}

/** One row for every pair of classes that the entry's programs are in. */
function rowsOf(
  entry: Exemption,
  classes: ExeClasses,
  groups: GroupNumbers,
): readonly RowDraft['row'][] {
  const { exe, digest, uid, parentExe } = entry;
  const program = exe === undefined ? null : { path: exe, digest: digest ?? null };
  const above = parentExe === undefined ? null : { path: parentExe, digest: null };
  const group = groupOf(entry, groups);
  return matchingClasses(program, classes).flatMap((own) =>
    matchingClasses(above, classes).map((parent) => ({
      exe: own,
      parent,
      group,
      uid: uid ?? null,
    })),
  );
}

function groupOf({ unit, cgroup }: Exemption, groups: GroupNumbers): number | null {
  if (unit !== undefined) return groups.get(unitKey(unit)) ?? null;
  return cgroup === undefined ? null : (groups.get(cgroupKey(cgroup)) ?? null);
}

function matchingClasses(program: Program | null, classes: ExeClasses): (number | null)[] {
  if (program === null) return [null];
  const key = programKey(program);
  return [...classes].filter(([, keys]) => keys.has(key)).map(([exeClass]) => exeClass);
}
