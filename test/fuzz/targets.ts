// What is fuzzed: every reader of bytes from outside, with good inputs to begin from and what must hold of every
// answer. A reader never throws, never accepts what it would not write, and a bundle that verifies says what was
// signed. `run` answers a word for the outcome: an input with a new one is kept to be changed further.
//
// SPDX-License-Identifier: Apache-2.0

import { readdirSync, readFileSync } from 'node:fs';
import { collectClientFact } from '../../src/adapters/sigstore/client.ts';
import { collectEvidence } from '../../src/adapters/sigstore/collect.ts';
import { compile } from '../../src/core/policy/compile.ts';
import { lint } from '../../src/core/policy/lint.ts';
import { formatReference, parseReference } from '../../src/core/reference.ts';
import { err, type Failure, type Result } from '../../src/core/result.ts';
import { judgeClient } from '../../src/core/verify/client.ts';
import { judge } from '../../src/core/verify/judge.ts';
import { encodeCarrier, parseCarrier } from '../../src/wire/carrier.ts';
import { digestOf } from '../../src/wire/content.ts';
import { encodeDescriptor, parseDescriptor } from '../../src/wire/descriptor.ts';
import { encodeFrame, FrameReader } from '../../src/wire/frame.ts';
import {
  encodeGlassFile,
  encodeGlassRequest,
  parseGlassFile,
  parseGlassRequest,
  parseOrder,
  readGlassOrder,
} from '../../src/wire/glass.ts';
import { encodeArchive, parseArchive } from '../../src/wire/layout-archive.ts';
import { encodeManifest, parseManifest } from '../../src/wire/manifest.ts';
import { encodeIr, parseIr } from '../../src/wire/policy/ir.ts';
import { parsePolicyFile, parsePolicyTestFile } from '../../src/wire/policy/parse.ts';
import {
  encodeBundle,
  parseClientHello,
  parseRequest,
  parseResponse,
} from '../../src/wire/protocol.ts';
import { encodeReferrer, parseReferrer, parseReferrerIndex } from '../../src/wire/referrer.ts';
import { parseStrictJson } from '../../src/wire/strict-json.ts';
import { parseTrustPolicy } from '../../src/wire/trust.ts';
import { makeSignedBundle, makeSigner, trustIn } from '../support/signed-bundle.ts';
import { IR, makeContext } from '../support/verify.ts';

/** One reader under test. */
export interface Target {
  readonly name: string;
  readonly seeds: readonly [Uint8Array, ...Uint8Array[]];
  readonly isJson: boolean;
  /** Throws when something that must hold does not. */
  run(input: Uint8Array): string;
}

const text = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
const same = (one: unknown, other: unknown, what: string): void => {
  if (JSON.stringify(one) !== JSON.stringify(other)) throw new Error(`${what} does not come back`);
};
const word = (answer: Result<unknown, unknown>): string => {
  if (answer.ok) return 'ok';
  const failures = [answer.error].flat() as (Partial<Failure> & {
    readonly kind?: string;
    readonly detail?: string;
  })[];
  const [first] = failures;
  return `${first?.code ?? first?.kind} ${first?.causes?.[0] ?? first?.message ?? first?.detail}`.slice(
    0,
    60,
  );
};

/** Makes all targets; their good inputs are signed with keys of this run. */
export async function makeTargets(): Promise<readonly Target[]> {
  const signer = makeSigner();
  const signed = await makeSignedBundle(signer);
  const [release = Buffer.alloc(0), provenance = Buffer.alloc(0)] = signed.bytes.attestations;
  return [
    ...documents(signed),
    ...bundles(signer, signed, [release, provenance]),
    ...policies(signer.publicKeyPem),
    protocol(signed),
    ...orders(release),
    archive(signed, release),
  ];
}

type Signed = Awaited<ReturnType<typeof makeSignedBundle>>;

function orders(statement: Uint8Array): readonly Target[] {
  const place = {
    host: '5f6a1c1e-2b0d-4a57-9c0e-0d6b1d0f9a11',
    boot: '1f0c9a2e-7c39-4b0e-8a38-3f6c2d1e0b77',
    nonce: '00112233445566778899aabbccddeeff',
  };
  const relax = { action: 'relax', ...place, minutes: 30, reason: 'a test' };
  return [
    {
      name: 'glass-request',
      isJson: true,
      seeds: [encodeGlassRequest({ ...place, askedAt: '2026-01-10T12:00:00.000Z' })],
      run: (input) => {
        const read = parseGlassRequest(input);
        if (read.ok) same(parseGlassRequest(encodeGlassRequest(read.value)), read, 'a request');
        return word(read);
      },
    },
    {
      name: 'glass-order',
      isJson: true,
      seeds: [
        text({ ...relax, rules: ['a/b'], cgroup: null }),
        text({ ...relax, rules: [], cgroup: '/system.slice/x.service' }),
        text({ action: 'disable', ...place, reason: 'a test' }),
      ],
      run: (input) => {
        const read = parseOrder(input);
        if (!read.ok) return word(read);
        const { value } = read;
        same(parseOrder(text(value)), read, 'an order');
        if (value.action === 'relax' && value.rules.length === 0 && value.cgroup === null) {
          throw new Error('an order that relaxes everything');
        }
        return value.action;
      },
    },
    {
      name: 'glass-file',
      isJson: true,
      seeds: [encodeGlassFile([statement])],
      run: (input) => {
        const read = parseGlassFile(input);
        return read.ok ? word(readGlassOrder(read.value)) : word(read);
      },
    },
  ];
}

function documents({ bytes, content }: Signed): readonly Target[] {
  const { manifest, config } = bytes;
  return [
    {
      name: 'strict-json',
      isJson: true,
      seeds: [manifest, config, Buffer.from('{"a":[1,-2.5e3,"\\u00e9\\"",null,true,{"b":{}}]}')],
      run: (input) => {
        const read = parseStrictJson(input, { bytesMax: 1 << 20 });
        if (read.ok) same(read.value, JSON.parse(Buffer.from(input).toString()), 'JSON');
        return word(read);
      },
    },
    {
      name: 'reference',
      isJson: false,
      seeds: [
        Buffer.from('registry.example.com:5000/a/b_c:prod'),
        Buffer.from(`registry.example.com/policies@sha256:${'a'.repeat(64)}`),
        Buffer.from('oci-layout:/srv/bundles:prod'),
      ],
      run: (input) => {
        const read = parseReference(Buffer.from(input).toString('latin1'));
        if (!read.ok) return word(read);
        const written = formatReference(read.value);
        if (/^-|[\s%\\]|[^\x20-\x7e]|\/\.\.(?:[/:@]|$)/.test(written)) {
          throw new Error('an odd reference');
        }
        same(parseReference(written), read, 'a reference');
        return 'ok';
      },
    },
    {
      name: 'manifest',
      isJson: true,
      seeds: [manifest],
      run: (input) => {
        const read = parseManifest(input);
        if (read.ok) same(parseManifest(encodeManifest(read.value)), read, 'a manifest');
        return word(read);
      },
    },
    {
      name: 'descriptor',
      isJson: true,
      seeds: [config],
      run: (input) => {
        const read = parseDescriptor(input);
        if (read.ok) same(parseDescriptor(encodeDescriptor(read.value)), read, 'a descriptor');
        return word(read);
      },
    },
    {
      name: 'referrer',
      isJson: true,
      seeds: [referrerOf(content.manifest, bytes.attestations[0] ?? manifest).manifest],
      run: (input) =>
        `${word(parseReferrer(input, bytes.digest))} ${word(parseReferrerIndex(input))}`,
    },
  ];
}

function referrerOf(manifest: Uint8Array, attestation: Uint8Array) {
  const subject = { mediaType: 'm', digest: digestOf(manifest), size: manifest.length };
  const size = attestation.length;
  const mediaType = 'application/vnd.dev.sigstore.bundle.v0.3+json';
  const layer = { mediaType, digest: digestOf(attestation), size };
  return encodeReferrer(subject, layer, attestation, 'https://example.com/p');
}

function bundles(
  signer: ReturnType<typeof makeSigner>,
  signed: Signed,
  attestations: readonly [Uint8Array, Uint8Array],
): readonly Target[] {
  const trust = trustIn(signer);
  const payloads = attestations.map(payloadOf);
  return [
    {
      name: 'bundle',
      isJson: true,
      seeds: attestations,
      run: (input) => {
        const artifact = signed.bytes.digest;
        const task = { bundle: input, artifact, key: signer.publicKeyPem, root: null };
        const fact = collectClientFact(task);
        if (!fact.ok) return word(fact);
        // Who can change a bundle so that it still verifies has changed nothing that was signed.
        if (!payloads.includes(payloadOf(input))) throw new Error('another payload verifies');
        return word(judgeClient(fact.value, { kind: 'key' }, artifact));
      },
    },
    {
      name: 'admission',
      isJson: true,
      seeds: [attestations[0]],
      run: (input) => {
        const bytes = { ...signed.bytes, attestations: [input, attestations[1]] };
        const evidence = collectEvidence(bytes, trust);
        if (!evidence.ok) return word(evidence);
        const verdict = judge(evidence.value, trust, makeContext());
        if (verdict.kind === 'refused') return verdict.failures.map((it) => word(err(it))).join();
        if (payloadOf(input) !== payloads[0]) throw new Error('an altered release is admitted');
        return 'accepted';
      },
    },
    ...(['head', 'trust'] as const).map(
      (kind): Target => ({
        name: kind === 'head' ? 'head' : 'signed-trust',
        isJson: true,
        seeds: [encodeCarrier(kind, attestations).manifest],
        run: (input) => {
          const read = parseCarrier(kind, input);
          if (read.ok) {
            const again = parseCarrier(kind, encodeCarrier(kind, read.value).manifest);
            same(again, read, kind);
          }
          return word(read);
        },
      }),
    ),
  ];
}

function payloadOf(bundle: Uint8Array): string {
  return JSON.parse(Buffer.from(bundle).toString()).dsseEnvelope.payload as string;
}

function policies(publicKeyPem: string): readonly Target[] {
  const dir = new URL('../../policies/', import.meta.url);
  const files = readdirSync(dir).filter((it) => it.endsWith('.yaml'));
  const [first = Buffer.alloc(0), ...more] = files.map((it) => readFileSync(new URL(it, dir)));
  const key = { file: 'ci.pub', notBefore: '2026-01-01', notAfter: '2027-01-01' };
  const scope = {
    name: 'prod',
    scope: 'registry.example.com/policies',
    channels: ['prod'],
    require: { release: { minimumMatches: 1, anyOf: [{ id: 'ci', key }] } },
  };
  const trust = { apiVersion: 'warder.dev/trust/v1', version: 1, policies: [scope] };
  return [
    {
      name: 'policy',
      isJson: false,
      seeds: [first, ...more],
      run: (input) => {
        const read = parsePolicyFile('policies/fuzz.yaml', input);
        if (!read.ok) return `${word(read)} ${word(parsePolicyTestFile('f.test.yaml', input))}`;
        const compiled = compile([read.value]);
        if (compiled.ok) same(parseIr(encodeIr(compiled.value)), compiled, 'a policy');
        return `${word(compiled)} ${lint([read.value]).length}`;
      },
    },
    {
      name: 'ir',
      isJson: true,
      seeds: [encodeIr(IR)],
      run: (input) => {
        const read = parseIr(input);
        if (read.ok) same(parseIr(encodeIr(read.value)), read, 'a compiled policy');
        return word(read);
      },
    },
    {
      name: 'trust-policy',
      isJson: true,
      seeds: [text(trust), Buffer.from(JSON.stringify(trust, null, 1).replaceAll('"', ''))],
      run: (input) => {
        const read = parseTrustPolicy(input, 'trust.yaml', () => ({
          ok: true,
          value: publicKeyPem,
        }));
        if (!read.ok) return word(read);
        const vacuous = read.value.policies.some(
          ({ release }) =>
            release.minimumMatches < 1 || release.anyOf.length + release.identities.length < 1,
        );
        if (vacuous || read.value.policies.length === 0) throw new Error('a vacuous trust policy');
        return 'ok';
      },
    },
  ];
}

function protocol({ bytes }: Signed): Target {
  const requests = [
    { id: 1, request: 'status' },
    { id: 2, request: 'activate', bundle: encodeBundle(bytes) },
    { id: 3, request: 'confirm', digest: bytes.digest },
    { id: 4, request: 'rollback', by: 'operator', reason: 'x' },
    { hello: { protocol: 1, client: 'fuzz' } },
    { id: 5, ok: true, value: {} },
  ];
  const [first = Buffer.alloc(0), ...more] = requests.map(encodeFrame);
  return {
    name: 'protocol',
    isJson: false,
    seeds: [first, ...more, Buffer.concat([first, ...more])],
    run: (input) => {
      const reader = new FrameReader(1 << 20);
      const half = input.length >> 1;
      const answers = [reader.push(input.subarray(0, half)), reader.push(input.subarray(half))];
      const values = answers.flatMap((it) => (it.ok ? it.value : []));
      const readers = [parseRequest, parseResponse, parseClientHello];
      const read = values.map((value) => readers.map((it) => word(it(value))).join());
      return `${answers.map(word).join()} ${read.join()}`.slice(0, 120);
    },
  };
}

function archive({ content }: Signed, attestation: Uint8Array): Target {
  const { manifest, blobs } = content;
  const digest = digestOf(manifest);
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const referrer = referrerOf(manifest, attestation);
  const stored = [manifest, referrer.manifest].map((bytes) => {
    return { mediaType, artifactType: null, digest: digestOf(bytes), bytes };
  });
  const tags = [{ tag: 'prod', digest }];
  const all = [...blobs, ...referrer.blobs];
  return {
    name: 'archive',
    isJson: false,
    seeds: [encodeArchive({ tags, manifests: stored, blobs: all })],
    run: (input) => {
      const read = parseArchive(input, (tag) => tag === 'prod');
      if (!read.ok) return word(read);
      const wrong = read.value.blobs.some((it) => digestOf(it.bytes) !== it.descriptor.digest);
      if (wrong || read.value.tags.some(({ tag }) => tag !== 'prod')) throw new Error('a lie');
      return 'ok';
    },
  };
}
