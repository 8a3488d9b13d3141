// From rules to an image for this host: baseline joined, hooks checked, paths resolved. Changes
// nothing; everything that can refuse a bundle refuses it here, before the kernel is touched.
//
// SPDX-License-Identifier: Apache-2.0

import { planHooks } from '../core/enforcer/hooks.ts';
import type { KernelProgram } from '../core/enforcer/kernel.ts';
import type { RuleLine } from '../core/enforcer/startup.ts';
import { buildImage } from '../core/image/build.ts';
import { type Gap, type MayLeaveOut, spare } from '../core/image/gaps.ts';
import type { GenerationImage } from '../core/image/image.ts';
import { type SelfPaths, withBaseline } from '../core/policy/baseline.ts';
import { OPERATIONS, type Operation } from '../core/policy/document.ts';
import type { PolicyIr } from '../core/policy/ir.ts';
import {
  type Excess,
  findExcess,
  findSourceConflicts,
  joinSources,
  type SourceRules,
} from '../core/policy/sources.ts';
import { err, failure, ok, type Result } from '../core/result.ts';
import { type ResolverOptions, resolvePolicy } from './resolver.ts';

/** An image with what is needed to explain its events. */
export interface CompiledGeneration {
  readonly image: GenerationImage;
  readonly rules: readonly RuleLine[];
  readonly demoted: readonly string[];
  /** What could not be resolved, and is not in the image or not whole. */
  readonly gaps: readonly Gap[];
  /** Every path that was resolved. */
  readonly paths: readonly string[];
  /** Programs that it is compiled for. */
  readonly programs: readonly string[];
}

const CONFLICTS_TOLD_MAX = 4;

/** What a host adds to the rules. */
export interface CompileHost {
  readonly canaryDir: string;
  readonly self: SelfPaths | null;
  readonly programs: readonly KernelProgram[];
  readonly resolver: ResolverOptions;
}

/** Compiles the rules of every source (or none) together with the baseline. */
export function compileGeneration(
  parts: readonly SourceRules[],
  host: CompileHost,
  mayLeaveOut: MayLeaveOut,
): Result<CompiledGeneration> {
  const excess = findExcess(parts);
  if (excess !== null) return tooMany(excess);
  const agreed = checkConflicts(parts);
  if (!agreed.ok) return agreed;
  const ir = joinSources(parts);
  const plan = planHooks(withBaseline(ir, host.canaryDir, host.self), host.programs);
  if (!plan.ok) return plan;
  const grouped = checkGroups(plan.value.ir, host.resolver);
  if (!grouped.ok) return grouped;
  const resolution = resolvePolicy(plan.value.ir, host.resolver, mayLeaveOut);
  if (!resolution.ok) return resolution;
  const { ir: found, gaps } = spare(plan.value.ir, resolution.value, mayLeaveOut);
  const image = buildImage(found, resolution.value);
  if (!image.ok) return image;
  return ok({
    image: image.value,
    rules: plan.value.ir.rules.map(({ id, mode, reason, origin }) => ({
      id,
      mode,
      reason,
      origin,
    })),
    demoted: plan.value.demoted,
    gaps,
    paths: [...resolution.value.keys()],
    programs: host.programs.filter((it) => serves(it, plan.value.ir)).map((it) => it.program),
  });
}

// Each bundle was inside the bounds by itself.
function tooMany({ what, count, max }: Excess): Result<never> {
  const told = `${count} ${what} of all sources, at most ${max} fit into one generation`;
  return err(
    failure('activate/sources-too-large', told, {
      hints: ['the limit is of the host, not of a source'],
    }),
  );
}

// SOURCE-2: joined rules mean what each source means by itself, or they are not joined.
function checkConflicts(parts: readonly SourceRules[]): Result<void> {
  const conflicts = findSourceConflicts(parts);
  if (conflicts.length === 0) return ok(undefined);
  return err(
    failure(
      'activate/source-conflict',
      'rules of two sources would not mean together what they mean apart',
      {
        causes: conflicts
          .slice(0, CONFLICTS_TOLD_MAX)
          .map(
            ({ left, carrier }) =>
              `what leaves the tree of ${left} could be taken over by ${carrier}`,
          ),
        hints: [
          'let the first rule of each pair deny rename and link too, or the second one create',
        ],
      },
    ),
  );
}

// What is idle is attached when a generation demands it.
function serves({ state, ops }: KernelProgram, ir: PolicyIr): boolean {
  if (state !== 'idle') return state === 'attached';
  const demands = (it: Operation): boolean => (ops & (1 << (OPERATIONS.indexOf(it) + 1))) !== 0;
  return ir.rules.some(({ operations }) => operations.some(demands));
}

// Without the unified hierarchy every process is in its root: no exemption and no scope would ever match,
// and a rule with a scope would silently hold for nobody.
function checkGroups(ir: PolicyIr, { hasGroups }: ResolverOptions): Result<void> {
  const wanting = ir.rules.find(
    ({ scope, except }) =>
      scope !== undefined ||
      except.some(({ unit, cgroup }) => unit !== undefined || cgroup !== undefined),
  );
  if (wanting === undefined || hasGroups()) return ok(undefined);
  return err(
    failure('stage/no-cgroups', `rule ${wanting.id} names units or control groups`, {
      hints: ['boot with systemd.unified_cgroup_hierarchy=1, or mount cgroup2'],
      at: wanting.origin,
    }),
  );
}
