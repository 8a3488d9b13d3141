// SPDX-License-Identifier: Apache-2.0

import { expect, test } from 'vitest';
import { parseReference, type Repository } from '../core/reference.ts';
import { err, failure, ok, type Result } from '../core/result.ts';
import { initialStatus, type Outcome } from '../core/status.ts';
import type { RegistryPort } from '../ports.ts';
import { Places } from './places.ts';

type Trust = Awaited<ReturnType<RegistryPort['trust']>>;

const parsed = parseReference('a.example.com/p:prod');
if (!parsed.ok) throw new Error('a reference');
const REFERENCE = parsed.value;
const clock = { nowMs: () => 0, sleep: () => new Promise<void>(() => {}) };
const unused = () => Promise.reject(new Error('not asked for'));
const at = (host: string): Repository => ({ kind: 'registry', host, path: 'p' });

function placesOf(...answers: ((asked: string[]) => Partial<RegistryPort>)[]) {
  const asked: string[] = [];
  const places = answers.map((it, index) => ({
    name: `place-${index}`,
    repository: at(`h${index}.example.com`),
    registry: { resolve: unused, fetch: unused, head: unused, trust: unused, ...it(asked) },
  }));
  return { asked, places: new Places({ places, clock, budgetMs: 1000 }) };
}

const trusting =
  (name: string, answer: Trust) =>
  (asked: string[]): Partial<RegistryPort> => ({
    trust: async () => {
      asked.push(name);
      return answer;
    },
  });
const DOWN: Result<never> = err(failure('fetch/registry-unavailable', 'down'));
const STATEMENTS = ok([new Uint8Array([1])]);

test('a version of the trust policy that one place does not have is asked of the others', async () => {
  const none = placesOf(trusting('a', ok(null)), trusting('b', STATEMENTS));
  expect(await none.places.trust(REFERENCE.repository, 'prod', 2)).toMatchObject(STATEMENTS);
  expect(none.asked).toEqual(['a', 'b']);
  const nowhere = placesOf(trusting('a', ok(null)), trusting('b', DOWN));
  expect(await nowhere.places.trust(REFERENCE.repository, 'prod', 2)).toEqual(ok(null));
  const down = placesOf(trusting('a', DOWN), trusting('b', DOWN));
  expect(await down.places.trust(REFERENCE.repository, 'prod', 2)).toMatchObject({
    error: { code: 'fetch/registry-unavailable' },
  });
});

test('each question for a version begins with another place: one that lies blocks no other', async () => {
  const junk = ok([new Uint8Array([0])]);
  const { asked, places } = placesOf(trusting('liar', junk), trusting('honest', STATEMENTS));
  for (let turn = 0; turn < 4; turn += 1) await places.trust(REFERENCE.repository, 'prod', 2);
  expect(asked).toEqual(['liar', 'honest', 'liar', 'honest']);
});

test('a place is asked for its own repository, under the tag of the reference', async () => {
  const references: unknown[] = [];
  const none = (): Partial<RegistryPort> => ({
    resolve: async (reference) => {
      references.push(reference);
      return err(failure('resolve/not-found', 'no'));
    },
  });
  const { places } = placesOf(none, none);
  expect(await places.resolve(REFERENCE)).toMatchObject({ error: { code: 'resolve/not-found' } });
  expect(references).toEqual(
    [0, 1].map((it) => ({ ...REFERENCE, repository: at(`h${it}.example.com`) })),
  );
});

test('"there is none" is said only when every place says so', async () => {
  const head = (answer: Result<never>) => () => ({ head: async () => answer });
  const missing = err(failure('verify/head-missing', 'no'));
  const some = placesOf(head(missing), head(DOWN)).places;
  expect(await some.head(REFERENCE.repository, 'prod')).toMatchObject({
    error: { code: 'fetch/registry-unavailable' },
  });
  const all = placesOf(head(missing), head(missing)).places;
  expect(await all.head(REFERENCE.repository, 'prod')).toMatchObject({
    error: { code: 'verify/head-missing' },
  });
});

test('bad bytes of one place do not condemn a digest that another one could not be asked for', async () => {
  const bad = err(failure('fetch/manifest-invalid', 'bad'));
  const fetch = (answer: Result<never>) => () => ({ fetch: async () => answer });
  const candidate = { reference: REFERENCE, digest: `sha256:${'0'.repeat(64)}` as never };
  expect(await placesOf(fetch(bad), fetch(DOWN)).places.fetch(candidate)).toMatchObject({
    error: { code: 'fetch/registry-unavailable' },
  });
  expect(await placesOf(fetch(bad), fetch(bad)).places.fetch(candidate)).toMatchObject({
    error: { code: 'fetch/manifest-invalid' },
  });
});

test('reporters tell of the places, and only what a place offered is held against it', async () => {
  const digest = `sha256:${'0'.repeat(64)}` as never;
  const naming = (): Partial<RegistryPort> => ({
    resolve: async (reference) => ok({ reference, digest }),
  });
  const { places } = placesOf(naming, naming);
  const told: unknown[] = [];
  const reporters = places.around([
    { report: async (status) => ok(void told.push(status.places?.map((it) => it.state))) },
  ]);
  const end = (code: 'verify/rollback' | 'host/enforcer-unavailable'): Outcome => ({
    ...{ kind: 'refused', stage: 'verify', digest, version: null, atMs: 0, durationMs: 0 },
    failures: [failure(code, 'why')],
  });
  for (const code of ['host/enforcer-unavailable', 'verify/rollback'] as const) {
    await places.resolve(REFERENCE);
    for (const it of reporters) await it.report(initialStatus('1', 'r', 0), end(code));
  }
  expect(told).toEqual([
    ['answered', 'unasked'],
    ['refused', 'unasked'],
  ]);
});
