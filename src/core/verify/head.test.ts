// The verdict over channel heads, one respect at a time, and what holds for every order of heads.
//
// SPDX-License-Identifier: Apache-2.0

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  DIGEST,
  digestOf,
  KEY_A,
  KEY_B,
  makeContext,
  makeEvidence,
  makeScope,
  makeTrust,
  makeTrustedKey,
  NOW_MS,
} from '../../../test/support/verify.ts';
import { PREDICATE } from '../bundle.ts';
import type { Digest } from '../digest.ts';
import type { ErrorCode } from '../errors.ts';
import { type ChannelHead, sequenceAt } from '../head.ts';
import type { BundleVersion } from '../version.ts';
import type { AttestationFact } from './evidence.ts';
import { demandsHead, type HeadContext, judgeHead } from './head.ts';
import { judge } from './judge.ts';
import type { VerifyContext } from './verdict.ts';

const HOUR_MS = 3_600_000;
const MAX_AGE_MS = 24 * HOUR_MS;
const KEY_HEAD = digestOf('9');

const scope = makeScope({
  freshness: {
    maxAgeMs: MAX_AGE_MS,
    anyOf: [makeTrustedKey('clockwork', KEY_HEAD), makeTrustedKey('ci', KEY_A)],
    identities: [],
  },
  maxVersionStep: 10,
});
const TRUST = makeTrust({ policies: [scope] });

function headAt(ageMs: number, change: Partial<ChannelHead> = {}): ChannelHead {
  const atMs = NOW_MS - ageMs;
  return {
    repository: 'registry.example.com/policies/web',
    channel: 'prod',
    version: 7 as BundleVersion,
    digest: DIGEST,
    sequence: sequenceAt(atMs),
    issuedAt: new Date(atMs).toISOString(),
    expires: new Date(atMs + 48 * HOUR_MS).toISOString(),
    ...change,
  };
}

function signed(head: ChannelHead, key: Digest = KEY_HEAD): AttestationFact {
  const claim = { kind: 'head', head } as const;
  return {
    kind: 'signed',
    predicateType: PREDICATE.head,
    subjects: [head.digest],
    claim,
    keys: [key],
  };
}

function judgeIt(
  facts: readonly AttestationFact[],
  context: Partial<HeadContext> = {},
  trust = TRUST,
) {
  const place = makeContext();
  const demanded = demandsHead(trust, place);
  if (demanded === null) throw new Error('heads are demanded here');
  const known = { ...place, last: null, floor: null, ...context };
  return judgeHead(facts, trust, demanded, known);
}

const codesOf = (...it: Parameters<typeof judgeIt>): readonly ErrorCode[] => {
  const judged = judgeIt(...it);
  return judged.ok ? [] : judged.error.map(({ code }) => code);
};

describe('a head', () => {
  const good = headAt(HOUR_MS);
  const last = headAt(2 * HOUR_MS);
  const revoked = makeTrust({
    policies: [scope],
    revoked: { digests: [], keys: [KEY_HEAD], identities: [] },
  });
  type Row = readonly [string, readonly ErrorCode[], Parameters<typeof judgeIt>];
  const rows: readonly Row[] = [
    ['that is in order is accepted', [], [[signed(good)]]],
    ['seen before is accepted again', [], [[signed(good)], { last: good }]],
    ['by a signer of releases is accepted when it is listed', [], [[signed(good, KEY_A)]]],
    [
      'by a signer of releases who is not listed for heads is refused',
      ['verify/key-unknown', 'verify/head-invalid'],
      [[signed(good, KEY_B)]],
    ],
    [
      'by a revoked key is refused',
      ['verify/key-revoked', 'verify/head-invalid'],
      [[signed(good)], {}, revoked],
    ],
    ['that nobody signed is refused', ['verify/head-invalid'], [[]]],
    [
      'V10 of the day before yesterday is stale',
      ['verify/stale-head'],
      [[signed(headAt(25 * HOUR_MS))]],
    ],
    [
      'V10 that expired is stale, however young',
      ['verify/stale-head'],
      [[signed(headAt(HOUR_MS, { expires: new Date(NOW_MS).toISOString() }))]],
    ],
    ['at its last moment is fresh', [], [[signed(headAt(MAX_AGE_MS))]]],
    [
      'V11 that is older than one seen is a rollback',
      ['verify/rollback'],
      [[signed(last)], { last: good }],
    ],
    [
      'V11 of a version below one seen is a rollback',
      ['verify/rollback'],
      [[signed(good)], { last: { ...last, version: 8 as BundleVersion } }],
    ],
    [
      'V11 of a version below the floor is a rollback',
      ['verify/rollback'],
      [[signed(good)], { floor: { highestSeen: 8 as BundleVersion, digest: DIGEST } }],
    ],
    [
      'that gives a version another digest than a head before is equivocation',
      ['verify/equivocation'],
      [[signed(good)], { last: { ...last, digest: digestOf('e') } }],
    ],
    [
      'that gives a version another digest than the floor is equivocation',
      ['verify/equivocation'],
      [[signed(good)], { floor: { highestSeen: 7 as BundleVersion, digest: digestOf('e') } }],
    ],
    [
      'with the sequence of another is equivocation',
      ['verify/equivocation'],
      [[signed(good)], { last: { ...good, version: 6 as BundleVersion, digest: digestOf('e') } }],
    ],
    [
      'that stands beside another of its sequence is equivocation',
      ['verify/equivocation'],
      [[signed(good), signed({ ...good, version: 8 as BundleVersion }, KEY_A)]],
    ],
    [
      'of another channel or repository is out of scope',
      ['verify/scope-mismatch', 'verify/scope-mismatch'],
      [[signed({ ...good, channel: 'staging', repository: 'registry.example.com/policies/db' })]],
    ],
    ['from the future is not valid yet', ['verify/not-yet-valid'], [[signed(headAt(-HOUR_MS))]]],
    [
      'whose sequence is ahead of its time cannot use the sequences up',
      ['verify/not-yet-valid'],
      [[signed(headAt(HOUR_MS, { sequence: Number.MAX_SAFE_INTEGER }))]],
    ],
    [
      'that leaps too far above the floor is refused',
      ['verify/version-step'],
      [
        [signed({ ...good, version: 18 as BundleVersion })],
        { floor: { highestSeen: 7 as BundleVersion, digest: DIGEST } },
      ],
    ],
    [
      'with a time that is none is refused',
      ['verify/not-yet-valid'],
      [[signed({ ...good, issuedAt: 'soon' })]],
    ],
  ];
  test.each(rows)('%s', (_name, codes, args) => {
    expect(codesOf(...args)).toEqual(codes);
  });

  test('of several the newest counts, and junk beside it does no harm', () => {
    const junk = signed(headAt(0), KEY_B);
    const judged = judgeIt([junk, signed(last), signed(good)]);
    expect(judged.ok && judged.value.head).toEqual(good);
  });
});

test('whatever heads arrive, what is accepted goes back neither in sequence nor in version', () => {
  const head = fc
    .record({
      age: fc.nat(30),
      version: fc.integer({ min: 1, max: 9 }),
      name: fc.constantFrom('a', 'b'),
    })
    .map(({ age, version, name }) =>
      headAt(age * HOUR_MS, { version: version as BundleVersion, digest: digestOf(name) }),
    );
  fc.assert(
    fc.property(fc.array(head, { maxLength: 20 }), (heads) => {
      let last: ChannelHead | null = null;
      const digests = new Map<number, Digest>();
      for (const it of heads) {
        const judged = judgeIt([signed(it)], { last });
        if (!judged.ok) continue;
        expect(it.sequence).toBeGreaterThanOrEqual(last?.sequence ?? 0);
        expect(it.version).toBeGreaterThanOrEqual(last?.version ?? 0);
        expect(digests.get(it.version) ?? it.digest).toBe(it.digest);
        digests.set(it.version, it.digest);
        last = it;
      }
    }),
  );
});

describe('a bundle where heads are demanded', () => {
  const codes = (context: Partial<VerifyContext>): readonly ErrorCode[] => {
    const verdict = judge(makeEvidence(), TRUST, makeContext(context));
    return verdict.kind === 'accepted' ? [] : verdict.failures.map((it) => it.code);
  };
  const other = headAt(HOUR_MS, { version: 8 as BundleVersion, digest: digestOf('e') });
  test.each<readonly [string, readonly ErrorCode[], Partial<VerifyContext>]>([
    ['is admitted when a fresh head names it', [], { head: headAt(HOUR_MS) }],
    ['is refused without a head', ['verify/head-missing'], {}],
    ['is refused by a stale head', ['verify/stale-head'], { head: headAt(25 * HOUR_MS) }],
    ['is refused by a head of another bundle', ['verify/head-mismatch'], { head: other }],
    [
      'is refused when the head gives it another version',
      ['verify/head-mismatch'],
      { head: { ...other, digest: DIGEST } },
    ],
    [
      'that was admitted once is replayed without one',
      [],
      { purpose: 'replay', admitted: [DIGEST] },
    ],
  ])('%s', (_name, expected, context) => {
    expect(codes(context)).toEqual(expected);
  });

  test('is refused when its version leaps above the floor, and not when it is the first', () => {
    const floor = { highestSeen: 1 as BundleVersion, digest: digestOf('e') };
    const head = headAt(HOUR_MS);
    const trust = makeTrust({ policies: [makeScope({ maxVersionStep: 5 })] });
    const verdict = judge(makeEvidence(), trust, makeContext({ floor, head }));
    expect(verdict.kind === 'refused' && verdict.failures[0].code).toBe('verify/version-step');
    expect(judge(makeEvidence(), trust, makeContext({ head })).kind).toBe('accepted');
  });
});
