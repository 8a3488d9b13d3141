// What a starting process does with what it found (core/enforcer/startup.ts decides): keep, renew, or
// fall back. Answers the generation that is in force afterwards.
//
// SPDX-License-Identifier: Apache-2.0

import type { Committed } from '../core/enforcer/kernel.ts';
import { type GenerationRow, planStartup } from '../core/enforcer/startup.ts';
import { err, type Failure, failure, ok, type Result, unreachable } from '../core/result.ts';
import { replay } from './admission.ts';
import { isCanaryComplete } from './canary.ts';
import { findDistrust } from './distrust.ts';
import { type BuildOptions, build, fallBack, rebuild } from './fallback.ts';
import { fitsSelf } from './self-protection.ts';

/** Converges the kernel to what should be enforced; the programs are open already. */
export async function converge(
  committed: Committed | null,
  options: BuildOptions,
): Promise<Result<GenerationRow>> {
  const { generations, bootId, alerts, admission } = options;
  const row = committed === null ? null : generations.rowOf(committed);
  const hold = admission.store.read('hold');
  const without = hold === null ? [] : [hold.digest];
  const plan = planStartup({
    committed,
    row,
    bootId,
    hold,
    isComplete:
      row !== null && isCanaryComplete(row.canaryDir) && fitsSelf(row.rules, options.self()),
  });
  switch (plan.kind) {
    case 'adopt': {
      const distrusted = await findDistrust(plan.row.digest, options);
      return distrusted === null ? ok(plan.row) : fallBack([...without, plan.row.digest], options);
    }
    case 'rebuild': {
      const renewed = await renew(plan.row, options);
      if (renewed.ok) return renewed;
      // What is enforced stays; only its proof is missing, and the next probe says so.
      alerts.raise(renewed.error);
      return ok(plan.row);
    }
    case 'fall-back':
      if (plan.why === 'unknown-generation') alerts.raise(unknownGeneration(committed));
      return fallBack(without, options);
    default:
      return unreachable(plan);
  }
}

/** The same content in a new generation, which has canaries. */
async function renew(row: GenerationRow, options: BuildOptions): Promise<Result<GenerationRow>> {
  if (row.confirmed || row.digest === null) return rebuild(row.digest, options);
  const replayed = await replay(row.digest, options.admission);
  return replayed.ok ? build(row.digest, replayed.value.ir, options) : err(replayed.error);
}

function unknownGeneration(committed: Committed | null): Failure {
  return failure('state/lost', 'the kernel enforces a generation that this store does not know', {
    causes: [`generation ${committed?.generation ?? 0}`],
    hints: ['the store was replaced or damaged; the best known generation is in force now'],
  });
}
