// Exempt executables as classes. A class is a set of policy paths: a file that is several of them (hard
// links, busybox) has the class of all, a name has the class of its own path, so that a name which gets
// another program later lends no other path's exemption.
//
// SPDX-License-Identifier: Apache-2.0

import type { Exemption } from '../policy/document.ts';
import type { PolicyIr } from '../policy/ir.ts';
import { compareBytes } from '../policy/text.ts';
import type { ExemptRow, RuleSet } from './image.ts';
import type { Identity, NameFact, Resolution } from './resolution.ts';
import { identityKey, nameKey, type Tables } from './tables.ts';

/** Class numbers from 1, each with its policy paths. */
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
  for (const path of listExes(ir)) {
    const fact = resolution.get(path);
    // A program whose directory is missing runs nowhere: its exemption is empty, which is the safe side.
    if (fact === undefined || fact.kind === 'parent-missing') continue;
    for (const name of fact.names) joinName(join, tables, path, name);
    const last = fact.names.at(-1)?.target ?? null;
    if (last !== null) joinIdentity(join, tables, path, last);
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

function listExes(ir: PolicyIr): string[] {
  const exes = new Set(ir.rules.flatMap((rule) => rule.except.map(({ exe }) => exe)));
  return [...exes].filter((exe) => exe !== undefined).sort(compareBytes);
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

/** Lists which rules do not apply to which subjects. */
export function buildExemptions(ir: PolicyIr, classes: ExeClasses, tables: Tables): ExemptRow[] {
  const sets = new Map<string, { exe: number | null; uid: number | null; set: RuleSet }>();
  const add = (exe: number | null, uid: number | null, bit: RuleSet) => {
    const key = `${exe}:${uid}`;
    const row = sets.get(key) ?? { exe, uid, set: 0n };
    sets.set(key, { ...row, set: row.set | bit });
  };
  for (const [index, rule] of ir.rules.entries()) {
    for (const entry of rule.except) {
      for (const exe of matchingClasses(entry, classes)) {
        add(exe, entry.uid ?? null, 1n << BigInt(index));
      }
    }
  }
  const rows: ExemptRow[] = [...sets.values()].map(({ exe, uid, set }) => ({
    exe,
    uid,
    label: tables.labelOf(set),
  }));
  // The kernel guards the identity of executables (SUBJ-5) only while some exemption depends on it.
  return classes.size === 0 ? rows : [{ exe: null, uid: null, label: 0 }, ...rows];
}

function matchingClasses({ exe }: Exemption, classes: ExeClasses): (number | null)[] {
  if (exe === undefined) return [null];
  return [...classes].filter(([, paths]) => paths.has(exe)).map(([exeClass]) => exeClass);
}
