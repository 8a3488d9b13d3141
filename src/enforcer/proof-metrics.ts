// The proof as text for node_exporter's textfile collector. Written after each proof by the process that
// made it, so that a stopped enforcer shows as a time that does not move on. Labels are bounded by the
// code; every series exists from the start, at 0.
//
// SPDX-License-Identifier: Apache-2.0

import type { ProofReport } from '../core/enforcement.ts';
import { HOST_ERRORS } from '../core/errors/host.ts';

const STATES: readonly ProofReport['state'][] = ['proven', 'disproven', 'unknown'];
const CODES = Object.keys(HOST_ERRORS).filter((it) => it.startsWith('host/proof-'));

/** All series; the report is null before the first proof. */
export function proofMetrics(report: ProofReport | null, periodMs: number): string {
  const reasons = new Set<string>(report?.reasons.map((it) => it.code));
  const atSeconds = report === null ? 0 : Date.parse(report.at) / 1000;
  const lines = [
    ...head('proof_state', 'The last attach proof: 1 for the state that it found.'),
    ...STATES.map((it) => `warder_proof_state{state="${it}"} ${report?.state === it ? 1 : 0}`),
    ...head('proof_reason', 'Why the last attach proof does not hold: 1 for each reason.'),
    ...CODES.map((it) => `warder_proof_reason{code="${it}"} ${reasons.has(it) ? 1 : 0}`),
    ...head(
      'proof_time_seconds',
      'When the last attach proof was made; its age is the time since.',
    ),
    `warder_proof_time_seconds ${atSeconds}`,
    ...head('proof_period_seconds', 'How often it is made.'),
    `warder_proof_period_seconds ${periodMs / 1000}`,
    ...head('proof_generation', 'The generation that it is about; 0 when there is none.'),
    `warder_proof_generation ${report?.generation ?? 0}`,
  ];
  return `${lines.join('\n')}\n`;
}

function head(name: string, help: string): readonly string[] {
  return [`# HELP warder_${name} ${help}`, `# TYPE warder_${name} gauge`];
}
