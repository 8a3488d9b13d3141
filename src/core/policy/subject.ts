// Who a rule holds for: the fields of exemptions and of scopes against the facts of a process. Rule
// numbers are those of docs/POLICY_SEMANTICS.md.
//
// Invariant: a fact that is missing matches no field, so it exempts nobody.
//
// SPDX-License-Identifier: Apache-2.0

import type { Exemption, Scope } from './document.ts';
import { isWithin } from './path.ts';
import type { Request } from './request.ts';

/** What is known of the process that asks. */
export type Subject = Pick<Request, 'exe' | 'exeDigest' | 'uid' | 'cgroup' | 'parentExe'>;

/** Names that a control group of a policy may have; WD_CGROUP_DEPTH in bpf/include/abi.h. */
export const CGROUP_DEPTH_MAX = 16;

const SLICE = '.slice';

/** SUBJ-2: the fields of one entry must all match. */
export function matches(entry: Exemption, subject: Subject): boolean {
  const cgroup = subject.cgroup ?? '/';
  return (
    (entry.exe === undefined || entry.exe === subject.exe) && // SUBJ-1
    (entry.digest === undefined || entry.digest === subject.exeDigest) && // SUBJ-6
    (entry.uid === undefined || entry.uid === (subject.uid ?? 0)) && // SUBJ-4
    (entry.unit === undefined || unitsOf(cgroup).includes(entry.unit)) && // SUBJ-8
    (entry.cgroup === undefined || isWithin(cgroup, entry.cgroup)) && // SUBJ-7
    (entry.parentExe === undefined || entry.parentExe === subject.parentExe) // SUBJ-9
  );
}

/** SCOPE-1, SCOPE-2: one unit or control group that the process is in is enough. */
export function isInScope(scope: Scope | undefined, subject: Subject): boolean {
  if (scope === undefined) return true;
  const cgroup = subject.cgroup ?? '/';
  const units = unitsOf(cgroup);
  return (
    scope.units.some((unit) => units.includes(unit)) ||
    scope.cgroups.some((within) => isWithin(cgroup, within))
  );
}

/**
 * SUBJ-8: the slices that a control group begins with, and the first name that is no slice. What is
 * below belongs to whoever the unit delegated to, and may be called anything.
 */
export function unitsOf(cgroup: string): readonly string[] {
  const names = cgroup.split('/').filter((it) => it !== '');
  const first = names.findIndex((it) => !isSlice(it));
  return first === -1 ? names : names.slice(0, first + 1);
}

/** How many names a path has. */
export function depthOf(path: string): number {
  return path.split('/').filter((it) => it !== '').length;
}

/** Tells whether a name is that of a slice, whose members systemd alone names. */
function isSlice(name: string): boolean {
  return name.length > SLICE.length && name.endsWith(SLICE);
}
