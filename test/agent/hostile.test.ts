// The table of hostile inputs over the whole path: a registry that lies as a test says, real oras, the real
// agent and its store, the verifying worker, an enforcer that verifies again, and a kernel that counts. One
// host per trust policy takes them all, one after the other: each must leave it as it was.
//
// SPDX-License-Identifier: Apache-2.0

import { afterAll, beforeAll, describe, it } from 'vitest';
import { Target } from '../support/hostile.ts';
import { type Shelf, startShelf } from '../support/shelf.ts';
import { good, trustByKeys } from './hostile/keys.ts';
import { MANIFESTS } from './hostile/manifests.ts';
import { REFERRERS } from './hostile/referrers.ts';
import { SIGNATURES } from './hostile/signatures.ts';
import { STATEMENTS } from './hostile/statements.ts';

let shelf: Shelf;
beforeAll(async () => {
  shelf = await startShelf();
});
afterAll(() => shelf.stop());

describe('by keys', () => {
  let target: Target;
  beforeAll(async () => {
    target = new Target(shelf, trustByKeys());
    await target.begin(good);
  });
  afterAll(() => target.remove());

  it.each([...MANIFESTS, ...REFERRERS, ...SIGNATURES, ...STATEMENTS])('$id $what', (input) =>
    target.play(input),
  );
});
