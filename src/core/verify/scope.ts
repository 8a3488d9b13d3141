// Where a bundle may be used: which scope of the trust policy speaks for this host's repository, and
// whether the bundle says that it belongs here. The repository is the host's own configuration, never
// the bundle's, so that a bundle cannot choose the rules it is judged by.
//
// SPDX-License-Identifier: Apache-2.0

import type { BundleDescriptor } from '../bundle.ts';
import { failure } from '../result.ts';
import { type CheckAnswer, passed, refused, say } from './check.ts';
import type { ScopePolicy, TrustPolicy } from './trust.ts';
import type { VerifyContext } from './verdict.ts';

// VERIFY-1: the longest prefix of whole path segments wins, and a narrower scope that does not list the
// channel is not widened by a shorter one that does.
/** The scope that speaks for a repository and channel; null means deny. */
export function selectScope(
  trust: TrustPolicy,
  place: Pick<VerifyContext, 'repository' | 'channel'>,
): ScopePolicy | null {
  const covering = trust.policies.filter((it) => covers(it.scope, place.repository));
  const longest = Math.max(...covering.map((it) => segmentsOf(it.scope).length));
  return (
    covering.find(
      (it) => segmentsOf(it.scope).length === longest && it.channels.includes(place.channel),
    ) ?? null
  );
}

function covers(scope: string, repository: string): boolean {
  const want = segmentsOf(scope);
  const have = segmentsOf(repository);
  return want.length <= have.length && want.every((segment, at) => segment === have[at]);
}

function segmentsOf(text: string): string[] {
  return text.split('/');
}

// VERIFY-2: repository, channel, tenant and host labels must all agree.
/** Checks that the bundle belongs to this repository, channel, tenant and host. */
export function checkPlace(
  descriptor: BundleDescriptor,
  scope: ScopePolicy | null,
  context: VerifyContext,
): CheckAnswer {
  const wrong: string[] = [];
  const compare = (what: string, found: string, wanted: string) => {
    if (found !== wanted) wrong.push(`${what} is ${say(found)}, not ${say(wanted)}`);
  };
  compare('repository', descriptor.repository, context.repository);
  compare('channel', descriptor.channel, context.channel);
  if (scope !== null && scope.tenant !== null) compare('tenant', descriptor.tenant, scope.tenant);
  for (const [label, wanted] of Object.entries(descriptor.selectors)) {
    const have = Object.hasOwn(context.labels, label) ? context.labels[label] : undefined;
    if (have !== wanted) {
      wrong.push(`host label ${say(label)} is ${say(have ?? 'not set')}, not ${say(wanted)}`);
    }
  }
  const [first, ...rest] = wrong.map((it) => failure('verify/scope-mismatch', `the ${it}`));
  if (first !== undefined) return refused(first, ...rest);
  const { repository, channel, tenant, selectors } = descriptor;
  const labels = Object.keys(selectors).length;
  const place = `${say(repository)}, channel ${say(channel)}, tenant ${say(tenant)}`;
  return passed(`${place}, ${labels} host labels`);
}
