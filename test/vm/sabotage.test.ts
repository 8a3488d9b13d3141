// Case 125 and its neighbours: whatever root breaks of what enforcement stands on, no proof that was begun
// afterwards says that this host enforces, and what repairs it is shown. The enforcer runs as on any
// host, with a short period; the baseline is in force, whose canaries are what it proves with.
//
// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EnforcerStatus } from '../../src/core/enforcement.ts';
import type { Diagnosis } from '../../src/core/enforcer/doctor.ts';
import { judgeEnforcing } from '../../src/core/enforcer/proof.ts';
import { PROTOCOL_VERSION } from '../../src/wire/protocol.ts';
import { bootGuest, type Guest, type RunResult } from '../support/guest/guest.ts';
import { writeConfiguration } from '../support/lab/configuration.ts';
import { NAMES } from '../support/lab/lab.ts';
import { makeSigner } from '../support/signed-bundle.ts';

const PERIOD_MS = 2_000;
// Self-protection would refuse most of this to root (self.test.ts shows that); it is switched off, so that
// what stands behind it is seen.
// Events are hardly read between proofs, so that a flood finds its ring full.
const PERIOD = `proofPeriodMs: ${PERIOD_MS}\nselfProtection: off\ndrainMs: 10000\n`;
const TIMEOUT_MS = 1_500_000;
// A loaded machine may take long over the proof before; that no period is missed is shown with a clock of
// its own in test/enforcer/proof.test.ts.
const BEGIN_MS_MAX = PERIOD_MS + 20_000;
const STEPS = '/opt/warder/sabotage-steps.mjs';
const CONFIG = '/etc/warder/enforcer.yaml';

interface Refusal {
  readonly code: number;
  readonly text: string;
}

interface Trial {
  readonly name: string;
  readonly told: { readonly status: number; readonly text: string } | null | undefined;
  readonly before: EnforcerStatus | null;
  readonly after: readonly (EnforcerStatus & { readonly beganMs: number })[];
  readonly recovery: {
    readonly refused?: Refusal | null;
    readonly repaired?: Refusal;
    readonly again?: Refusal | null;
  } | null;
  readonly recovered: EnforcerStatus | null;
}

interface Played {
  readonly trials: readonly Trial[];
  readonly silence: {
    readonly answer: EnforcerStatus | null;
    readonly exit: number;
    readonly document: { readonly enforcing: string };
  };
  readonly afterSilence: EnforcerStatus | null;
  readonly gone: EnforcerStatus | null;
}

type Sabotage = readonly [title: string, name: string, state: 'no' | 'unknown', code: string];

/** What is done, and which state and reason follow. */
const SHORT: readonly Sabotage[] = [
  ['case 125: a pinned link is removed', 'link-unpinned', 'no', 'host/proof-link'],
  ['case 125: a link is replaced by one of the same name', 'link-forged', 'no', 'host/proof-link'],
  ['case 125: a link to another hook has the name', 'link-elsewhere', 'no', 'host/proof-link'],
  ['case 125: a program lies where its link was', 'link-program', 'no', 'host/proof-link'],
  ['case 125: a pinned map is removed', 'map-unpinned', 'no', 'host/proof-map'],
  ['case 125: the committed slot is emptied', 'committed-emptied', 'no', 'host/proof-committed'],
  ['case 125: another tag is remembered', 'loaded-changed', 'no', 'host/proof-program'],
  ['case 125: the canary is silent', 'canary-silent', 'unknown', 'host/proof-unanswered'],
  ['case 125: the folder of pins is replaced', 'pins-replaced', 'no', 'host/proof-link'],
  ['case 125: a mount masks the modules', 'lsm-masked', 'no', 'host/proof-lsm'],
  ['case 125: a mount hides the modules', 'lsm-hidden', 'unknown', 'host/proof-unanswered'],
];

const LONG: readonly Sabotage[] = [
  ['case 93: an empty map has the name of one', 'map-forged', 'no', 'host/proof-map'],
  ['case 125: the committed rows are swapped', 'rows-swapped', 'no', 'host/proof-content'],
  ['case 125: an older generation is put back', 'committed-older', 'no', 'host/proof-committed'],
  ['case 125: the store says other content', 'store-changed', 'no', 'host/proof-committed'],
  ['case 125: all pinned links are removed', 'links-unpinned', 'no', 'host/proof-link'],
  ['case 125: a forged link, repaired', 'link-forged-repaired', 'no', 'host/proof-link'],
  ['case 125: a lost map, repaired', 'map-unpinned-repaired', 'no', 'host/proof-map'],
  ['case 96: the BPF file system is unmounted', 'bpffs-unmounted', 'no', 'host/proof-map'],
];

// "make soak" and "make kernels" play all of them.
const WHOLE = process.env['WARDER_SOAK'] === '1' || process.env['WARDER_MATRIX'] !== undefined;
const SABOTAGES = WHOLE ? [...SHORT, ...LONG] : SHORT;
const WHY_NOT = `${LONG.length} sabotages take minutes: make soak and make kernels play them`;

/** What each proof of an untouched host says: as many as are looked at. */
const UNTOUCHED = WHOLE ? ['yes', 'yes'] : ['yes'];

/** After these a plain start refuses, and says how to go on. */
const REPAIRED = ['map-forged', 'link-forged-repaired', 'map-unpinned-repaired'];

let guest: Guest;
let played: Played;
let doctor: RunResult;

const trial = (name: string): Trial => {
  const found = played.trials.find((it) => it.name === name);
  if (found === undefined) throw new Error(`${name} was not played`);
  return found;
};
const states = (name: string) => trial(name).after.map(enforcing);
const enforcing = (of: EnforcerStatus | null) => (of === null ? 'unknown' : judgeEnforcing(of));

beforeAll(async () => {
  guest = await bootGuest();
  const files = writeConfiguration({
    ...NAMES,
    publicKeyPem: makeSigner().publicKeyPem,
    keeperPem: makeSigner().publicKeyPem,
    registryPort: 1,
    probes: [],
    stateDir: '/var/lib/warder',
  });
  await guest.sh('mkdir -p /etc/warder');
  await guest.put('/etc/warder/trust.yaml', files.trust);
  await guest.put(CONFIG, `${files.enforcer}${PERIOD}`);
  doctor = await guest.run(['warder', 'doctor', '--output', 'json']);
  const steps = fileURLToPath(new URL('./sabotage-steps.mjs', import.meta.url));
  await guest.put(STEPS, readFileSync(steps));
  const args = [
    'node',
    '--disable-warning=ExperimentalWarning',
    STEPS,
    '/opt/warder',
    CONFIG,
    `${PROTOCOL_VERSION}`,
    WHOLE ? 'long' : 'short',
  ];
  const { exitCode, stdout, stderr } = await guest.run(args, { timeoutMs: TIMEOUT_MS });
  if (exitCode !== 0) throw new Error(`the steps ended with ${exitCode}: ${stderr}${stdout}`);
  played = JSON.parse(stdout) as Played;
}, TIMEOUT_MS);

afterAll(async () => {
  await guest?.stop();
});

describe('a host that nobody touched', () => {
  it('is proven at each look', () => {
    expect(states('nothing')).toEqual(UNTOUCHED);
  });

  it.each([
    ['a link is detached by force, which the kernel refuses', 'detach'],
    ['canaries are hidden by a mount, which policy refuses', 'canary-hidden'],
  ])('stays proven when %s', (_, name) => {
    expect(trial(name).told?.status).not.toBe(0);
    expect(states(name)).toEqual(UNTOUCHED);
  });

  it('stays proven in a flood of denials that loses events: canaries have a ring of their own', () => {
    const { before, after } = trial('flood');
    expect(states('flood')).toEqual(UNTOUCHED);
    expect(after.at(-1)?.totals.dropped).toBeGreaterThan(before?.totals.dropped ?? Number.NaN);
  });
});

it('warder doctor finds every operation enforceable on this kernel, before anything is loaded', () => {
  expect(doctor).toMatchObject({ exitCode: 0, stderr: '' });
  const { diagnosis, enforcer } = JSON.parse(doctor.stdout) as {
    readonly diagnosis: Diagnosis;
    readonly enforcer: boolean;
  };
  expect(enforcer).toBe(false);
  expect(diagnosis).toMatchObject({ able: true, concerns: [] });
  expect(diagnosis.operations.filter((it) => !it.enforceable)).toEqual([]);
  // 6.1 has no inode_set_acl and its like; what it has, fits.
  const states = new Set(diagnosis.hooks.map((it) => it.state));
  expect(['fits', 'absent']).toEqual(expect.arrayContaining([...states]));
});

describe('sabotage', () => {
  it.each(SABOTAGES)('%s', (_title, name, state, code) => {
    const { before, after } = trial(name);
    expect(enforcing(before)).toBe('yes');
    expect(after.map(enforcing)).toEqual(UNTOUCHED.map(() => state));
    for (const { proof } of after) expect(proof?.reasons.map((it) => it.code)).toContain(code);
    for (const { proof } of after) expect(proof?.reasons.flatMap((it) => it.hints)).not.toEqual([]);
  });

  it.each(SABOTAGES)('is repaired: %s', (_title, name) => {
    expect(enforcing(trial(name).recovered)).toBe('yes');
  });

  it('is found by the first proof that begins after it, which is not more than a period away', () => {
    // The proof that was running may end first; the next one begins a jittered period later.
    for (const [, name] of SHORT) {
      const [first] = trial(name).after;
      expect(first?.proof?.periodMs).toBe(PERIOD_MS);
      expect(first?.beganMs).toBeLessThan(BEGIN_MS_MAX);
    }
  });
});

describe('an enforcer that does not answer', () => {
  it('case 125: is unknown while it is stopped, and proven again when it goes on', () => {
    const { silence, afterSilence } = played;
    expect(silence.answer).toBeNull();
    expect(silence).toMatchObject({ exit: 17, document: { enforcing: 'unknown' } });
    expect(enforcing(afterSilence)).toBe('yes');
  });

  it('is unknown when it is gone', () => {
    expect(played.gone).toBeNull();
  });
});

describe('what makes everything anew', () => {
  if (!WHOLE) {
    it('is not played', (context) => context.skip(WHY_NOT));
    return;
  }

  it.each(REPAIRED)('a plain start after %s is refused with what to do', (name) => {
    const { recovery } = trial(name);
    expect(recovery?.refused?.code).toBe(21);
    expect(recovery?.refused?.text).toContain('warder-enforcer --repair');
    expect(recovery?.repaired).toMatchObject({ code: 0 });
    expect(recovery?.again).toBeNull();
  });

  it('cannot have a mount over its pins, for which the BPF file system has no room', () => {
    // Mounted or refused, the answer is never wrong.
    const { told, after } = trial('pins-hidden');
    const state = told?.status === 0 ? 'no' : 'yes';
    expect(after.map(enforcing)).toEqual(UNTOUCHED.map(() => state));
  });
});
