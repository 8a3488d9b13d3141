// Objects that a host must refuse before it changes anything: each is published after the cases were
// played, and what was enforced stays.
//
// SPDX-License-Identifier: Apache-2.0

import type { ErrorCode } from '../../../src/core/errors.ts';
import type { LabHost } from '../../support/lab/host.ts';
import type { Lab } from '../../support/lab/lab.ts';
import { CASES } from '../cases/all.ts';
import { type Extent, fill, isPlayed, type Selected } from './selection.ts';

/** A rule on one path, and the code that refuses it. */
export interface Refusal {
  readonly id: string;
  readonly title: string;
  /** The case whose control directory `$D` is. */
  readonly of: string;
  readonly path: string;
  readonly code: ErrorCode;
}

/** The table. */
const REFUSALS: readonly Refusal[] = [
  {
    id: '17d',
    title: 'a name beyond ASCII in a directory whose names compare folded is refused',
    of: '17b',
    path: '$D/tree/größe',
    code: 'stage/folded-names',
  },
  {
    id: '121c',
    title: 'vfat: a path below the root directory is refused',
    of: '121b',
    path: '$D/mnt/dir/any',
    code: 'stage/unstable-identity',
  },
];

/** Those whose case is played in this run. */
export function refusalsOf(extent: Extent, selected: readonly Selected[]): readonly Refusal[] {
  if (extent !== 'full') return [];
  return REFUSALS.filter(({ of }) => selected.some((one) => one.it.id === of && isPlayed(one)));
}

/** What a host answered: the code of the refusal, and whether another bundle is still enforced. */
export interface Refused {
  readonly code: string | undefined;
  readonly stillEnforced: boolean;
}

/** Publishes a rule that must be refused, and waits for the answer. */
export async function tryRefusal(
  lab: Lab,
  host: LabHost,
  { id, of, path }: Refusal,
): Promise<Refused> {
  const owner = CASES.find((it) => it.id === of);
  if (owner === undefined) throw new Error(`there is no case ${of}`);
  const text = policyOf(id, fill(path, owner, 'control', 'plain'));
  const bundle = await lab.origin.push({ 'policies/refused.yaml': text }, `Ask for ${id}`);
  const { lastRefusal, enforced } = await host.waitUntil(
    `the bundle of ${id} is refused`,
    (status) => status.lastRefusal?.digest === bundle.digest,
  );
  return {
    code: lastRefusal?.failures[0]?.code,
    stillEnforced: enforced?.kind === 'bundle' && enforced.bundle.digest !== bundle.digest,
  };
}

function policyOf(id: string, path: string): string {
  return `apiVersion: warder.dev/v1alpha1
kind: FilePolicy
metadata:
  name: refused-${id}
spec:
  mode: enforce
  rules:
    - id: one
      reason: ${id}
      protect:
        - path: ${path}
      deny: [read]
`;
}
