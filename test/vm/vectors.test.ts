// The golden vectors on the live hooks: each is laid out in a folder of its own, all policies are published
// and activated as on any host, and the request is made by a process as the vector describes it. The three
// other runners (TypeScript, C under the sanitizers, the kernel's interpreter of the same text) decide about
// what they are told; here the kernel itself has to find out object, name, subject and operation.
//
// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { DecisionEvent } from '../../src/core/enforcement.ts';
import { createDisk } from '../support/guest/disk.ts';
import { DEFAULT_SERIES } from '../support/guest/guest.ts';
import { type Lab, startLab } from '../support/lab/lab.ts';
import { readVectors, type Vector } from '../support/policy/vectors.ts';
import { type Digests, policyFilesOf, readPolicy } from './golden/policies.ts';
import {
  type Attempted,
  attemptScript,
  layoutScript,
  prepareScript,
  readAttempts,
  samplePath,
  sampleScript,
} from './golden/scripts.ts';
import { type World, worldsOf } from './golden/worlds.ts';

const DISK_MB = 512;
const EVENTS_MAX = 5000;
const PLAY_TIMEOUT_MS = 300_000;
const RUN_TIMEOUT_MS = 900_000;

/** Vectors whose request no process can make. */
const IMPOSSIBLE: ReadonlyMap<string, string> = new Map([
  ['use-read-alone', 'its rule is refused before it is published'],
  ['use-write-alone', 'its rule is refused before it is published'],
]);

const vectors = readVectors();
const played = vectors.filter(({ id }) => !IMPOSSIBLE.has(id));
const worlds = worldsOf(played);
const digests = [...new Set(played.flatMap(({ request }) => request.exeDigest ?? []))];

/** Worlds that this kernel can play. */
let able: readonly World[];
let attempts: ReadonlyMap<string, Attempted>;
let events: readonly DecisionEvent[];

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'warder-vectors-'));
  let lab: Lab | null = null;
  try {
    const disk = createDisk(join(folder, 'worlds.img'), DISK_MB);
    execFileSync('/sbin/tune2fs', ['-O', 'verity', disk], { stdio: 'pipe' });
    const install = [prepareScript(), sampleScript(digests), layoutScript(worlds, digests)];
    lab = await startLab({
      series: DEFAULT_SERIES,
      disks: { worlds: disk },
      install: install.join('\n'),
    });
    const measured = await measure(lab);
    able = worlds.filter((world) => measured.size > 0 || !namesDigest(world));
    await activate(lab, measured);
    await lab.host.guest.put('/run/vectors.sh', attemptScript(able));
    const ran = await lab.host.guest.run(['sh', '/run/vectors.sh'], { timeoutMs: PLAY_TIMEOUT_MS });
    attempts = readAttempts(ran.stdout);
    events = await lab.host.events(EVENTS_MAX);
  } finally {
    await lab?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}, RUN_TIMEOUT_MS);

// Empty where the kernel seals no file.
async function measure(lab: Lab): Promise<Digests> {
  const measured = new Map<string, string>();
  for (const [at, digest] of digests.entries()) {
    const { stdout } = await lab.host.guest.run(['op', 'measure', samplePath(at)]);
    const [line = ''] = stdout.split('\n', 1);
    if (line.startsWith('sha256:')) measured.set(digest, line);
  }
  return measured;
}

function namesDigest({ policy }: World): boolean {
  return policy.some((name) =>
    readPolicy(name).rules.some((rule) => rule.except.some((it) => it.digest !== undefined)),
  );
}

async function activate(lab: Lab, measured: Digests): Promise<void> {
  const files = able.flatMap((world: World) => Object.entries(policyFilesOf(world, measured)));
  const bundle = await lab.origin.push(Object.fromEntries(files), 'Every golden vector');
  const { lastOutcome } = await lab.host.waitUntil(
    'the policies of the vectors were judged',
    // What could not be completed is tried again.
    ({ lastOutcome: it }) => it?.digest === bundle.digest && it.kind !== 'failed',
    PLAY_TIMEOUT_MS,
  );
  expect(lastOutcome?.kind).toMatch(/^(activated|unchanged)$/);
}

describe('live hooks', () => {
  it.for(vectors.map((vector) => ({ id: vector.id, vector })))(
    'give the golden verdict for $id',
    ({ vector }, { skip }) => {
      const reason = IMPOSSIBLE.get(vector.id);
      if (reason !== undefined) skip(reason);
      if (!able.some((it) => it.vectors.includes(vector))) skip('this kernel has no fs-verity');
      expect(seenOf(vector)).toEqual(wantedOf(vector));
    },
  );
});

interface Seen {
  readonly outcome: string;
  /** Action, rule and reason of each event, without repeats: one request may be several acts. */
  readonly told: readonly string[];
}

function wantedOf({ expect: wanted }: Vector): Seen {
  const { verdict, rule, reason, errno } = wanted;
  return {
    outcome: errno ?? 'OK',
    told: verdict === 'allow' ? [] : [`${verdict} ${rule} ${reason}`],
  };
}

function seenOf({ id }: Vector): Seen {
  const { pid, outcome } = attempts.get(id) ?? { pid: -1, outcome: 'never played' };
  const own = events.filter(({ process }) => process.tgid === pid || process.ppid === pid);
  // A policy is named after its world and its own name.
  const told = own.map(
    ({ action, rule, reason }) => `${action} ${rule?.replace(/^w\d+-/, '')} ${reason}`,
  );
  return { outcome, told: [...new Set(told)] };
}
