// What is fuzzed: every reader of bytes from outside, with good inputs to begin from and what must hold of every
// answer. A reader never throws, never accepts what it would not write, and a bundle that verifies says what was
// signed. `run` answers a word for the outcome: an input with a new one is kept to be changed further.
//
// SPDX-License-Identifier: Apache-2.0

import { formatReference, parseReference } from '../../src/core/reference.ts';
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
import {
  encodeBundle,
  parseClientHello,
  parseRequest,
  parseResponse,
} from '../../src/wire/protocol.ts';
import { encodeReferrer, parseReferrer, parseReferrerIndex } from '../../src/wire/referrer.ts';
import { parseStrictJson } from '../../src/wire/strict-json.ts';
import { makeSignedBundle, makeSigner } from '../support/signed-bundle.ts';
import { enforcerTarget } from './enforcer-target.ts';
import { policyTargets } from './policy-targets.ts';
import { signedTargets } from './signed-targets.ts';
import { same, type Target, text, word } from './target.ts';
import { verification } from './verification.ts';

/** Makes all targets; their good inputs are signed with keys of this run. */
export async function makeTargets(): Promise<readonly Target[]> {
  const signer = makeSigner();
  const signed = await makeSignedBundle(signer);
  const [release = Buffer.alloc(0), provenance = Buffer.alloc(0)] = signed.bytes.attestations;
  return [
    ...documents(signed),
    ...carriers([release, provenance]),
    ...(await signedTargets(signer, signed)),
    ...policyTargets(signer.publicKeyPem),
    ...protocol(signed),
    await enforcerTarget(),
    ...orders(release),
    verification(signed.bytes.digest),
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
      form: 'json',
      seeds: [encodeGlassRequest({ ...place, askedAt: '2026-01-10T12:00:00.000Z' })],
      run: (input) => {
        const read = parseGlassRequest(input);
        if (read.ok) same(parseGlassRequest(encodeGlassRequest(read.value)), read, 'a request');
        return word(read);
      },
    },
    {
      name: 'glass-order',
      form: 'json',
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
      form: 'json',
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
      form: 'bytes',
      seeds: [manifest, config, Buffer.from('{"a":[1,-2.5e3,"\\u00e9\\"",null,true,{"b":{}}]}')],
      run: (input) => {
        const read = parseStrictJson(input, { bytesMax: 1 << 20 });
        if (read.ok) same(read.value, JSON.parse(Buffer.from(input).toString()), 'JSON');
        return word(read);
      },
    },
    {
      name: 'reference',
      form: 'bytes',
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
      form: 'json',
      seeds: [manifest],
      run: (input) => {
        const read = parseManifest(input);
        if (read.ok) same(parseManifest(encodeManifest(read.value)), read, 'a manifest');
        return word(read);
      },
    },
    {
      name: 'descriptor',
      form: 'json',
      seeds: [config],
      run: (input) => {
        const read = parseDescriptor(input);
        if (read.ok) same(parseDescriptor(encodeDescriptor(read.value)), read, 'a descriptor');
        return word(read);
      },
    },
    {
      name: 'referrer',
      form: 'json',
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

function carriers(attestations: readonly [Uint8Array, Uint8Array]): readonly Target[] {
  return (['head', 'trust'] as const).map((kind) => ({
    name: kind === 'head' ? 'head' : 'signed-trust',
    form: 'json',
    seeds: [encodeCarrier(kind, attestations).manifest],
    run: (input) => {
      const read = parseCarrier(kind, input);
      if (read.ok) {
        const again = parseCarrier(kind, encodeCarrier(kind, read.value).manifest);
        same(again, read, kind);
      }
      return word(read);
    },
  }));
}

function protocol({ bytes }: Signed): readonly Target[] {
  const requests = [
    { id: 1, request: 'status' },
    { id: 2, request: 'activate', bundle: encodeBundle(bytes) },
    { id: 3, request: 'confirm', digest: bytes.digest },
    { id: 4, request: 'rollback', by: 'operator', reason: 'x' },
    { hello: { protocol: 1, client: 'fuzz' } },
    { id: 5, ok: true, value: {} },
  ];
  const [first = Buffer.alloc(0), ...more] = requests.map(encodeFrame);
  const [plain = Buffer.alloc(0), ...others] = requests.map(text);
  const receive = (input: Uint8Array): string => {
    const reader = new FrameReader(1 << 20);
    const half = input.length >> 1;
    const answers = [reader.push(input.subarray(0, half)), reader.push(input.subarray(half))];
    const values = answers.flatMap((it) => (it.ok ? it.value : []));
    const readers = [parseRequest, parseResponse, parseClientHello];
    const read = values.map((value) => readers.map((it) => word(it(value))).join());
    return `${answers.map(word).join()} ${read.join()}`.slice(0, 200);
  };
  return [
    {
      name: 'protocol',
      form: 'bytes',
      seeds: [first, ...more, Buffer.concat([first, ...more])],
      run: receive,
    },
    {
      name: 'request',
      form: 'json',
      seeds: [plain, ...others],
      run: (input) => {
        const length = Buffer.alloc(4);
        length.writeUInt32BE(input.length);
        return receive(Buffer.concat([length, input]));
      },
    },
  ];
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
    form: 'bytes',
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
