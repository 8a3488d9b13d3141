// SPDX-License-Identifier: Apache-2.0
// Measures what it costs to admit one bundle: whole processes of `warder verify` and of cosign in turn, and the
// agent's own work in a process that is warm. Warder runs as `make program` writes it. What it says of a machine
// is in docs/performance-admission.md, with the method.
//
//   node bench/admission.ts [--rounds 15]

import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createLayoutRegistry } from '../src/adapters/oci-layout/registry.ts';
import { createOrasRegistry } from '../src/adapters/oras/registry.ts';
import { loadTrustPolicy } from '../src/adapters/sigstore/trust-file.ts';
import { createVerifier } from '../src/adapters/sigstore/verifier.ts';
import { verify } from '../src/cli/commands/verify.ts';
import { MEDIA, PREDICATE } from '../src/core/bundle.ts';
import { LIMITS } from '../src/core/limits.ts';
import { parseReference, type Repository } from '../src/core/reference.ts';
import type { RegistryPort, RegistryWritePort } from '../src/ports.ts';
import { encodeCarrier } from '../src/wire/carrier.ts';
import { encodeCosignStatement } from '../src/wire/statement.ts';
import { headOf, signHead } from '../test/support/heads.ts';
import { startRegistry } from '../test/support/registry.ts';
import { unwrap } from '../test/support/result.ts';
import {
  encodeJson,
  makeSigner,
  makeStatements,
  signBundle,
} from '../test/support/signed-bundle.ts';
import { COSIGN_PATH, ORAS_PATH } from '../test/support/tools.ts';
import { BUILD_TYPE, BUILDER, makeContext } from '../test/support/verify.ts';

const CANONICAL = 'registry.example.com/policies/web';
const OFFLINE = ['--insecure-ignore-tlog', '--private-infrastructure', '--allow-http-registry'];
const SAMPLE_MS = 5;
const HOUR_MS = 3_600_000;

interface Measured {
  readonly ms: number;
  readonly peakMebibytes: number;
}

const signer = makeSigner();
const now = Date.now();
const toTime = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
const made = makeStatements({
  createdAt: toTime(now - HOUR_MS),
  notBefore: toTime(now - HOUR_MS),
  expires: toTime(now + 1000 * HOUR_MS),
});

async function fill(
  port: RegistryPort & RegistryWritePort,
  repository: Repository,
  attestations: readonly Uint8Array[],
): Promise<string> {
  const { manifest, blobs } = made.content;
  const digest = unwrap(await port.push(repository, ['prod'], manifest, blobs));
  const subject = { mediaType: MEDIA.manifest, digest, size: manifest.length };
  for (const it of attestations) {
    unwrap(await port.attach(repository, subject, it, PREDICATE.release));
  }
  const head = encodeCarrier('head', await signHead(headOf(made.bytes, 7, now), signer));
  unwrap(await port.push(repository, ['prod.head'], head.manifest, head.blobs));
  return digest;
}

/** What `warder publish` attaches: for cosign, for hosts, and where it was built. */
async function attestationsOf(): Promise<readonly Uint8Array[]> {
  const { descriptor } = made.content;
  const sign = encodeCosignStatement(descriptor, made.bytes.digest);
  const bundles = await Promise.all(
    [sign, made.release, made.provenance].map((it) => signBundle(it, signer)),
  );
  for (const { dsseEnvelope } of bundles) {
    for (const one of dsseEnvelope.signatures) Object.assign(one, { keyid: '' });
  }
  return bundles.map(encodeJson);
}

async function writeTrust(dir: string): Promise<void> {
  await writeFile(join(dir, 'ci.pub'), signer.publicKeyPem);
  const day = (ms: number): string => toTime(ms).slice(0, 10);
  const window = { notBefore: day(now - 48 * HOUR_MS), notAfter: day(now + 2000 * HOUR_MS) };
  const provenance = {
    builderIds: [BUILDER],
    buildTypes: [BUILD_TYPE],
    sourceRepositories: ['https://git.example.com/acme/policies'],
  };
  const anyOf = [{ id: 'ci', key: { file: 'ci.pub', ...window } }];
  const policy = {
    name: 'prod',
    scope: CANONICAL,
    channels: ['prod'],
    require: { release: { minimumMatches: 1, anyOf }, provenance },
    freshness: { head: 'required', maxAge: '24h' },
  };
  const document = { apiVersion: 'warder.dev/trust/v1', version: 1, policies: [policy] };
  await writeFile(join(dir, 'trust.yaml'), JSON.stringify(document));
}

/** Runs a program to its end; its peak memory is what the kernel says of it, looked at often. */
async function run(
  dir: string,
  path: string,
  args: readonly string[],
): Promise<Measured & { code: number }> {
  const env = {
    PATH: process.env['PATH'],
    HOME: dir,
    HTTP_PROXY: 'http://127.0.0.1:1',
    HTTPS_PROXY: 'http://127.0.0.1:1',
  };
  const started = performance.now();
  const child = spawn(path, args, { cwd: dir, env, stdio: 'ignore' });
  let peak = 0;
  const timer = setInterval(() => {
    void readFile(`/proc/${child.pid}/status`, 'latin1').then(
      (text) => {
        peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(text)?.[1] ?? 0));
      },
      () => undefined,
    );
  }, SAMPLE_MS);
  const code = await new Promise<number>((resolve) => child.on('exit', (it) => resolve(it ?? -1)));
  clearInterval(timer);
  return { code, ms: performance.now() - started, peakMebibytes: peak / 1024 };
}

async function mustRun(dir: string, path: string, args: readonly string[]): Promise<Measured> {
  const { code, ...measured } = await run(dir, path, args);
  if (code !== 0) throw new Error(`${path} ${args.join(' ')} ended with ${code}`);
  return measured;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

function show(name: string, all: readonly Measured[]): number {
  const ms = median(all.map((it) => it.ms));
  const least = Math.min(...all.map((it) => it.ms));
  const peak = Math.max(...all.map((it) => it.peakMebibytes));
  say(
    `${name.padEnd(46)} ${ms.toFixed(1).padStart(8)} ms  least ${least.toFixed(1).padStart(8)} ms  ${peak.toFixed(0).padStart(5)} MiB`,
  );
  return ms;
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** The agent's own work for a new bundle, in a process that has done it before. */
async function warm(dir: string, layout: string, rounds: number): Promise<readonly Measured[]> {
  const trust = unwrap(loadTrustPolicy(join(dir, 'trust.yaml')));
  const ports = { registry: createLayoutRegistry(), verifier: createVerifier() };
  const reference = unwrap(parseReference(`${layout}:prod`));
  const all: Measured[] = [];
  for (let round = 0; round < rounds + 10; round += 1) {
    const started = performance.now();
    const outcome = await verify(reference, ports, trust, makeContext({ nowMs: Date.now() }));
    if (outcome.exit !== 0) throw new Error(JSON.stringify(outcome.failures));
    const ms = performance.now() - started;
    if (round >= 10) all.push({ ms, peakMebibytes: process.memoryUsage().rss / 1024 / 1024 });
  }
  return all;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { rounds: { type: 'string', default: '15' } } });
  const rounds = Number(values.rounds);
  const dir = await mkdtemp(join(tmpdir(), 'warder-admission-'));
  const server = await startRegistry();
  try {
    await writeTrust(dir);
    const attestations = await attestationsOf();
    const layout = `oci-layout:${join(dir, 'layout')}`;
    const remote = `${server.host}/policies/web`;
    const port = createOrasRegistry({ orasPath: ORAS_PATH, plainHttpHosts: [server.host] });
    const digest = await fill(createLayoutRegistry(), repositoryOf(layout), attestations);
    await fill(port, repositoryOf(remote), attestations);
    const trust = ['--trust', 'trust.yaml', '--repository', CANONICAL];
    const cosign = (verb: string, ...more: readonly string[]) =>
      mustRun(dir, COSIGN_PATH, [
        verb,
        '--key',
        'ci.pub',
        ...OFFLINE,
        ...more,
        `${remote}@${digest}`,
      ]);
    const program = await writeProgram(dir);
    const verifying = (...args: readonly string[]) =>
      mustRun(dir, program, ['verify', ...args, ...trust]);
    const cases: readonly (readonly [string, () => Promise<Measured>])[] = [
      ['warder verify, layout', () => verifying(`${layout}:prod`)],
      [
        'warder verify, loopback registry',
        () => verifying(`${remote}:prod`, '--oras', ORAS_PATH, '--insecure-registry', server.host),
      ],
      ['cosign verify', () => cosign('verify')],
      [
        'cosign verify-attestation (provenance)',
        () => cosign('verify-attestation', '--type', PREDICATE.provenance),
      ],
    ];
    const all = new Map<string, Measured[]>(cases.map(([name]) => [name, []]));
    // In turns, so that a busy machine is as unkind to one as to the other.
    for (let round = 0; round <= rounds; round += 1) {
      for (const [name, one] of cases) {
        const measured = await one();
        if (round > 0) all.get(name)?.push(measured);
      }
    }
    const [layoutMs = 0, remoteMs = 0, verifyMs = 0, attestationMs = 0] = cases.map(([name]) =>
      show(name, all.get(name) ?? []),
    );
    const both = verifyMs + attestationMs;
    const warmMs = show('warm, in process, layout', await warm(dir, layout, rounds * 4));
    const hostile = Array.from({ length: LIMITS.referrersMax }, () =>
      Buffer.from(`[${'{"a":1},'.repeat(130_000)}1]`).subarray(0, LIMITS.attestationBytesMax),
    ).map((it, at) => Buffer.concat([it.subarray(0, -4), Buffer.from(String(1000 + at))]));
    await fill(createLayoutRegistry(), repositoryOf(`oci-layout:${join(dir, 'hostile')}`), hostile);
    const folder = `oci-layout:${join(dir, 'hostile')}:prod`;
    const refused = await run(dir, program, ['verify', folder, ...trust]);
    show(`hostile: ${hostile.length} attestations of 1 MiB, exit ${refused.code}`, [refused]);
    say(`cold, layout: ${(layoutMs / both).toFixed(2)} of cosign's two commands`);
    say(`cold, same registry: ${(remoteMs / both).toFixed(2)} of cosign's two commands`);
    say(`warm: ${(both / warmMs).toFixed(0)} times faster than cosign's two commands`);
  } finally {
    await server.stop();
    await rm(dir, { recursive: true });
  }
}

/** Writes the command as `make program` does; answers its file. */
async function writeProgram(dir: string): Promise<string> {
  const file = new URL('../packaging/program/program.mjs', import.meta.url).href;
  const writer = (await import(file)) as { writeProgram(dir: string): Promise<string> };
  return writer.writeProgram(join(dir, 'program'));
}

function repositoryOf(name: string): Repository {
  return unwrap(parseReference(name)).repository;
}

await main();
