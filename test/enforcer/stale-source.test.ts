// Heads of several sources: the one that stops is told for its source, and the others go on.
//
// SPDX-License-Identifier: Apache-2.0

import { afterEach, beforeEach, expect, it } from 'vitest';
import type { BundleBytes } from '../../src/core/bundle.ts';
import type { TrustPolicy } from '../../src/core/verify/trust.ts';
import type { Enforcer } from '../../src/enforcer/enforcer.ts';
import { enforce, expectOk, makeBundle, ruleFor, TestHost } from '../support/enforcer.ts';
import { HOUR_MS, headOf, signHead, trustWithHeads } from '../support/heads.ts';
import { makeSigner } from '../support/signed-bundle.ts';

const TEAM = { name: 'team', repository: 'registry.example.com/team/policies', channel: 'prod' };
const [orgSigner, teamSigner] = [makeSigner(), makeSigner()];
const [orgClock, teamClock] = [makeSigner(), makeSigner()];
let host: TestHost;

/** Heads are demanded of both, each by a key of its own. */
function trust(): TrustPolicy {
  const org = trustWithHeads(orgSigner, orgClock);
  const [policy] = trustWithHeads(teamSigner, teamClock).policies;
  if (policy?.freshness == null) throw new Error('heads are demanded');
  const named = <T extends { readonly id: string }>(keys: readonly T[]) =>
    keys.map((it) => ({ ...it, id: `team-${it.id}` }));
  const team = {
    ...policy,
    name: 'team',
    scope: TEAM.repository,
    release: { ...policy.release, anyOf: named(policy.release.anyOf) },
    freshness: { ...policy.freshness, anyOf: named(policy.freshness.anyOf) },
  };
  return { ...org, policies: [...org.policies, team] };
}

const org = (version: number) =>
  makeBundle(orgSigner, version, [ruleFor('org/one', '/etc/hostname')]);
const team = (version: number) =>
  makeBundle(teamSigner, version, [ruleFor('team/one', '/etc/passwd')], {
    repository: TEAM.repository,
  });

/** A head that was made now. */
async function head(enforcer: Enforcer, bundle: BundleBytes, version: number, isTeam = false) {
  const place = isTeam ? { repository: TEAM.repository } : {};
  const made = headOf(bundle, version, host.clock.now, place);
  const signed = await signHead(made, isTeam ? teamClock : orgClock);
  return enforcer.head(signed, isTeam ? 'team' : undefined);
}

const states = async (enforcer: Enforcer) => {
  const [main, named] = [await enforcer.status(), await enforcer.status('team')].map(expectOk);
  return [main, named].map((it) => [
    it?.head?.state,
    it?.enforced.kind === 'bundle' ? it.enforced.bundle.version : null,
  ]);
};

beforeEach(() => {
  host = new TestHost(trust());
});
afterEach(() => host.remove());

it.each(['team', 'the main source'])('%s whose head is stale is told so alone', async (which) => {
  const isTeam = which === 'team';
  const enforcer = await host.start({ sources: [TEAM] });
  const [org1, team1] = [await org(1), await team(1)];
  expectOk(await head(enforcer, org1, 1));
  await enforce(enforcer, org1);
  expectOk(await head(enforcer, team1, 1, true));
  await enforce(enforcer, team1);
  expect(await states(enforcer)).toEqual([
    ['fresh', 1],
    ['fresh', 1],
  ]);

  host.clock.advance(25 * HOUR_MS);
  // The other one goes on: a new head, a new bundle.
  const [next, late] = isTeam ? [await org(2), await team(2)] : [await team(2), await org(2)];
  expectOk(await head(enforcer, next, 2, !isTeam));
  await enforce(enforcer, next);
  const stale = ['stale', 1];
  const fresh = ['fresh', 2];
  expect(await states(enforcer)).toEqual(isTeam ? [fresh, stale] : [stale, fresh]);

  // What the stale one offers without a head of its own is refused, before the kernel is touched.
  const before = [host.kernel.enforces, host.kernel.calls.filter((it) => it === 'fill').length];
  const answer = await enforcer.activate(late);
  expect(answer.ok ? null : answer.error.code).toMatch(/^verify\/(stale-head|head-mismatch)$/);
  // A head of the other source says nothing for it.
  const foreign = await signHead(
    headOf(late, 2, host.clock.now, isTeam ? { repository: TEAM.repository } : {}),
    isTeam ? orgClock : teamClock,
  );
  expect(await enforcer.head(foreign, isTeam ? 'team' : undefined)).toMatchObject({ ok: false });
  expect([host.kernel.enforces, host.kernel.calls.filter((it) => it === 'fill').length]).toEqual(
    before,
  );

  // Heads again, and it goes on as well; a restart forgets nothing of it.
  const again = await host.start({ sources: [TEAM] });
  expect(await states(again)).toEqual(isTeam ? [fresh, stale] : [stale, fresh]);
  expectOk(await head(again, late, 2, isTeam));
  await enforce(again, late);
  expect(await states(again)).toEqual([fresh, fresh]);
});
