// A new bundle of one source comes into force together with what the others have there. One at a time: while a
// bundle waits for its confirmation, bundles of other sources wait for that.
//
// Invariant: what is enforced of the other sources is in the new generation exactly as it was in the old one,
// or there is no new generation.
//
// SPDX-License-Identifier: Apache-2.0

import type { BundleBytes } from '../core/bundle.ts';
import { type GenerationRow, isPending } from '../core/enforcer/startup.ts';
import { countObjects } from '../core/policy/sources.ts';
import { err, type Failure, failure, ok, type Result } from '../core/result.ts';
import { admit, checkEnabled } from './admission.ts';
import { type BuildOptions, build, findCulprit, type Part, replayAll } from './fallback.ts';
import { leftOutOf } from './left-out.ts';
import type { SourceOptions } from './sources.ts';

/** Verifies a bundle and makes it current; the same row when it is in force already. */
export async function activateBundle(
  bundle: BundleBytes,
  source: SourceOptions,
  current: GenerationRow | null,
  options: BuildOptions,
): Promise<Result<GenerationRow>> {
  const { sources, admission } = options;
  const enabled = checkEnabled(admission.store);
  if (!enabled.ok) return enabled;
  if (!source.isConfigured) {
    const hints = ['configure it again, or run: warder source remove'];
    return err(failure('config/source-unknown', `${nameOf(source)} is not configured`, { hints }));
  }
  const content = current?.content ?? [];
  if (isPending(current) && sources.holding(current.changed) !== source) {
    const whose = nameOf(sources.holding(current.changed));
    return err(
      failure('activate/other-pending', `a bundle of ${whose} waits for its confirmation`),
    );
  }
  const admitted = await admit(bundle, source);
  if (!admitted.ok) return admitted;
  const { digest } = bundle;
  // C13: what is in force already is left alone, pending or confirmed.
  if (current?.content.includes(digest)) return ok(current);
  const others = await replayAll(
    content.filter((it) => sources.holding(it) !== source),
    options,
  );
  if (!others.ok) return err(blame(others.error, others.source));
  const parts = sources.all.flatMap((it) =>
    it === source
      ? [{ source, digest, ir: admitted.value.ir }]
      : others.value.filter((part) => part.source === it),
  );
  const mayLeaveOut = leftOutOf(current);
  const row = build(parts, digest, mayLeaveOut, options);
  if (row.ok) return row;
  if (row.error.code === 'activate/sources-too-large')
    return err(tellShares(row.error, source, parts));
  const culprit =
    others.value.length === 0 ? null : findCulprit(others.value, mayLeaveOut, options);
  return culprit === null ? row : err(blame(row.error, culprit));
}

// The new bundle is not to blame, so it is not put into quarantine for it.
function blame(error: Failure, source: SourceOptions | null): Failure {
  const whose = source === null ? 'another source' : nameOf(source);
  return failure('activate/other-source', `what is enforced of ${whose} cannot be made again`, {
    causes: [`${error.code}: ${error.message}`, ...error.causes],
    hints: ['what is in force stays; repair that source, or remove it'],
  });
}

// SOURCE-3: none is too large by itself. What came last is what does not fit; what is in force stays.
function tellShares(error: Failure, source: SourceOptions, parts: readonly Part[]): Failure {
  const shares = parts.map(
    (part) =>
      `${nameOf(part.source)}: ${part.ir.rules.length} rules, ${countObjects(part.ir)} objects`,
  );
  const message = `the bundle of ${nameOf(source)} does not fit: ${error.message}`;
  return failure(error.code, message, { causes: shares, hints: error.hints });
}

/** A source in words. */
export function nameOf({ name }: Pick<SourceOptions, 'name'>): string {
  return name === '' ? 'the main source' : `source ${name}`;
}
