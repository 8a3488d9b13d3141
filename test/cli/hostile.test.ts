// Text from outside may hold escape sequences, line breaks and bidirectional controls (bad input X03).
// None of it reaches a terminal as such, none of it makes a line of its own, and JSON stays JSON.
//
// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import type { Services } from '../../src/cli/services.ts';
import { compose } from '../../src/compose.ts';
import type { ErrorCode } from '../../src/core/errors.ts';
import { err, failure, ok } from '../../src/core/result.ts';
import type { RegistryPort } from '../../src/ports.ts';
import { documentOf, expectCase, type Printed, run } from '../support/cli.ts';
import {
  AGENT,
  BUNDLE,
  condition,
  DENIED,
  ENFORCED,
  enforcerAnswering,
  HELD,
  HOSTILE,
  STATUS,
} from '../support/enforcer-answers.ts';

const BAD_BUNDLE = {
  ...BUNDLE,
  repository: HOSTILE,
  channel: HOSTILE,
  commit: HOSTILE,
  sourceRepository: HOSTILE,
  signers: [
    { ...BUNDLE.signers[0], kind: 'key' as const, id: HOSTILE, fingerprint: BUNDLE.digest },
  ],
};
const EVENT = {
  ...DENIED,
  rule: HOSTILE,
  ruleReason: HOSTILE,
  bundle: BAD_BUNDLE,
  origin: { file: HOSTILE, line: 1, column: 1 },
  object: { ...DENIED.object, path: `/srv/${HOSTILE}` },
  process: { ...DENIED.process, comm: HOSTILE, exe: HOSTILE },
};
const FAILURE = failure('verify/key-unknown', HOSTILE, { causes: [HOSTILE], hints: [HOSTILE] });

const enforcer = enforcerAnswering({
  status: async () =>
    ok({
      ...STATUS,
      enforced: { ...ENFORCED, bundle: BAD_BUNDLE },
      hold: { ...(HELD.hold ?? never()), by: HOSTILE, reason: HOSTILE },
      alerts: [FAILURE],
      demoted: [HOSTILE],
      leftOut: [HOSTILE],
    }),
  events: async () => ok([EVENT]),
  rollback: async () => err(FAILURE),
  followEvents: async function* () {
    yield ok(EVENT);
  },
});

const services: Partial<Services> = {
  enforcer: () => enforcer,
  agentStatus: async () =>
    ok({
      ...AGENT,
      lastRequestAt: HOSTILE,
      conditions: [
        condition('Ready', 'True', HOSTILE),
        condition('Stale', 'True', HOSTILE, HOSTILE),
      ],
      lastRefusal: {
        digest: BUNDLE.digest,
        version: null,
        stage: 'verify',
        at: HOSTILE,
        failures: [{ ...FAILURE, code: HOSTILE as ErrorCode }],
      },
    }),
  trust: async () => err(FAILURE),
  registryReader: async () => ok(LYING_REGISTRY),
};

const LYING_REGISTRY: RegistryPort = {
  resolve: async () => err(failure('fetch/registry-unavailable', HOSTILE, { causes: [HOSTILE] })),
  fetch: async () => err(FAILURE),
  head: async () => err(FAILURE),
  trust: async () => err(FAILURE),
};

function never(): never {
  throw new Error('the fixture holds');
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
const STEERING = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/;

function expectHarmless(printed: Printed): void {
  expect(printed.stdout + printed.stderr).not.toMatch(STEERING);
}

describe('hostile text', () => {
  it.each([
    ['status', ['status']],
    ['events', ['events']],
    ['explain', ['explain', 'last']],
    ['rollback', ['rollback', '--reason', 'x']],
    ['verify-trust', ['verify', 'registry.example.com/policies:prod', '--trust', '/trust.yaml']],
    ['argument', ['lint', HOSTILE]],
    ['command', [HOSTILE]],
    ['option', ['status', `--${HOSTILE}`]],
    ['reference', ['verify', HOSTILE, '--trust', '/trust.yaml']],
  ])('is escaped and keeps its line: %s', async (name, argv) => {
    expectHarmless(await expectCase(`hostile-${name}`, argv, { services }));
    const json = await run([...argv, '--output', 'json'], { services });
    expectHarmless(json);
    documentOf(json);
  });

  it.each([
    ['a refusal', ['rollback', '--reason', 'x'], 'verify/key-unknown'],
    ['a missing file', ['verify', 'r.example.com/p:prod', '--trust', '/none'], 'trust/unreadable'],
    ['a wrong option', ['status', '--none'], 'cli/usage'],
    ['missing evidence', ['verify', '--evidence', '/none'], 'cli/file-unreadable'],
    ['a device', ['verify', 'r.example.com/p:prod', '--trust', '/dev/zero'], 'trust/unreadable'],
  ])('X02 a failure is one JSON document and nothing else: %s', async (_name, argv, code) => {
    const { trust } = compose({});
    const printed = await run([...argv, '-o', 'json'], { services: { ...services, trust } });
    expect([printed.stderr, printed.exit === 0]).toEqual(['', false]);
    expect(documentOf(printed)).toMatchObject({ ok: false, errors: [{ code }] });
  });

  it('is escaped in a stream', async () => {
    const text = await run(['events', '--follow'], { services });
    expectHarmless(text);
    expect(text.stdout.split('\n')).toHaveLength(2);
    const json = await run(['events', '--follow', '-o', 'json'], { services });
    expectHarmless(json);
    expect(JSON.parse(json.stdout.split('\n')[0] ?? '').event.object.path).toBe(`/srv/${HOSTILE}`);
  });

  it('of a registry is escaped', async () => {
    const trust: Services['trust'] = async () => ok(TRUST);
    const around = { services: { ...services, trust } };
    const argv = ['verify', 'registry.example.com/policies:prod', '--trust', '/trust.yaml'];
    expectHarmless(await expectCase('hostile-registry', argv, around));
  });

  it('in a policy file is escaped in the excerpt and refused', async () => {
    const bytes = new TextEncoder().encode(`apiVersion: "${HOSTILE.replace(/[\r\n]/g, '')}"\n`);
    const policyFiles: Services['policyFiles'] = async () =>
      ok([{ path: 'policies/\u001b.yaml', bytes }]);
    const printed = await expectCase('hostile-policy', ['lint'], { services: { policyFiles } });
    expectHarmless(printed);
    expect(printed.exit).toBe(16);
  });
});

const TRUST = {
  version: 1,
  roots: null,
  breakGlass: null,
  force: false,
  policies: [],
  trustedRoot: null,
  revoked: { digests: [], keys: [], identities: [] },
  onDistrustedLkg: 'keep-and-alert',
  fingerprint: BUNDLE.digest,
} as const;
