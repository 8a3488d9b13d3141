// The agent as its configuration file composes it, with mirrors: a registry that is down, an OCI layout that is
// not, a socket to an enforcer, and the files that people and programs read. Only the kernel is the fake one.
//
// SPDX-License-Identifier: Apache-2.0

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createLayoutRegistry } from '../../src/adapters/oci-layout/registry.ts';
import { loadTrustPolicy } from '../../src/adapters/sigstore/trust-file.ts';
import { runConfiguredAgent } from '../../src/compose-agent.ts';
import { type BundleBytes, MEDIA } from '../../src/core/bundle.ts';
import type { RunningServer } from '../../src/enforcer/server.ts';
import { digestOf } from '../../src/wire/content.ts';
import { parseStatus } from '../../src/wire/status.ts';
import { serveAgents } from '../support/agent-server.ts';
import { expectOk, makeBundle, ruleFor, TestHost } from '../support/enforcer.ts';
import { startShelf } from '../support/shelf.ts';
import { makeSigner } from '../support/signed-bundle.ts';
import { ORAS_PATH } from '../support/tools.ts';
import { REPOSITORY } from '../support/world.ts';

const DAY_MS = 86_400_000;
const ci = makeSigner();
let dir: string;
let host: TestHost;
let server: RunningServer;
const inDir = (name: string): string => join(dir, name);
const toTime = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}Z`;

const TRUST = `apiVersion: warder.dev/trust/v1
version: 1
policies:
  - name: prod
    scope: registry.example.com/policies
    channels: [prod]
    require:
      release:
        minimumMatches: 1
        anyOf: [{ id: ci, key: { file: ci.pub, notBefore: 2020-01-01, notAfter: 2099-01-01 } }]
`;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'warder-configured-'));
  writeFileSync(inDir('ci.pub'), ci.publicKeyPem);
  writeFileSync(inDir('trust.yaml'), TRUST);
  host = new TestHost(expectOk(loadTrustPolicy(inDir('trust.yaml'))));
  // The agent goes by the clock of this machine.
  host.clock.now = Date.now();
  server = await serveAgents(inDir('enforcer.sock'), await host.start(), 60_000);
});
afterEach(async () => {
  await server.close();
  host.remove();
  rmSync(dir, { recursive: true });
});

async function putInLayout(bundle: BundleBytes): Promise<void> {
  const layout = createLayoutRegistry();
  const repository = { kind: 'oci-layout', dir: inDir('layout') } as const;
  const blobs = [{ digest: digestOf(bundle.config), bytes: bundle.config }, ...bundle.files].map(
    ({ digest, bytes }) => ({
      descriptor: { mediaType: 'application/octet-stream', digest, size: bytes.length },
      bytes,
    }),
  );
  expectOk(await layout.push(repository, ['prod'], bundle.manifest, blobs));
  const { digest, manifest } = bundle;
  const subject = { mediaType: MEDIA.manifest, digest, size: manifest.length };
  for (const it of bundle.attestations) {
    expectOk(await layout.attach(repository, subject, it, 'https://example.com/x'));
  }
}

it('takes a bundle from a layout when the registry is down, and tells who answered', async () => {
  const nowMs = Date.now();
  const bundle = await makeBundle(ci, 5, [ruleFor('a/one', '/etc/hostname')], {
    ...{ createdAt: toTime(nowMs - DAY_MS), notBefore: toTime(nowMs - DAY_MS) },
    expires: toTime(nowMs + DAY_MS),
    // Whatever kernel this machine has.
    requires: { kernel: '0.0', hooks: ['file_open'] },
  });
  await putInLayout(bundle);
  const gone = await startShelf();
  await gone.stop();
  const config = {
    apiVersion: 'warder.dev/agent/v1',
    reference: `${gone.host}/policies/web:prod`,
    ...{ repository: REPOSITORY, channel: 'prod', trust: inDir('trust.yaml') },
    ...{ stateDir: inDir('agent'), statusFile: inDir('status.json') },
    ...{ enforcerSocket: inDir('enforcer.sock'), metricsFile: inDir('warder.prom') },
    mirrors: [{ repository: `oci-layout:${inDir('layout')}` }],
    registry: { oras: ORAS_PATH, insecure: [gone.host] },
    ...{ poll: { intervalMs: 1000, timeoutMs: 30_000 }, logLevel: 'error' },
  };
  writeFileSync(inDir('agent.yaml'), JSON.stringify(config));
  const stop = new AbortController();
  const running = runConfiguredAgent(inDir('agent.yaml'), stop.signal);
  const status = await vi.waitFor(
    () => {
      const found = expectOk(parseStatus(readFileSync(inDir('status.json'), 'utf8')));
      expect(found.lastOutcome?.kind).toMatch(/^(?:activated|unchanged)$/);
      return found;
    },
    { timeout: 30_000, interval: 50 },
  );
  stop.abort();
  expectOk(await running);
  expect(status.enforced).toMatchObject({ kind: 'bundle', bundle: { digest: bundle.digest } });
  expect(status.places?.map((it) => [it.place, it.code ?? it.state])).toEqual([
    [`${gone.host}/policies/web`, 'fetch/registry-unavailable'],
    [`oci-layout:${inDir('layout')}`, 'answered'],
  ]);
  const metrics = readFileSync(inDir('warder.prom'), 'utf8');
  expect(metrics).toContain('warder_place_answered{place="0"} 0\n');
  expect(metrics).toContain('warder_place_answered{place="1"} 1\n');
});
