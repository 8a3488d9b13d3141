// The attach proof: five questions whose answers come from the kernel each time. Whether a process lives
// is none of them. A part that gave no answer is a reason as well: it leaves the state unknown.
//
//   PROOF-A  bpf is an active security module
//   PROOF-B  every program that the generation was built for has its pinned link, at its hook
//   PROOF-C  the program behind it is the one that the object gives on this kernel, and no call was skipped
//   PROOF-D  the committed generation is the recorded one, and its maps hold what was filled
//   PROOF-E  canaries of this generation were denied, seen and counted
//
// SPDX-License-Identifier: Apache-2.0

import type { Digest } from '../digest.ts';
import type { CanaryReport, EnforcerStatus, ProofReport } from '../enforcement.ts';
import { type Failure, failure } from '../result.ts';
import type { Committed, MapProof, ProgramProof } from './kernel.ts';
import type { GenerationRow } from './startup.ts';

/** What one round of questions brought. What is undefined had no answer, and `unanswered` says why. */
export interface ProofFacts {
  /** Active security modules; empty when unreadable. */
  readonly lsm: readonly string[];
  /** The recorded generation that is committed; null when what is committed is not recorded. */
  readonly row: GenerationRow | null;
  readonly committed: Committed | null | undefined;
  /** The generation that was put in force last; null when nobody recorded one. */
  readonly recorded: number | null;
  /** Of the committed bank as the kernel has it; null when it is empty. */
  readonly heldDigest: Digest | null | undefined;
  readonly programs: readonly ProgramProof[] | undefined;
  readonly maps: readonly MapProof[];
  readonly canary: CanaryReport | undefined;
  readonly unanswered: readonly Failure[];
}

const RESTART =
  'find out who did it, then systemctl restart warder-enforcer: it attaches again what is missing';
const REPAIR =
  'find out who did it, then systemctl stop warder-enforcer, warder-enforcer --repair, and start it: ' +
  'everything is made anew beside what is there';
const RETURN =
  'find out who did it, then systemctl restart warder-enforcer: it puts the best generation that it ' +
  'knows in force, in maps of its own';

/** Judges one round. */
export function judgeProof(facts: ProofFacts, at: string): ProofReport {
  const wrong = [
    ...judgeModules(facts.lsm),
    ...(facts.programs ?? []).filter((it) => !it.idle).flatMap(judgeProgram),
    ...judgeMissing(facts),
    ...judgeMaps(facts.maps),
    ...judgeGeneration(facts),
    ...judgeCanary(facts.canary),
  ];
  const reasons = [...wrong, ...facts.unanswered];
  const open = reasons.length > 0 && reasons.every((it) => it.code === 'host/proof-unanswered');
  return {
    state: reasons.length === 0 ? 'proven' : open ? 'unknown' : 'disproven',
    generation: facts.row?.generation ?? null,
    at,
    reasons,
  };
}

/** A part of the proof that gave no answer. */
export function unanswered(part: string, why: Failure): Failure {
  return failure('host/proof-unanswered', `${part} gave no answer: ${why.message}`, {
    causes: [why.code, ...why.causes],
    hints: ['the journal of warder-enforcer says more; it asks again in the next period'],
  });
}

// PROOF-A
function judgeModules(lsm: readonly string[]): readonly Failure[] {
  if (lsm.includes('bpf')) return [];
  if (lsm.length === 0) {
    return [
      failure('host/proof-unanswered', '/sys/kernel/security/lsm cannot be read', {
        hints: ['mount -t securityfs securityfs /sys/kernel/security'],
      }),
    ];
  }
  return [
    failure('host/proof-lsm', `the active security modules are: ${lsm.join(',')}`, {
      hints: [
        `put lsm=${lsm.filter((it) => it !== 'capability').join(',')},bpf on the command line`,
      ],
    }),
  ];
}

// PROOF-B and PROOF-C
function judgeProgram(proof: ProgramProof): readonly Failure[] {
  const found = judgeLink(proof) ?? judgeBehind(proof);
  return [...(found === null ? [] : [found]), ...judgeSkipped(proof)];
}

function judgeLink({ program, hook, attached, pinned, own, lsm, attachedTo }: ProgramProof) {
  const wrong = (what: string, hint: string) =>
    failure('host/proof-link', `the link pinned as ${program} ${what}`, { hints: [hint] });
  if (!attached || !pinned) return wrong('is gone', RESTART);
  if (!own) return wrong('is another one than was attached', REPAIR);
  if (!lsm) return wrong('is not one of a security module', REPAIR);
  if (attachedTo === `bpf_lsm_${hook}`) return null;
  return wrong(`leads to ${attachedTo || 'an unknown function'}`, REPAIR);
}

function judgeBehind({ program, tag, expectedTag, maps }: ProgramProof): Failure | null {
  // Nothing to compare with is no proof, and no disproof either.
  if (tag === '' || expectedTag === '') {
    return failure('host/proof-unanswered', `the tag of ${program} cannot be read`, {
      hints: [
        'the next period asks again; a kernel that refuses the program says so in the journal',
      ],
    });
  }
  const hints = [REPAIR];
  if (tag !== expectedTag) {
    const what = `the program pinned as ${program} has tag ${tag}, the object gives ${expectedTag}`;
    return failure('host/proof-program', what, { hints });
  }
  if (maps) return null;
  return failure('host/proof-program', `the program pinned as ${program} uses other maps`, {
    hints,
  });
}

function judgeSkipped({ program, recursionMisses }: ProgramProof): readonly Failure[] {
  if (recursionMisses === 0) return [];
  const what = `the kernel skipped ${recursionMisses} calls of ${program}`;
  const hint =
    'kernels before 6.2 skip calls that meet on one processor: boot them without preempt=full';
  return [failure('host/proof-skipped', what, { hints: [hint, REPAIR] })];
}

function judgeMissing({ row, programs }: ProofFacts): readonly Failure[] {
  if (programs === undefined) return [];
  const there = new Set(programs.map((it) => it.program));
  const missing = (row?.programs ?? []).filter((it) => !there.has(it));
  if (missing.length === 0) return [];
  const what = `not attached any more: ${missing.join(', ')}`;
  return [failure('host/proof-link', what, { hints: [RESTART] })];
}

function judgeMaps(maps: readonly MapProof[]): readonly Failure[] {
  const lost = maps.filter((it) => !it.pinned).map((it) => it.map);
  if (lost.length === 0) return [];
  const what = `pins that do not lead to the maps in force: ${lost.join(', ')}`;
  return [failure('host/proof-map', what, { hints: [REPAIR] })];
}

// PROOF-D
function judgeGeneration(facts: ProofFacts): readonly Failure[] {
  const { row, committed, recorded, heldDigest } = facts;
  if (committed === undefined) return [];
  if (committed === null) {
    return [failure('host/proof-committed', 'no generation is committed', { hints: [RETURN] })];
  }
  const { generation, mapIds } = committed;
  if (row === null) {
    return [
      failure('host/proof-committed', `generation ${generation} is committed, and not recorded`, {
        hints: [RETURN],
      }),
    ];
  }
  if (recorded !== null && recorded !== generation) {
    const what = `generation ${generation} is committed, ${recorded} was put in force`;
    return [failure('host/proof-committed', what, { hints: [RETURN] })];
  }
  if (row.mapIds !== null && row.mapIds.join() !== mapIds.join()) {
    const causes = [`maps ${mapIds.join(', ')} in place of ${row.mapIds.join(', ')}`];
    const what = `generation ${generation} has other maps than were committed`;
    return [failure('host/proof-content', what, { causes, hints: [RETURN] })];
  }
  if (heldDigest === undefined || heldDigest === row.imageDigest) return [];
  const causes = [heldDigest ?? 'the bank is empty', `recorded: ${row.imageDigest}`];
  return [
    failure('host/proof-content', `generation ${generation} holds other content`, {
      causes,
      hints: [RETURN],
    }),
  ];
}

// PROOF-E
function judgeCanary(canary: CanaryReport | undefined): readonly Failure[] {
  if (canary === undefined || canary.healthy) return [];
  const bad = canary.results.filter((it) => it.outcome !== 'denied');
  const causes = bad.map((it) => `${it.hook}/${it.operation}: ${it.outcome}, ${it.detail}`);
  const silent = bad.length > 0 && bad.every((it) => it.outcome === 'no-answer');
  return [
    failure(
      silent ? 'host/proof-unanswered' : 'host/proof-canary',
      `${bad.length} of ${canary.results.length} canaries were not denied as policy says`,
      { causes, hints: ['restart warder-enforcer: it makes canaries anew, with a new generation'] },
    ),
  ];
}

/** Whether a host enforces, as far as anybody can say. */
export type Enforcing = 'yes' | 'no' | 'unproven' | 'unknown';

// One period may pass, and a proof on a loaded host takes its time.
const PERIODS_MAX = 2;

/** The answer of `warder status`: only a proof of this very generation, not too old, is a yes. */
export function judgeEnforcing({ enforced, proof }: EnforcerStatus): Enforcing {
  if (proof?.state === 'disproven') return 'no';
  if (enforced.kind === 'nothing') return 'no';
  if (proof === null || proof.generation !== enforced.generation) return 'unproven';
  if (proof.ageMs > PERIODS_MAX * proof.periodMs) return 'unknown';
  return proof.state === 'proven' ? 'yes' : 'unknown';
}
