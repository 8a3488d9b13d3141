// What a starting process does with what it found (core/enforcer/startup.ts decides): keep, renew, or
// fall back. Answers the generation that is in force afterwards.
//
// SPDX-License-Identifier: Apache-2.0

import type { Digest } from '../core/digest.ts';
import type { Committed } from '../core/enforcer/kernel.ts';
import { type GenerationRow, isPending, planStartup } from '../core/enforcer/startup.ts';
import { err, type Failure, failure, ok, type Result, unreachable } from '../core/result.ts';
import { isCanaryComplete } from './canary.ts';
import { findDistrust } from './distrust.ts';
import { type BuildOptions, build, fallBack, rebuild, replayAll } from './fallback.ts';
import { leftOutOf, tellLeftOut } from './left-out.ts';
import { fitsSelf } from './self-protection.ts';
import { findDamage } from './stored-evidence.ts';

/** Converges the kernel to what should be enforced; the programs are open already. */
export async function converge(
  committed: Committed | null,
  options: BuildOptions,
): Promise<Result<GenerationRow>> {
  const { generations, bootId, alerts, sources } = options;
  const row = committed === null ? null : generations.rowOf(committed);
  const held = sources.held();
  const plan = planStartup({
    committed,
    row,
    bootId,
    held,
    recorded: generations.recorded(),
    isComplete:
      row !== null &&
      committed !== null &&
      generations.isIntact(row, committed) &&
      isCanaryComplete(row.canaryDir) &&
      fitsSelf(row.rules, options.self()),
  });
  switch (plan.kind) {
    case 'adopt': {
      tellDamage(plan.row.content, options);
      const distrusted = await findDistrust(plan.row.content, options);
      const mustGo = distrusted.map((it) => it.digest);
      if (mustGo.length > 0) return fallBack([...held, ...mustGo], options);
      tellLeftOut(plan.row.leftOut, null, alerts);
      const known = generations.recordCurrent(plan.row);
      return known.ok ? ok(plan.row) : known;
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
      return fallBack(held, options);
    default:
      return unreachable(plan);
  }
}

// What waits for its confirmation stands on a last-known-good that the kernel may not hold any more.
function tellDamage(content: readonly Digest[], { sources, alerts }: BuildOptions): void {
  for (const { store } of sources.all) {
    const good = store.read('lastKnownGood');
    const damage = good === null || content.includes(good) ? null : findDamage(good, store);
    if (damage !== null) alerts.raise(damage);
  }
}

/** The same content in a new generation, which has canaries. */
async function renew(row: GenerationRow, options: BuildOptions): Promise<Result<GenerationRow>> {
  if (!isPending(row)) return rebuild(row.content, options);
  const parts = await replayAll(row.content, options);
  return parts.ok ? build(parts.value, row.changed, leftOutOf(row), options) : err(parts.error);
}

function unknownGeneration(committed: Committed | null): Failure {
  return failure('state/lost', 'the kernel enforces a generation that this store does not know', {
    causes: [`generation ${committed?.generation ?? 0}`],
    hints: ['the store was replaced or damaged; the best known generation is in force now'],
  });
}
