// What the bundle asks of this host's Warder, and what it may not say.
//
// SPDX-License-Identifier: Apache-2.0

import type { BundleDescriptor } from '../bundle.ts';
import { BASELINE_PREFIX } from '../policy/baseline.ts';
import type { PolicyIr } from '../policy/ir.ts';
import { type CheckAnswer, passed, refuse, say } from './check.ts';

const RELEASE = /^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})$/;

// VERIFY-10: a version that is not three plain numbers is not comparable, so it refuses.
/** Checks that this Warder is new enough for the bundle. */
export function checkAgentVersion(descriptor: BundleDescriptor, agentVersion: string): CheckAnswer {
  const wanted = RELEASE.exec(descriptor.minAgentVersion);
  const have = RELEASE.exec(agentVersion);
  const detail = `needs ${say(descriptor.minAgentVersion)}, this is ${say(agentVersion)}`;
  if (wanted !== null && have !== null) {
    const step = [1, 2, 3].find((at) => wanted[at] !== have[at]);
    if (step === undefined || Number(have[step]) > Number(wanted[step])) return passed(detail);
  }
  return refuse('verify/incompatible', `the bundle ${detail}`);
}

// VERIFY-11: rules of the baseline come with the package; a bundle that defines one would replace it.
/** Checks that no rule belongs to a policy whose name is reserved. */
export function checkBaseline(ir: PolicyIr): CheckAnswer {
  const taken = ir.rules.filter((it) => it.id.startsWith(BASELINE_PREFIX));
  if (taken.length === 0) return passed(`${ir.rules.length} rules, none of the baseline`);
  return refuse(
    'verify/baseline-violation',
    'the bundle defines rules of a reserved policy',
    taken.map((it) => say(it.id)),
  );
}
