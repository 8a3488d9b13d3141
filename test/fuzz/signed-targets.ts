// What is verified, by the very code of hosts and of `warder sigstore verify-bundle`; keys, roots and the parts
// that do not change are read once. Changed inputs would stop at the first signature, so three targets sign
// after the change: a signer who says anything, a log that enters anything, and a log that notes anything.
//
// SPDX-License-Identifier: Apache-2.0

import { createPublicKey, sign } from 'node:crypto';
import { makeAnchors } from '../../src/adapters/sigstore/anchors.ts';
import { readAttestation } from '../../src/adapters/sigstore/attestation.ts';
import {
  type ClientAnchors,
  collectFactUnder,
  makeClientAnchors,
} from '../../src/adapters/sigstore/client.ts';
import { readContent } from '../../src/adapters/sigstore/content.ts';
import { err } from '../../src/core/result.ts';
import { type Demand, judgeClient } from '../../src/core/verify/client.ts';
import { judge } from '../../src/core/verify/judge.ts';
import { digestOf } from '../../src/wire/content.ts';
import { parseTrustedRoot } from '../../src/wire/trusted-root.ts';
import { ARTIFACT, ARTIFACT_DIGEST } from '../support/client-bundles.ts';
import { enterThing, isV2, keyed, thingOf } from '../support/client-cases/case.ts';
import { ISSUER, SUBJECT } from '../support/keyless.ts';
import {
  bodyOf,
  bundleOf,
  type EntryKind,
  type Leaf,
  makeLeaf,
  makePaperSigstore,
  type PaperBundle,
  type PaperSigstore,
  type SignedThing,
  stamp,
} from '../support/paper-sigstore.ts';
import { unwrap } from '../support/result.ts';
import {
  encodeJson,
  type makeSignedBundle,
  PAYLOAD_TYPE,
  type TestSigner,
  trustIn,
} from '../support/signed-bundle.ts';
import { makeContext } from '../support/verify.ts';
import { type Target, word } from './target.ts';

type Signed = Awaited<ReturnType<typeof makeSignedBundle>>;

/** Everything that verifies signatures. */
export async function signedTargets(by: TestSigner, signed: Signed): Promise<readonly Target[]> {
  return [clientTarget(by, signed), ...admissions(by, signed), ...(await logged())];
}

function clientTarget(by: TestSigner, { bytes }: Signed): Target {
  const anchors = unwrap(makeClientAnchors(by.publicKeyPem, null));
  const [first = Buffer.alloc(0), ...more] = bytes.attestations;
  const payloads = bytes.attestations.map(payloadOf);
  return {
    name: 'bundle',
    form: 'json',
    seeds: [first, ...more],
    run: (input) => {
      const fact = collectFactUnder(anchors, { bundle: input, artifact: bytes.digest });
      if (!fact.ok) return word(fact);
      // Who can change a bundle so that it still verifies has changed nothing that was signed.
      if (!payloads.includes(payloadOf(input))) throw new Error('another payload verifies');
      return word(judgeClient(fact.value, { kind: 'key' }, bytes.digest));
    },
  };
}

function admissions(by: TestSigner, signed: Signed): readonly Target[] {
  const trust = trustIn(by);
  const anchors = unwrap(makeAnchors(trust));
  const content = unwrap(readContent(signed.bytes));
  const [release = Buffer.alloc(0), provenance = Buffer.alloc(0)] = signed.bytes.attestations;
  const [saysRelease, saysProvenance] = [release, provenance].map((it) =>
    readAttestation(it, anchors),
  );
  if (saysRelease === undefined || saysProvenance === undefined) throw new Error('not signed');
  const context = makeContext();
  const { digest } = signed.bytes;
  const admit = (input: Uint8Array, beside: typeof saysRelease): string => {
    const attestations = [readAttestation(input, anchors), beside];
    const verdict = judge({ digest, ...content, attestations, unread: [] }, trust, context);
    if (verdict.kind === 'accepted') return 'accepted';
    return verdict.failures.map((it) => word(err(it))).join();
  };
  const isOurs = (statement: Uint8Array) => Buffer.from(statement).includes(digest.slice(7));
  return [
    {
      name: 'admission',
      form: 'json',
      seeds: [release],
      run: (input) => {
        const said = admit(input, saysProvenance);
        if (said === 'accepted' && payloadOf(input) !== payloadOf(release)) {
          throw new Error('an altered release is admitted');
        }
        return said;
      },
    },
    ...([saysProvenance, saysRelease] as const).map(
      (beside, at): Target => ({
        name: at === 0 ? 'release' : 'provenance',
        form: 'json',
        seeds: [at === 0 ? signed.release : signed.provenance],
        run: (input) => {
          const said = admit(attest(input, by), beside);
          if (said === 'accepted' && !isOurs(input)) throw new Error('about another bundle');
          return said;
        },
      }),
    ),
  ];
}

/** What a signer who says anything would attach. */
function attest(statement: Uint8Array, by: TestSigner): Uint8Array {
  const head = Buffer.from(`DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${statement.length} `);
  const sig = sign('sha256', Buffer.concat([head, statement]), by.privateKey).toString('base64');
  const payload = Buffer.from(statement).toString('base64');
  return encodeJson({
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: { publicKey: { hint: by.fingerprint } },
    dsseEnvelope: { payload, payloadType: PAYLOAD_TYPE, signatures: [{ sig }] },
  });
}

const KINDS: readonly (readonly [SignedThing['kind'], EntryKind])[] = [
  ['file', 'hashedrekord 0.0.1'],
  ['file', 'hashedrekord 0.0.2'],
  ['statement', 'dsse 0.0.1'],
  ['statement', 'intoto 0.0.2'],
  ['statement', 'hashedrekord 0.0.2'],
  ['statement', 'dsse 0.0.2'],
];

interface LoggedThing {
  readonly thing: SignedThing;
  readonly entry: EntryKind;
  readonly stamps: readonly string[];
}

async function logged(): Promise<readonly Target[]> {
  const world = await makePaperSigstore();
  const by = await makeLeaf(world.authority);
  const things: LoggedThing[] = [];
  for (const [kind, entry] of KINDS) {
    const thing = thingOf(kind, by);
    const stamps = isV2(entry) ? [await stamp(world.stamper, thing.signature)] : [];
    things.push({ thing, entry, stamps });
  }
  const root = unwrap(parseTrustedRoot(encodeJson(world.root)));
  const identity = { kind: 'identity', issuer: ISSUER, subject: SUBJECT } as const;
  const key = keyed();
  // Entries and notes are checked alike under a key, without the cost of chains and timestamps.
  const underKey = verifier(unwrap(makeClientAnchors(key.pem, root)), { kind: 'key' });
  return [
    keyless(world, by, things, verifier(unwrap(makeClientAnchors(null, root)), identity)),
    logBody(world, key, underKey),
    note(world, key, underKey),
  ];
}

type Verify = (bundle: Uint8Array) => string;

function verifier(anchors: ClientAnchors, demand: Demand): Verify {
  const artifact = digestOf(ARTIFACT);
  return (bundle) => {
    const fact = collectFactUnder(anchors, { bundle, artifact: ARTIFACT });
    return fact.ok ? word(judgeClient(fact.value, demand, artifact)) : word(fact);
  };
}

/** Whole bundles under a certificate, in logs of both versions. */
function keyless(
  world: PaperSigstore,
  by: Leaf,
  things: readonly LoggedThing[],
  verify: Verify,
): Target {
  const bundles = things.map(({ thing, entry, stamps }) =>
    bundleOf(thing, by, [enterThing(world, thing, by, { entry })], stamps),
  );
  const [first = Buffer.alloc(0), ...more] = bundles.map(encodeJson);
  const signatures = bundles.map(signatureOf);
  return {
    name: 'keyless',
    form: 'json',
    seeds: [first, ...more],
    run: (input) => {
      const said = verify(input);
      if (said !== 'ok') return said;
      const bundle = JSON.parse(Buffer.from(input).toString()) as PaperBundle;
      if (!signatures.includes(signatureOf(bundle))) throw new Error('another signature verifies');
      return said;
    },
  };
}

/** A log that enters anything: proofs and promises are good for whatever the body says. */
function logBody(
  world: PaperSigstore,
  by: Leaf & { readonly pem: string },
  verify: Verify,
): Target {
  const things = KINDS.map(([kind, entry]) => ({ thing: thingOf(kind, by), entry }));
  const bodies = things.map(({ thing, entry }) => bodyOf(entry, thing, by));
  const [first = Buffer.alloc(0), ...more] = bodies.map(encodeJson);
  const der = by.publicKey.export({ type: 'spki', format: 'der' });
  return {
    name: 'log-body',
    form: 'json',
    seeds: [first, ...more],
    run: (input) => {
      const body = parseBody(input);
      if (body === null) return 'no body';
      const said = new Set<string>();
      for (const { thing, entry } of things) {
        if (!entry.startsWith(`${body.kind} `)) continue;
        const promisedAt = Math.floor(world.clock.getTime() / 1000);
        const found = isV2(entry)
          ? world.logs.v2.enter(body)
          : world.logs.v1.enter(body, { promisedAt });
        const answer = verify(encodeJson(bundleOf(thing, by, [found], [])));
        said.add(answer);
        // What is logged is compared by its bytes: the library skips what is no base64.
        const told = readingsOf(
          JSON.parse(Buffer.from(found.canonicalizedBody, 'base64').toString()),
        );
        const isAbout = [thing.signature, der].every((it) => told.some((one) => one.equals(it)));
        if (answer === 'ok' && !isAbout) throw new Error('an entry about something else counts');
      }
      return [...said].sort().join();
    },
  };
}

/** A log that notes anything about the tree of one entry. */
function note(world: PaperSigstore, by: Leaf, verify: Verify): Target {
  const thing = thingOf('file', by);
  const body = bodyOf('hashedrekord 0.0.2', thing, by);
  const enter = (text: string) =>
    world.logs.v2.enter(body, {
      others: 3,
      note: (it, log) => `${text}\n${it.signedBy(log, text)}`,
    });
  const good = world.logs.v2.enter(body, { others: 3 }).inclusionProof?.checkpoint.envelope ?? '';
  const text = good.slice(0, good.indexOf('\n\n') + 1);
  const tree = (it: string) => it.split('\n').slice(1, 3).join();
  return {
    name: 'note',
    form: 'lines',
    seeds: [Buffer.from(text)],
    run: (input) => {
      const changed = Buffer.from(input).toString('utf8');
      const said = verify(encodeJson(bundleOf(thing, by, [enter(changed)], [])));
      if (said === 'ok' && tree(changed) !== tree(text)) throw new Error('a note of another tree');
      return said;
    },
  };
}

function parseBody(input: Uint8Array): ReturnType<typeof bodyOf> | null {
  try {
    // Twice: a number that is too large reads as infinite, and no log can write that.
    const text = JSON.stringify(JSON.parse(Buffer.from(input).toString()));
    const body = JSON.parse(text) as ReturnType<typeof bodyOf> | null;
    return typeof body?.kind === 'string' && typeof body.apiVersion === 'string' ? body : null;
  } catch (cause) {
    if (cause instanceof SyntaxError) return null;
    throw cause;
  }
}

/** Every text of a body as the bytes that a lenient reader finds in it: base64, twice, and keys in PEM. */
function readingsOf(value: unknown): readonly Buffer[] {
  if (typeof value === 'string') {
    const once = Buffer.from(value, 'base64');
    const twice = Buffer.from(once.toString('latin1'), 'base64');
    return once.includes('-----BEGIN') ? [once, twice, keyIn(once)] : [once, twice];
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(readingsOf);
}

function keyIn(pem: Buffer): Buffer {
  try {
    return createPublicKey(pem).export({ type: 'spki', format: 'der' });
  } catch {
    return pem;
  }
}

function payloadOf(bundle: Uint8Array): string {
  return JSON.parse(Buffer.from(bundle).toString()).dsseEnvelope.payload as string;
}

function signatureOf({ messageSignature, dsseEnvelope }: PaperBundle): string {
  const [envelope] = dsseEnvelope?.signatures ?? [];
  return `${messageSignature?.signature} ${envelope?.sig} ${dsseEnvelope?.payload} ${ARTIFACT_DIGEST}`;
}
