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
import type { Committed, ProgramProof } from './kernel.ts';
import type { GenerationRow } from './startup.ts';

/** What one round of questions brought. What is undefined had no answer, and `unanswered` says why. */
export interface ProofFacts {
  /** Active security modules; empty when unreadable. */
  readonly lsm: readonly string[];
  /** The recorded generation that is committed; null when what is committed is not recorded. */
  readonly row: GenerationRow | null;
  readonly committed: Committed | null | undefined;
  /** Of the committed bank as the kernel has it; null when it is empty. */
  readonly heldDigest: Digest | null | undefined;
  readonly programs: readonly ProgramProof[];
  readonly canary: CanaryReport | undefined;
  readonly unanswered: readonly Failure[];
}

const REPAIR =
  'find out who did it, then restart warder-enforcer: it attaches again what is missing';
const REPLACE =
  'find out who did it, then `warder disable` and `warder resume`: everything is made again';

/** Judges one round. */
export function judgeProof(facts: ProofFacts, at: string): ProofReport {
  const wrong = [
    ...judgeModules(facts.lsm),
    ...facts.programs.flatMap(judgeProgram),
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
  const { program, hook, attached, pinned, attachedTo, tag, expectedTag } = proof;
  const found: Failure[] = [];
  if (!attached || !pinned) {
    found.push(
      failure('host/proof-link', `the pinned link of ${program} is gone`, { hints: [REPAIR] }),
    );
  } else if (attachedTo !== `bpf_lsm_${hook}`) {
    const where = attachedTo || 'an unknown function';
    found.push(
      failure('host/proof-link', `the link pinned as ${program} leads to ${where}`, {
        hints: [REPLACE],
      }),
    );
  } else if (tag === '' || expectedTag === '') {
    found.push(
      failure('host/proof-unanswered', `the kernel does not tell the tag of ${program}`, {
        hints: ['the next period asks again'],
      }),
    );
  } else if (tag !== expectedTag) {
    found.push(
      failure(
        'host/proof-program',
        `the program pinned as ${program} has tag ${tag}, the object gives ${expectedTag}`,
        { hints: [REPLACE] },
      ),
    );
  }
  if (proof.recursionMisses > 0) {
    found.push(
      failure('host/proof-skipped', `${proof.recursionMisses} calls of ${program} were skipped`, {
        hints: [
          'kernels before 6.2 skip calls when they may be preempted: boot without preempt=full',
        ],
      }),
    );
  }
  return found;
}

// PROOF-D
function judgeGeneration({ row, committed, heldDigest }: ProofFacts): readonly Failure[] {
  if (committed === undefined) return [];
  const hints = ['restart warder-enforcer: it returns to the best generation that it knows'];
  if (committed === null) {
    return [failure('host/proof-committed', 'no generation is committed', { hints })];
  }
  const { generation, headerMapId } = committed;
  if (row === null) {
    return [
      failure('host/proof-committed', `generation ${generation} is committed, and not recorded`, {
        hints,
      }),
    ];
  }
  if (row.headerMapId !== null && row.headerMapId !== headerMapId) {
    const causes = [`map ${headerMapId} in place of ${row.headerMapId}`];
    return [
      failure('host/proof-content', 'the committed header is another map', { causes, hints }),
    ];
  }
  if (heldDigest === undefined || heldDigest === row.imageDigest) return [];
  const causes = [heldDigest ?? 'the bank is empty', `recorded: ${row.imageDigest}`];
  return [
    failure('host/proof-content', `generation ${generation} holds other content`, {
      causes,
      hints,
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
