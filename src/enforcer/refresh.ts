// Resolves the paths of the generation in force again, when mounts have changed, when a directory that was
// missing is there, or when nobody knows what it was resolved with. The rules stay; a new generation is made
// only when its image or what it leaves out differs, and it leaves out nothing that the one in force has.
//
// SPDX-License-Identifier: Apache-2.0

import type { GenerationRow } from '../core/enforcer/startup.ts';
import { err, failure, ok, type Result } from '../core/result.ts';
import { packImage } from '../wire/abi.ts';
import { type BuildOptions, compileWatched, confirmAgain, replayAll } from './fallback.ts';
import { leftOutOf, tellLeftOut } from './left-out.ts';

/** What came of it. */
export interface Refreshed {
  readonly row: GenerationRow;
  /** A new generation is in force. */
  readonly renewed: boolean;
}

const PAUSE_MS = { min: 1000, max: 300_000 } as const;
/** While paths are resolved nothing else is answered: at most a fifth of the time may go there. */
const PAUSE_PER_WORK = 4;

/** How long to wait after looking at paths took this long. */
export function pauseAfter(tookMs: number): number {
  return Math.min(PAUSE_MS.max, Math.max(PAUSE_MS.min, PAUSE_PER_WORK * tookMs));
}

/** Tells an operator which path is not resolved any more; answers whether there is one. */
export function checkMounts({ watch, alerts }: Pick<BuildOptions, 'watch' | 'alerts'>): boolean {
  const path = watch.changed();
  if (path === null) return false;
  alerts.raise(
    failure('host/mounts-changed', `mounts changed at ${path}; its paths are resolved again`, {
      hints: ['when this stays, the other alerts say why resolving fails'],
    }),
  );
  return true;
}

/** Resolves again what `row` enforces. */
export async function refresh(
  row: GenerationRow,
  options: BuildOptions,
): Promise<Result<Refreshed>> {
  const { generations, alerts } = options;
  const parts = await replayAll(row.content, options);
  if (!parts.ok) return err(parts.error);
  const compiled = compileWatched(parts.value, row.canaryDir, leftOutOf(row), options);
  if (!compiled.ok) return compiled;
  const { gaps } = compiled.value;
  const { digest } = packImage(compiled.value.image, { generation: 1, bank: 0 });
  // The tables may be the same when more is known: a tree in which no file has a further name.
  const isSame = digest === row.imageDigest && gaps.length === row.leftOut.length;
  const renewed = isSame ? ok(row) : generations.bringUp(row, row.canaryDir, compiled.value);
  if (!renewed.ok) return renewed;
  alerts.clear('host/mounts-changed');
  tellLeftOut(renewed.value.leftOut, gaps, alerts);
  if (isSame || !row.confirmed) return ok({ row: renewed.value, renewed: !isSame });
  const confirmed = confirmAgain(renewed.value, options);
  return confirmed.ok ? ok({ row: confirmed.value, renewed: true }) : confirmed;
}
