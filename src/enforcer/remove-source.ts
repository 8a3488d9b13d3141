// The documented step by which what a source brought goes out of force: root asks for it by name, after the
// source was taken out of the configuration. Both together are no accident.
//
// Invariant: its floor stays, so that a source that comes back cannot bring an older bundle.
//
// SPDX-License-Identifier: Apache-2.0

import { type GenerationRow, isPending } from '../core/enforcer/startup.ts';
import { err, failure, ok, type Result } from '../core/result.ts';
import { nameOf } from './activate.ts';
import { checkEnabled } from './admission.ts';
import { type BuildOptions, rebuild } from './fallback.ts';
import type { SourceOptions } from './sources.ts';

/** Builds the generation without the source, then forgets it. */
export async function removeSource(
  source: SourceOptions,
  current: GenerationRow | null,
  options: BuildOptions,
): Promise<Result<void>> {
  const { sources, admission, alerts } = options;
  if (source.isConfigured) {
    const hints = ['take it out of the configuration, restart the enforcer, and run this again'];
    return err(failure('config/source-in-use', `${nameOf(source)} is configured`, { hints }));
  }
  const enabled = checkEnabled(admission.store);
  if (!enabled.ok) return enabled;
  if (isPending(current)) {
    return err(failure('activate/other-pending', 'a bundle waits for its confirmation'));
  }
  const content = current?.content ?? [];
  const mine = sources.partOf(content, source);
  if (mine !== null) {
    const row = await rebuild(
      content.filter((it) => it !== mine),
      options,
    );
    if (!row.ok) return err(row.error);
  }
  // After the kernel: cut in between, the source is still known and this can be run again.
  const forgotten = source.store.write({ lastKnownGood: null, previous: null, hold: null });
  if (!forgotten.ok) return forgotten;
  const known = admission.store.read('sources') ?? [];
  const left = known.filter((it) => it.name !== source.name);
  const written = admission.store.write({ sources: left });
  if (!written.ok) return written;
  sources.reload();
  alerts.clear('config/source-gone');
  return ok(undefined);
}
