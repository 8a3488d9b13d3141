// A repository that is kept in two places, over the whole path: two registries on loopback that are down, late,
// stale or lying, real oras, the real agent, an enforcer that verifies again.
//
// SPDX-License-Identifier: Apache-2.0

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/adapters/clock/system-clock.ts';
import { openPlaces } from '../../src/compose-places.ts';
import type { BundleBytes } from '../../src/core/bundle.ts';
import type { Outcome } from '../../src/core/status.ts';
import type { TrustPolicy } from '../../src/core/verify/trust.ts';
import { encodeCarrier } from '../../src/wire/carrier.ts';
import { parseAgentConfig } from '../../src/wire/config.ts';
import { expectOk, makeBundle, ruleFor } from '../support/enforcer.ts';
import { HOUR_MS, headOf, signHead, trustWithHeads } from '../support/heads.ts';
import { type Lie, send } from '../support/lying-registry.ts';
import { type Offer, offerOf, type Shelf, startShelf } from '../support/shelf.ts';
import { makeSigner, trustIn } from '../support/signed-bundle.ts';
import { ORAS_PATH } from '../support/tools.ts';
import { sealed } from '../support/trust.ts';
import { NOW_MS } from '../support/verify.ts';
import { World } from '../support/world.ts';

const ci = makeSigner();
const clockwork = makeSigner();
const TRUST = sealed(trustIn(ci));
const RULES = [ruleFor('a/one', '/etc/hostname')];
const make = (version: number, by = ci) => makeBundle(by, version, RULES);
const [v5, v6, forged] = [await make(5), await make(6), await make(7, makeSigner())];
const whole = (bundle: BundleBytes): Offer => offerOf(bundle, bundle.attestations);
const codes = (outcomes: readonly Outcome[]) =>
  outcomes.map((it) => it.failures[0]?.code ?? it.kind);

let first: Shelf;
let second: Shelf;
let world: World;

beforeEach(async () => {
  [first, second] = await Promise.all([startShelf(), startShelf()]);
});
afterEach(async () => {
  world.remove();
  await Promise.all([first.stop(), second.stop()]);
});

/** A host that enforces version 5, with a mirror. */
async function begin(trust: TrustPolicy = TRUST, offer: Offer = whole(v5)): Promise<void> {
  world = new World(first.host, trust, { timeoutMs: 20_000 });
  world.mirror(second.host);
  first.show(offer);
  second.show(offer);
  expect(codes(await world.poll())).toEqual(['activated']);
}

const states = () => world.places?.reports.map((it) => it.code ?? it.state);

describe('a place that gives no answer', () => {
  it('is followed by the next one, within the same poll', async () => {
    await begin();
    await first.stop();
    second.show(whole(v6));
    expect(codes(await world.poll())).toEqual(['activated']);
    expect(await world.enforced()).toBe('v6');
    expect(states()).toEqual(['fetch/registry-unavailable', 'answered']);
  });

  it('takes its share of the time and no more', async () => {
    await begin();
    world.budgetMs = 10_000;
    world.mirror(second.host);
    first.show({ ...whole(v6), lie: () => true });
    second.show(whole(v6));
    expect(codes(await world.poll())).toEqual(['activated']);
    expect(states()).toEqual(['fetch/timeout', 'answered']);
  });

  it('is one error that names every place when no other one does either', async () => {
    await begin();
    await Promise.all([first.stop(), second.stop()]);
    const [outcome] = await world.poll();
    expect(outcome?.failures.map((it) => it.code)).toEqual(['fetch/registry-unavailable']);
    const told = outcome?.failures[0]?.causes.join('\n');
    for (const { host } of [first, second]) expect(told).toContain(host);
    expect(await world.enforced()).toBe('v5');
  });
});

// Each row is what the first place offers; the second one has version 6.
const LIES: readonly (readonly [string, () => Offer, string])[] = [
  ['another digest, signed by a stranger', () => whole(forged), 'verify/key-unknown'],
  ['a digest that nobody has', () => ({ ...whole(forged), lie: onlyHead }), 'resolve/not-found'],
  [
    'the right digest with its attestations hidden',
    () => offerOf(v6, []),
    'verify/no-attestations',
  ],
  [
    'the right digest with attestations of another bundle',
    () => offerOf(v6, v5.attestations),
    'verify/subject-mismatch',
  ],
];

// It names a bundle and does not serve it.
function onlyHead({ method }: IncomingMessage, response: Parameters<typeof send>[1]): boolean {
  if (method === 'HEAD') return false;
  send({ method } as IncomingMessage, response, 404, 'application/json', Buffer.from('{}'));
  return true;
}

describe('a place that lies', () => {
  it.each(LIES)(
    'with %s is refused, changes nothing, and does not block the other',
    async (_, lie, code) => {
      await begin();
      const before = world.changes;
      first.show(lie());
      second.show(whole(v6));
      expect(codes(await world.poll())).toEqual([code]);
      expect([await world.enforced(), world.changes]).toEqual(['v5', before]);
      expect(states()?.[0]).toBe(code);
      expect(codes(await world.poll())).toEqual(['activated']);
      expect(await world.enforced()).toBe('v6');
    },
  );

  it('about bytes is left for one that has those that were named', async () => {
    await begin();
    const junk = Buffer.from('{"schemaVersion":2}');
    const lie: Offer['lie'] = (request, response) => {
      if (request.method === 'HEAD' || !/sha256:/.test(request.url ?? '')) return false;
      send(request, response, 200, 'application/vnd.oci.image.manifest.v1+json', junk);
      return true;
    };
    first.show({ ...whole(v6), lie });
    second.show(whole(v6));
    expect(codes(await world.poll())).toEqual(['activated']);
    expect(await world.enforced()).toBe('v6');
  });

  it('in front of another one that lies alike leaves the digest in quarantine, after one download of each', async () => {
    await begin();
    first.show(whole(forged));
    second.show(whole(forged));
    const ends = await world.poll(4);
    expect(ends.map((it) => it.kind)).toEqual(['refused', 'refused', 'quarantined', 'quarantined']);
    expect(world.fetched.filter((it) => it === forged.digest)).toHaveLength(2);
  });
});

describe('a place that is behind', () => {
  it('rolls nothing back, and the other one is asked next', async () => {
    await begin();
    first.show(whole(v6));
    second.show(whole(v6));
    expect(codes(await world.poll())).toEqual(['activated']);
    first.show(whole(v5));
    const before = world.changes;
    expect(codes(await world.poll(2))).toEqual(['verify/rollback', 'unchanged']);
    expect([await world.enforced(), world.changes]).toEqual(['v6', before]);
  });

  it('with an older head is refused, and the head of the other one counts', async () => {
    const headed = async (bundle: BundleBytes, version: number, atMs: number): Promise<Offer> => {
      const statements = await signHead(headOf(bundle, version, atMs), clockwork);
      return {
        ...whole(bundle),
        tags: { 'prod.head': encodeCarrier('head', statements).manifest },
      };
    };
    const old = await headed(v5, 5, NOW_MS - 2 * HOUR_MS);
    await begin(sealed(trustWithHeads(ci, clockwork)), old);
    const fresh = await headed(v6, 6, NOW_MS - HOUR_MS);
    second.show(fresh);
    first.show(fresh);
    expect(codes(await world.poll())).toEqual(['activated']);
    first.show(old);
    expect(codes(await world.poll(2))).toEqual(['verify/rollback', 'unchanged']);
    expect(await world.enforced()).toBe('v6');
    expect(states()).toEqual(['verify/rollback', 'answered']);
  });
});

describe('credentials of one place', () => {
  const auth = Buffer.from('robot:s3cret').toString('base64');
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'warder-credentials-'));
    const auths = { [first.host]: { auth } };
    await writeFile(join(folder, 'config.json'), JSON.stringify({ auths }));
    return () => rm(folder, { recursive: true });
  });
  /** Demands a proof, accepts none, and notes what it was shown. */
  const demand =
    (challenge: string, seen: string[]): Lie =>
    (request, response) => {
      if (request.headers.authorization !== undefined) seen.push(request.headers.authorization);
      response.setHeader('www-authenticate', challenge);
      send(request, response, 401, 'application/json', Buffer.from('{"errors":[]}'));
      return true;
    };

  it('are not shown to another one, whatever it asks for', async () => {
    const [atFirst, atSecond]: [string[], string[]] = [[], []];
    const challenge = `Basic realm="${first.host}"`;
    world = new World(first.host, TRUST, { timeoutMs: 20_000, credentialsDir: folder });
    world.mirror(second.host);
    first.show({ ...whole(v5), lie: demand(challenge, atFirst) });
    second.show({ ...whole(v5), lie: demand(challenge, atSecond) });
    expect(codes(await world.poll())).toEqual(['fetch/registry-auth']);
    expect(atFirst).toContain(`Basic ${auth}`);
    expect(atSecond).toEqual([]);
  });

  it('are not shown to a token service of another one', async () => {
    world = new World(first.host, TRUST);
    const seen: string[] = [];
    const bearer = `Bearer realm="http://${second.host}/token",service="x"`;
    first.show({ ...whole(v5), lie: demand(bearer, []) });
    second.show({ ...whole(v5), lie: demand('Basic realm="x"', seen) });
    const config = expectOk(
      parseAgentConfig(
        Buffer.from(
          JSON.stringify({
            apiVersion: 'warder.dev/agent/v1',
            reference: `${first.host}/p:prod`,
            channel: 'prod',
            mirrors: [{ repository: `${second.host}/p`, tokenRealms: [second.host] }],
            registry: {
              oras: ORAS_PATH,
              insecure: [first.host, second.host],
              credentialsDir: folder,
            },
          }),
        ),
        'agent.yaml',
      ),
    );
    const registry = await openPlaces(config, systemClock());
    const refused = await registry.resolve(config.reference);
    const causes = refused.ok ? '' : refused.error.causes.join('\n');
    expect(causes).toContain('fetch/auth-realm-rejected');
    expect(causes).toContain('fetch/registry-auth');
    expect(seen).toEqual([]);
  });
});
