// What the demo reads out of a status, as words for a line.
//
// SPDX-License-Identifier: Apache-2.0

import { digestHex } from '../../src/core/digest.ts';
import type { AgentStatus, Outcome } from '../../src/core/status.ts';
import type { Publication } from '../../test/support/lab/origin.ts';

/** True when this bundle, and no other, is in force and confirmed. */
export function isEnforced(status: AgentStatus, digest: string): boolean {
  const enforced = status.enforced;
  return enforced?.kind === 'bundle' && enforced.confirmed && enforced.bundle.digest === digest;
}

/** Number of the generation in force; 0 for none. */
export function generationOf(status: AgentStatus | null): number {
  const enforced = status?.enforced;
  return enforced == null || enforced.kind === 'nothing' ? 0 : enforced.generation;
}

/** Where what is in force comes from. */
export function describe(publication: Publication, status: AgentStatus): readonly string[] {
  const { enforced } = status;
  const signers = enforced?.kind === 'bundle' ? enforced.bundle.signers.map((it) => it.id) : [];
  return [
    `commit ${publication.commit.slice(0, 7)}`,
    `sha256:${digestHex(publication.digest).slice(0, 12)}`,
    `signed by ${signers.join(', ')}`,
  ];
}

/** Why a bundle was refused: the code, and the sentence. */
export function reason(outcome: Outcome): readonly string[] {
  const [first] = outcome.failures;
  return first === undefined ? [] : [first.code, first.message];
}
