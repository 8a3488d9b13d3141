// VERIFY-19: what a bundle requires of its host (`requires` of the descriptor) is there. Offered facts are
// data: the enforcer passes those of the kernel it has open, the agent what the enforcer told.
//
// Deliberately absent: whether every rule can be enforced. That is asked of the rules themselves when they are
// compiled (core/enforcer/hooks.ts), whatever the descriptor says.
//
// SPDX-License-Identifier: Apache-2.0

import type { BundleDescriptor } from '../bundle.ts';
import type { HookState } from '../enforcement.ts';
import { isKernelAtLeast } from '../kernel-version.ts';
import { failure } from '../result.ts';
import { type CheckAnswer, passed, refused, say } from './check.ts';
import type { HostOffer, VerifyContext } from './verdict.ts';

// Paths are resolved through it. It is attached while one is, and nothing is loaded where it cannot be: the kernel
// tells of no program of it.
const WHILE_ASKED = 'inode_getattr';

type Asked = Pick<VerifyContext, 'purpose'> & { readonly host: HostOffer };

/** What a host offers, from the release of its kernel and what became of the programs on it. */
export function toOffer(
  kernel: string,
  programs: readonly Pick<HookState, 'hook' | 'state'>[],
): HostOffer {
  // What was detached is offered still: it is missing from what is enforced, not from the host.
  const there = programs.filter(({ state }) => state !== 'rejected' && state !== 'absent');
  const hooks = there.map(({ hook }) => hook);
  if (hooks.length > 0) hooks.push(WHILE_ASKED);
  return { kernel, hooks: [...new Set(hooks)].sort() };
}

/** Hooks that a bundle requires and a host does not offer. */
export function lackingHooks(requires: BundleDescriptor['requires'], host: HostOffer) {
  return requires.hooks.filter((it) => !host.hooks.includes(it));
}

/** Compares what the bundle requires with what the host offers. */
export function checkHost({ requires }: BundleDescriptor, { host, purpose }: Asked): CheckAnswer {
  const kernel = `needs kernel ${say(requires.kernel)}, this is ${say(host.kernel)}`;
  // What was admitted stays, on an older kernel too: taking it away would protect less.
  if (purpose === 'replay') return passed(`${kernel}; not asked of what was admitted before`);
  const lacking = lackingHooks(requires, host).map(say);
  const isOld = !isKernelAtLeast(host.kernel, requires.kernel);
  if (!isOld && lacking.length === 0) {
    return passed(`${kernel}; ${requires.hooks.length} hooks, all of them here`);
  }
  return refused(
    failure('verify/incompatible', 'the bundle needs what this host does not have', {
      causes: [
        ...(isOld ? [`it ${kernel}`] : []),
        ...(lacking.length === 0 ? [] : [`hooks that are not here: ${lacking.join(', ')}`]),
      ],
      hints: [
        ...(isOld ? ['boot the kernel that it needs, or publish a bundle for this one'] : []),
        ...(lacking.length === 0 ? [] : ['`warder doctor` tells which hooks this host has']),
      ],
    }),
  );
}
