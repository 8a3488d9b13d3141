// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import type { Digest } from '../digest.ts';
import { failure } from '../result.ts';
import type { ProgramProof } from './kernel.ts';
import { judgeProof, type ProofFacts, unanswered } from './proof.ts';
import type { GenerationRow } from './startup.ts';

const AT = '2026-01-01T00:00:00Z';
const DIGEST = `sha256:${'ab'.repeat(32)}` as Digest;
const OTHER = `sha256:${'cd'.repeat(32)}` as Digest;
const row: GenerationRow = {
  generation: 5,
  content: [],
  changed: null,
  bank: 1,
  imageDigest: DIGEST,
  mapIds: [40, 41, 42, 43, 44],
  bootId: 'boot',
  canaryDir: '/run/canary',
  rules: [],
  demoted: [],
  leftOut: [],
  programs: ['file_open'],
  committedAt: AT,
  confirmed: true,
};
const committed = { bank: 1, generation: 5, imageDigest: DIGEST, mapIds: [40, 41, 42, 43, 44] };
const program: ProgramProof = {
  program: 'file_open',
  hook: 'file_open',
  attached: true,
  pinned: true,
  idle: false,
  own: true,
  lsm: true,
  maps: true,
  attachedTo: 'bpf_lsm_file_open',
  tag: 'aa',
  expectedTag: 'aa',
  recursionMisses: 0,
};
const canary = { healthy: true, generation: 5, at: AT, results: [] };
const good: ProofFacts = {
  lsm: ['lockdown', 'bpf'],
  row,
  committed,
  recorded: 5,
  heldDigest: DIGEST,
  programs: [program],
  maps: [{ map: 'objects', pinned: true }],
  canary,
  unanswered: [],
};
const result = (outcome: 'allowed' | 'no-answer') =>
  ({ hook: 'file_open', operation: 'read', outcome, detail: '' }) as const;
const silence = unanswered('the canaries', failure('confirm/health-no-data', 'no child'));

describe('judgeProof', () => {
  it('asks for no link of a program that nothing in force demands', () => {
    const idle = { ...program, program: 'file_permission', idle: true, attached: false };
    const facts = { ...good, row: { ...row, programs: ['file_open', 'file_permission'] } };
    expect(judgeProof({ ...facts, programs: [program, idle] }, AT).state).toBe('proven');
    expect(judgeProof(facts, AT).reasons.map((it) => it.code)).toEqual(['host/proof-link']);
  });

  it('is proven when every part answered and none disagreed', () => {
    const { state, generation, reasons } = judgeProof(good, AT);
    expect({ state, generation, reasons }).toEqual({ state: 'proven', generation: 5, reasons: [] });
    expect(judgeProof({ ...good, row: { ...row, mapIds: null } }, AT).state).toBe('proven');
  });

  const programs = (change: Partial<ProgramProof>) => ({ programs: [{ ...program, ...change }] });
  const table: readonly (readonly [string, Partial<ProofFacts>, string, string])[] = [
    ['lsm= lacks bpf', { lsm: ['lockdown'] }, 'disproven', 'host/proof-lsm'],
    ['the modules cannot be read', { lsm: [] }, 'unknown', 'host/proof-unanswered'],
    ['a pin is gone', programs({ pinned: false }), 'disproven', 'host/proof-link'],
    ['a link is gone', programs({ attached: false }), 'disproven', 'host/proof-link'],
    [
      'a link leads to another hook',
      programs({ attachedTo: 'bpf_lsm_file_ioctl' }),
      'disproven',
      'host/proof-link',
    ],
    ['a link leads nowhere', programs({ attachedTo: '' }), 'disproven', 'host/proof-link'],
    ['a link is another', programs({ own: false }), 'disproven', 'host/proof-link'],
    ['a link is no LSM link', programs({ lsm: false }), 'disproven', 'host/proof-link'],
    ['a program is not attached any more', { programs: [] }, 'disproven', 'host/proof-link'],
    ['a program uses other maps', programs({ maps: false }), 'disproven', 'host/proof-program'],
    [
      'the pin of a map leads elsewhere',
      { maps: [{ map: 'objects', pinned: false }] },
      'disproven',
      'host/proof-map',
    ],
    ['a program is another', programs({ tag: 'bb' }), 'disproven', 'host/proof-program'],
    ['a tag is not told', programs({ tag: '' }), 'unknown', 'host/proof-unanswered'],
    ['a tag is not known', programs({ expectedTag: '' }), 'unknown', 'host/proof-unanswered'],
    ['calls were skipped', programs({ recursionMisses: 1 }), 'disproven', 'host/proof-skipped'],
    ['another generation was put in force', { recorded: 6 }, 'disproven', 'host/proof-committed'],
    ['nothing is committed', { committed: null }, 'disproven', 'host/proof-committed'],
    ['what is committed is not recorded', { row: null }, 'disproven', 'host/proof-committed'],
    [
      'a table is another map',
      { committed: { ...committed, mapIds: [40, 41, 42, 43, 45] } },
      'disproven',
      'host/proof-content',
    ],
    ['the maps hold something else', { heldDigest: OTHER }, 'disproven', 'host/proof-content'],
    ['the bank is empty', { heldDigest: null }, 'disproven', 'host/proof-content'],
    [
      'a canary was allowed',
      { canary: { ...canary, healthy: false, results: [result('allowed')] } },
      'disproven',
      'host/proof-canary',
    ],
    [
      'no canary was there to be tried',
      { canary: { ...canary, healthy: false } },
      'disproven',
      'host/proof-canary',
    ],
    [
      'no canary answered',
      { canary: { ...canary, healthy: false, results: [result('no-answer')] } },
      'unknown',
      'host/proof-unanswered',
    ],
    [
      'nothing but the committed generation is silent',
      { committed: undefined, row: null, heldDigest: null, unanswered: [silence] },
      'unknown',
      'host/proof-unanswered',
    ],
    [
      'the maps cannot be read',
      { heldDigest: undefined, unanswered: [silence] },
      'unknown',
      'host/proof-unanswered',
    ],
    ['a part gave no answer', { unanswered: [silence] }, 'unknown', 'host/proof-unanswered'],
  ];
  for (const [name, change, state, code] of table) {
    it(`is ${state} when ${name}`, () => {
      const report = judgeProof({ ...good, ...change }, AT);
      expect(report.state).toBe(state);
      expect(report.reasons.map((it) => it.code)).toEqual([code]);
    });

    it(`says what to do when ${name}`, () => {
      const { reasons } = judgeProof({ ...good, ...change }, AT);
      expect(reasons.flatMap((it) => it.hints)).not.toEqual([]);
    });
  }

  it('is disproven, not unknown, when one part disagrees and another is silent', () => {
    const facts = { ...good, lsm: ['lockdown'], unanswered: [silence] };
    expect(judgeProof(facts, AT)).toMatchObject({ state: 'disproven', reasons: { length: 2 } });
  });
});
