// The table of hostile inputs over the whole path: a registry that lies as a row says, real oras, the real
// agent and its store, the verifying worker, an enforcer that verifies again, and a kernel that counts. One
// host per trust policy takes them all, one after the other: each must leave it as it was.
//
// SPDX-License-Identifier: Apache-2.0

import { afterAll, beforeAll, describe, it } from 'vitest';
import { Target } from '../support/hostile.ts';
import { SOURCE } from '../support/keyless.ts';
import { startSigstore } from '../support/private-sigstore.ts';
import { type Shelf, startShelf } from '../support/shelf.ts';
import { sealed } from '../support/trust.ts';
import {
  type Authorities,
  goodByIdentity,
  identities,
  trustByIdentities,
} from './hostile/identities.ts';
import { good, trustByKeys } from './hostile/keys.ts';
import { MANIFESTS } from './hostile/manifests.ts';
import { REFERRERS } from './hostile/referrers.ts';
import { goodWithRequired, REQUIRED, trustWithRequired } from './hostile/required.ts';
import { SIGNATURES } from './hostile/signatures.ts';
import { STATEMENTS } from './hostile/statements.ts';
import { TRANSPORT } from './hostile/transport.ts';
import { goodBySvr, goodByVsa, trustByVerifier, VERIFICATIONS } from './hostile/verification.ts';

let shelf: Shelf;
const [trusted, stranger] = await Promise.all([startSigstore(), startSigstore()]);
const on: Authorities = { trusted, stranger };
beforeAll(async () => {
  shelf = await startShelf();
});
afterAll(() => Promise.all([shelf.stop(), trusted.stop(), stranger.stop()]));

describe('by keys', () => {
  let target: Target;
  beforeAll(async () => {
    target = new Target(shelf, trustByKeys());
    await target.begin(good);
  });
  afterAll(() => target.remove());

  const rows = [...TRANSPORT, ...MANIFESTS, ...REFERRERS, ...SIGNATURES, ...STATEMENTS];
  it.each(rows)('$id $what', (input) => target.play(input));
});

describe('by a verifier besides', () => {
  let target: Target;
  beforeAll(async () => {
    target = new Target(shelf, trustByVerifier());
    await target.begin(goodByVsa);
  });
  afterAll(() => target.remove());

  it.each(VERIFICATIONS)('$id $what', (input) => target.play(input));
  it('P12 a summary and a result that are right, among others that are not', async () => {
    await target.admit(goodByVsa, 6);
    await target.admit(goodBySvr, 7);
  });
});

describe('by one who must sign', () => {
  let target: Target;
  beforeAll(async () => {
    target = new Target(shelf, trustWithRequired());
    await target.begin(goodWithRequired);
  });
  afterAll(() => target.remove());

  it.each(REQUIRED)('$id $what', (input) => target.play(input));
});

describe('by identities', () => {
  let target: Target;
  beforeAll(async () => {
    target = new Target(shelf, sealed(trustByIdentities(on)));
    // Timestamps are of today: a clock behind them is suspect.
    target.world.host.clock.now = Date.now();
    await target.begin((draft) => goodByIdentity(on, draft), { source: SOURCE });
  });
  afterAll(() => target.remove());

  it.each(identities(on))('$id $what', (input) => target.play(input));
});
