// Control groups of policies as a tree of names, and units by name. The kernel follows a process's group
// from the root down and meets every group of a policy that the process is in.
//
// Names and not ids: a unit that starts again gets a new group, and its scope must hold from the first
// moment.
//
// SPDX-License-Identifier: Apache-2.0

import type { PolicyIr } from '../policy/ir.ts';
import { compareBytes } from '../policy/text.ts';
import type { GroupRow, RuleSet } from './image.ts';
import type { Tables } from './tables.ts';

/** Numbers from 1 of the groups that exemptions name, by {@link unitKey} or {@link cgroupKey}. */
export type GroupNumbers = ReadonlyMap<string, number>;

const ROOT_NODE = 1; // WD_GROUP_ROOT of bpf/include/abi.h
const UNITS_NODE = 2; // WD_GROUP_UNITS
const FIRST_NODE = 3;

/** What a unit is known by in {@link GroupNumbers}. */
export function unitKey(unit: string): string {
  return `unit ${unit}`;
}

/** What a control group is known by in {@link GroupNumbers}. */
export function cgroupKey(cgroup: string): string {
  return `cgroup ${cgroup}`;
}

/** Numbers every unit and control group that some exemption names. */
export function numberGroups(ir: PolicyIr): GroupNumbers {
  const keys = new Set<string>();
  for (const { except } of ir.rules) {
    for (const { unit, cgroup } of except) {
      if (unit !== undefined) keys.add(unitKey(unit));
      if (cgroup !== undefined) keys.add(cgroupKey(cgroup));
    }
  }
  return new Map([...keys].sort(compareBytes).map((key, index) => [key, index + 1]));
}

interface Draft {
  readonly node: number;
  readonly name: string;
  next: number;
  group: number;
  scope: RuleSet;
}

/** Gives the rows of all groups that rules name. */
export function buildGroups(ir: PolicyIr, numbers: GroupNumbers, tables: Tables): GroupRow[] {
  const tree = new Tree();
  for (const [key, number] of numbers) tree.at(key).group = number;
  for (const [index, { scope }] of ir.rules.entries()) {
    const bit = 1n << BigInt(index);
    for (const unit of scope?.units ?? []) tree.at(unitKey(unit)).scope |= bit;
    for (const cgroup of scope?.cgroups ?? []) tree.at(cgroupKey(cgroup)).scope |= bit;
  }
  return tree.drafts().map(({ node, name, next, group, scope }) => ({
    node,
    name,
    next,
    group,
    scope: tables.labelOf(scope),
  }));
}

class Tree {
  readonly #drafts = new Map<string, Draft>();
  #nodes = FIRST_NODE;

  /** The draft of a group, with everything above it. */
  at(key: string): Draft {
    const [kind = '', text = ''] = splitOnce(key);
    if (kind === 'unit') return this.#draft(UNITS_NODE, text);
    const names = text.split('/').filter((it) => it !== '');
    let draft = this.#draft(ROOT_NODE, names[0] ?? '');
    for (const name of names.slice(1)) {
      if (draft.next === 0) {
        draft.next = this.#nodes;
        this.#nodes += 1;
      }
      draft = this.#draft(draft.next, name);
    }
    return draft;
  }

  drafts(): readonly Draft[] {
    return [...this.#drafts.values()];
  }

  #draft(node: number, name: string): Draft {
    const key = `${node}/${name}`;
    const draft = this.#drafts.get(key) ?? { node, name, next: 0, group: 0, scope: 0n };
    this.#drafts.set(key, draft);
    return draft;
  }
}

function splitOnce(key: string): readonly string[] {
  const space = key.indexOf(' ');
  return [key.slice(0, space), key.slice(space + 1)];
}
