// SPDX-License-Identifier: Apache-2.0

/** The program that every rule of the suite exempts. */
export const EXEMPT_PROGRAM = '/usr/local/bin/exempt-op';

/** The program whose children some rules exempt. */
export const PARENT_PROGRAM = '/usr/local/bin/parent-op';

/** Policies of a suite. Rules with a scope need a policy of their own. */
export function policyName(mode: string, scoped: boolean): string {
  return `cases-${mode}${scoped ? '-scoped' : ''}`;
}
