// The policies of the vectors, moved into a world. A JSON document is YAML too, so nothing has to be
// written by hand; the rules are what the vectors' files say, but for one more exemption: the program that
// replaces files once the policy is active.
//
// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from 'node:fs';
import type { Exemption, FilePolicy, Rule } from '../../../src/core/policy/document.ts';
import { parsePolicyFile } from '../../../src/wire/policy/parse.ts';
import type { Placed, World } from './worlds.ts';

const FOLDER = new URL('../../../policies/vectors/policies/', import.meta.url);

/** Exempt from every rule: lays out what must change after activation. */
export const LAYER = '/usr/local/bin/layer-op';

/** Digests of the vectors, and those of the programs that stand for them in the guest. */
export type Digests = ReadonlyMap<string, string>;

/** Reads a policy of the vectors. */
export function readPolicy(name: string): FilePolicy {
  const parsed = parsePolicyFile(`${name}.yaml`, readFileSync(new URL(`${name}.yaml`, FOLDER)));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value;
}

/** Objects of a world's policies, in the vectors' own paths. */
export function objectsOf({ policy }: World): readonly Placed[] {
  return policy.flatMap((name) => readPolicy(name).rules.flatMap(({ protect }) => protect));
}

/** The policies of a world, by file. */
export function policyFilesOf(world: World, digests: Digests): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...new Set(world.policy)].map((name) => {
      const policy = readPolicy(name);
      return [`policies/${world.name}-${name}.yaml`, textOf(policy, world, digests)];
    }),
  );
}

function textOf(policy: FilePolicy, { name, root }: World, digests: Digests): string {
  const { units = [], cgroups = [] } = policy.scope ?? {};
  const scope = {
    ...(units.length === 0 ? {} : { units }),
    ...(cgroups.length === 0 ? {} : { cgroups }),
  };
  const rules = policy.rules.filter(isPublishable).map(({ id, reason, protect, deny, except }) => ({
    id,
    reason,
    protect: protect.map(({ kind, path }) => ({ [kind]: `${root}${path}` })),
    deny,
    except: [...except.map((it) => moved(it, root, digests)), { exe: LAYER }],
  }));
  return JSON.stringify({
    apiVersion: 'warder.dev/v1alpha1',
    kind: 'FilePolicy',
    metadata: { name: `${name}-${policy.name}` },
    spec: { mode: policy.mode, ...(policy.scope === null ? {} : { scope }), rules },
  });
}

/** `use` by itself does nothing, and is refused before anything is published. */
function isPublishable({ deny }: Rule): boolean {
  return !deny.includes('use') || deny.includes('read') || deny.includes('write');
}

function moved(it: Exemption, root: string, digests: Digests): Exemption {
  return {
    ...it,
    ...(it.exe === undefined ? {} : { exe: `${root}${it.exe}` }),
    ...(it.parentExe === undefined ? {} : { parentExe: `${root}${it.parentExe}` }),
    ...(it.digest === undefined ? {} : { digest: digests.get(it.digest) ?? it.digest }),
  };
}
