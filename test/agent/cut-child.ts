// The process that is cut: opens the store, admits two bundles, and says on standard output what it
// was answered, so that the test knows what must have survived.
//
// SPDX-License-Identifier: Apache-2.0

import { fstatSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { openStore } from '../../src/adapters/disk/store.ts';
import { admittedBundle } from '../support/store.ts';

// The shim writes here when a fault fires.
const MARKS = 3;
const AT = '2026-01-01T00:00:00.000Z';

function say(what: string, version: number, result: { readonly ok: boolean }): boolean {
  if (result.ok) writeSync(1, `${what} ${version}\n`);
  else writeSync(1, `refused ${JSON.stringify(result)}\n`);
  return result.ok;
}

async function main(folder: string): Promise<void> {
  const opened = openStore({ folder, keepPrevious: 0, onLostState: 'refuse' });
  if (!say('opened', 0, opened) || !opened.ok) return;
  const store = opened.value;
  if (!say('loaded', 0, await store.load())) return;
  for (const number of [1, 2]) {
    const { bundle, admission, summary, version } = admittedBundle(number);
    const floor = { highestSeen: version, digest: bundle.digest };
    // As the machine does it: what was refused ends the poll.
    if (!say('raised', number, await store.raiseFloor(floor))) continue;
    if (!say('staged', number, await store.stage(bundle, admission, []))) continue;
    if (!say('committed', number, await store.commit(summary, AT))) continue;
    say('pruned', number, await store.prune());
  }
  store.close();
  say('closed', 0, { ok: true });
}

// One run that the shim ends, or every run that only fails: those go on in one process, each in a
// folder of its own, until a run is through without a fault.
const [, , root = '', mode = '', first = ''] = process.argv;
for (let at = Number(first); ; at += 1) {
  const folder = join(root, `${mode}-${at}`);
  const before = fstatSync(MARKS).size;
  process.env['WARDER_CUT_FOLDER'] = folder;
  process.env['WARDER_CUT_AT'] = `${at}`;
  writeSync(1, `run ${at}\n`);
  await main(folder);
  if (mode === 'die' || fstatSync(MARKS).size === before) break;
}
