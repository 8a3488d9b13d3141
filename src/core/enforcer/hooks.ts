// Which rules this kernel can enforce. Every program says which operations need it; a rule that lists
// an operation whose program did not attach is either refused with its bundle or runs in audit, as
// its policy says. Some hooks exist on newer kernels only: where such a one is absent, so is what it
// would judge, and nothing is missing.
//
// SPDX-License-Identifier: Apache-2.0

import { BASELINE_PREFIX } from '../policy/baseline.ts';
import { OPERATIONS, type Operation } from '../policy/document.ts';
import type { PolicyIr } from '../policy/ir.ts';
import { err, failure, ok, type Result } from '../result.ts';
import type { KernelProgram, ProgramProof } from './kernel.ts';

/** The IR as this host can run it, and which rules lost their teeth. */
export interface HookPlan {
  readonly ir: PolicyIr;
  /** Rules that run in audit because a hook is missing and their policy allows that. */
  readonly demoted: readonly string[];
}

/** Checks the operations of every enforcing rule against the programs that attached. */
export function planHooks(ir: PolicyIr, programs: readonly KernelProgram[]): Result<HookPlan> {
  const broken = brokenOperations(programs);
  const demoted: string[] = [];
  const refused: string[] = [];
  const rules = ir.rules.map((rule) => {
    const lost = rule.operations.filter((it) => broken.has(it));
    if (lost.length === 0 || rule.mode === 'audit') return rule;
    // The canaries prove what is attached: they lose the operation, not their teeth.
    if (rule.id.startsWith(BASELINE_PREFIX)) {
      return { ...rule, operations: rule.operations.filter((it) => !broken.has(it)) };
    }
    if (rule.onMissingHook === 'audit') {
      demoted.push(rule.id);
      return { ...rule, mode: 'audit' as const };
    }
    refused.push(`${rule.id} needs ${lost.map((it) => broken.get(it) ?? it).join(', ')}`);
    return rule;
  });
  if (refused.length === 0) return ok({ ir: { ...ir, rules }, demoted });
  return err(
    failure('activate/partial', 'a hook that a rule needs is not attached; nothing was changed', {
      causes: refused,
      hints: ['set onMissingHook: audit in the policy to run it as an audit on such hosts'],
    }),
  );
}

/** Operations without their program, each with the hooks that are missing. */
export function brokenOperations(
  programs: readonly KernelProgram[],
): ReadonlyMap<Operation, string> {
  const broken = new Map<Operation, string>();
  OPERATIONS.forEach((operation, index) => {
    const needed = programs.filter((it) => (it.ops & (1 << (index + 1))) !== 0);
    const covered = new Set(needed.filter(isReady).map((it) => it.hook));
    const missing = needed.filter(
      (it) => !isReady(it) && !(it.state === 'absent' && it.onlyIfPresent) && !covered.has(it.hook),
    );
    if (missing.length > 0) broken.set(operation, missing.map((it) => it.hook).join('+'));
    // An operation that no attached program serves is not enforced, whatever the kernel lacks.
    else if (covered.size === 0) broken.set(operation, `a hook for ${operation}`);
  });
  return broken;
}

// An idle program is attached before a generation that demands it comes into force, or that one is
// refused.
function isReady({ state }: KernelProgram): boolean {
  return state === 'attached' || state === 'idle';
}

/** The programs after comparing them with what the kernel says of their links. */
export function applyProof(
  programs: readonly KernelProgram[],
  proofs: readonly ProgramProof[],
): readonly KernelProgram[] {
  return programs.map((program) => {
    if (program.state === 'rejected' || program.state === 'absent') return program;
    const proof = proofs.find((it) => it.program === program.program);
    if (proof?.idle === true) return { ...program, state: 'idle', detail: '' };
    const problem = proof === undefined ? 'the kernel says nothing of it' : findProblem(proof);
    const misses = proof === undefined || proof.recursionMisses === 0 ? '' : countMisses(proof);
    return problem === null
      ? { ...program, state: 'attached', detail: misses }
      : { ...program, state: 'detached', detail: problem };
  });
}

function findProblem(proof: ProgramProof): string | null {
  if (!proof.attached || !proof.pinned) return 'its link is not pinned any more';
  if (proof.attachedTo !== `bpf_lsm_${proof.hook}`) {
    return `its link leads to ${proof.attachedTo || 'an unknown function'}`;
  }
  // An empty tag is one that the kernel would not tell: no proof, and no disproof either.
  if (proof.tag !== '' && proof.expectedTag !== '' && proof.tag !== proof.expectedTag) {
    return `its tag is ${proof.tag}, the object gives ${proof.expectedTag}`;
  }
  return null;
}

function countMisses({ recursionMisses }: ProgramProof): string {
  return `${recursionMisses} calls were skipped by the kernel's recursion guard`;
}
