// Runs the case suite on one kernel: a bundle is published, polled, verified and activated as on any host,
// then every attempt of the table is made, variant after variant. Events and totals come from the enforcer.
//
// SPDX-License-Identifier: Apache-2.0

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventTotals } from '../../../src/core/enforcement.ts';
import type { LabHost } from '../../support/lab/host.ts';
import { type Lab, startLab } from '../../support/lab/lab.ts';
import { makeDisks } from '../places.ts';
import type { Record as Played } from './judge.ts';
import { type Refused, refusalsOf, tryRefusal } from './refusals.ts';
import {
  attachScript,
  attemptScript,
  layoutScript,
  policiesOf,
  prepareScript,
  readPlayed,
  remountScript,
  sealedDirectories,
} from './scripts.ts';
import { type Extent, placesOf, type Selected, type Variant, variantsPlayed } from './selection.ts';

const EVENTS_MAX = 5000;
const PLAY_TIMEOUT_MS = 300_000;
/** After an unmount, trees as deep as can be are walked again; an emulated guest takes its time for that. */
const FOUND_AGAIN_TIMEOUT_MS = 900_000;
/** Only the first disk outlives a reboot; what Warder remembers is there. */
const STATE_DIR = '/disk/warder';

/** What one variant gave, and how the totals of the enforcer moved meanwhile. */
export interface VariantRun extends Played {
  readonly denied: number;
  readonly audited: number;
  /** Since the programs were loaded. */
  readonly dropped: number;
}

/** Everything that a run gave. */
export interface SuiteRun {
  readonly variants: ReadonlyMap<Variant, VariantRun>;
  /** Paths that the host is without after a reboot; null where none is played. */
  readonly leftOut: readonly string[] | null;
  /** By id of the refusal; empty when only some cases were played. */
  readonly refused: ReadonlyMap<string, Refused>;
}

/** Plays the cases on a kernel series. */
export async function runSuite(
  series: string,
  extent: Extent,
  selected: readonly Selected[],
): Promise<SuiteRun> {
  const folder = mkdtempSync(join(tmpdir(), 'warder-cases-'));
  let lab: Lab | null = null;
  try {
    const sealed = (place: string) => sealedDirectories(selected, place);
    const disks = makeDisks(folder, placesOf(selected), sealed);
    const install = `${prepareScript(selected)}\n${layoutScript(selected)}`;
    lab = await startLab({ series, disks, install, stateDir: STATE_DIR });
    return await playAll(lab, extent, selected);
  } finally {
    await lab?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function playAll(lab: Lab, extent: Extent, selected: readonly Selected[]): Promise<SuiteRun> {
  const run = new Map<Variant, VariantRun>();
  let { host } = lab;
  let leftOut: readonly string[] | null = null;
  await activate(lab, selected, 'as laid out');
  for (const variant of variantsPlayed(selected)) {
    if (variant === 'remount') {
      await host.install(remountScript(selected));
      // What has another device number now is found again by the next generation.
      await activate(lab, selected, 'mounted again', FOUND_AGAIN_TIMEOUT_MS);
    }
    if (variant === 'reboot') {
      host = await reboot(lab, selected);
      leftOut = (await host.status()).enforcer?.leftOut ?? null;
    }
    run.set(variant, await playOne(host, selected, variant));
  }
  const refused = new Map<string, Refused>();
  for (const one of refusalsOf(extent, selected))
    refused.set(one.id, await tryRefusal(lab, host, one));
  return { variants: run, leftOut, refused };
}

async function activate(
  lab: Lab,
  selected: readonly Selected[],
  when: string,
  timeoutMs?: number,
): Promise<void> {
  const bundle = await lab.origin.push(
    {
      ...policiesOf('enforce', selected, when),
      ...policiesOf('audit', selected, when),
    },
    `Protect every case twice, ${when}`,
  );
  await lab.host.waitUntil(
    `the cases are enforced, ${when}`,
    ({ lastOutcome }) => lastOutcome?.kind === 'activated' && lastOutcome.digest === bundle.digest,
    timeoutMs,
  );
}

async function reboot(lab: Lab, selected: readonly Selected[]): Promise<LabHost> {
  await lab.host.guest.sh('sync');
  const host = await lab.reboot();
  await host.install(`${prepareScript(selected)}\n${attachScript(selected)}`);
  await host.start();
  return host;
}

async function playOne(
  host: LabHost,
  selected: readonly Selected[],
  variant: Variant,
): Promise<VariantRun> {
  const before = await totalsOf(host);
  const script = `/run/attempts-${variant}.sh`;
  await host.guest.put(script, attemptScript(selected, variant));
  const ran = await host.guest.run(['sh', script], { timeoutMs: PLAY_TIMEOUT_MS });
  const after = await totalsOf(host);
  return {
    played: readPlayed(ran.stdout),
    events: await host.events(EVENTS_MAX),
    denied: after.denied - before.denied,
    audited: after.audited - before.audited,
    dropped: after.dropped,
  };
}

async function totalsOf(host: LabHost): Promise<EventTotals> {
  const { enforcer } = await host.status();
  if (enforcer === undefined) throw new Error('the enforcer does not answer');
  return enforcer.totals;
}
