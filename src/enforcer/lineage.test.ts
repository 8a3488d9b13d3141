// SPDX-License-Identifier: Apache-2.0

import { expect, it } from 'vitest';
import type { Identity } from '../core/image/resolution.ts';
import { ok } from '../core/result.ts';
import { Lineage, toText } from './lineage.ts';
import type { KnownPrograms } from './store/store.ts';

const id = (ino: number): Identity => ({ dev: 1, ino: BigInt(ino), sub: 0n, gen: 7 });

/** A store of one fact. */
function storeOf() {
  let programs: KnownPrograms | null = null;
  return {
    read: () => programs as never,
    write: (facts: { readonly programs?: KnownPrograms | null }) => {
      programs = facts.programs ?? null;
      return ok(undefined);
    },
  };
}

function lineageOf(running: readonly Identity[], bootId = 'boot', store = storeOf()) {
  const alive = new Set(running.map(toText));
  return { store, lineage: new Lineage({ store, bootId, running: () => alive }) };
}

it('keeps what a program was while it runs, and forgets what nobody runs', () => {
  const { lineage } = lineageOf([id(1), id(3)]);
  expect(lineage.earlier('/usr/bin/x', id(1))).toEqual([]);
  expect(lineage.earlier('/usr/bin/x', id(2))).toEqual([id(1)]);
  expect(lineage.earlier('/usr/bin/x', id(3))).toEqual([id(1)]);
  expect(lineage.earlier('/usr/bin/x', id(4))).toEqual([id(1), id(3)]);
});

it('lends no program what another one was', () => {
  const { lineage } = lineageOf([id(1)]);
  lineage.earlier('/usr/bin/x', id(1));
  expect(lineage.earlier('/usr/bin/y', id(2))).toEqual([]);
});

it('keeps the files of a program whose file is missing', () => {
  const { lineage } = lineageOf([id(1)]);
  lineage.earlier('/usr/bin/x', id(1));
  expect(lineage.earlier('/usr/bin/x', null)).toEqual([id(1)]);
  expect(lineage.earlier('/usr/bin/x', id(2))).toEqual([id(1)]);
});

it('carries nothing over a boot, where the numbers are other files', () => {
  const { lineage, store } = lineageOf([id(1)]);
  lineage.earlier('/usr/bin/x', id(1));
  expect(lineageOf([id(1)], 'next', store).lineage.earlier('/usr/bin/x', id(2))).toEqual([]);
});
