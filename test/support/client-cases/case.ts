// What a case of the sigstore clients' protocol is, and the bundles that cases bend.
//
// SPDX-License-Identifier: Apache-2.0

import type { ErrorCode } from '../../../src/core/errors.ts';
import { ARTIFACT, ARTIFACT_DIGEST, statementAbout } from '../client-bundles.ts';
import type { Note, NoteSigner } from '../paper-log.ts';
import {
  bodyOf,
  bundleOf,
  type EntryKind,
  ecdsa,
  type Leaf,
  makeLeaf,
  type PaperBundle,
  type PaperRoot,
  type PaperSigstore,
  type SignedThing,
  signThing,
  stamp,
} from '../paper-sigstore.ts';

/** What is asked, as the command would ask it. */
export interface Asked {
  /** A value for JSON, or the text itself. */
  readonly bundle: PaperBundle | Readonly<Record<string, unknown>> | string;
  /** The one of the world, where none is given. */
  readonly root?: PaperRoot | Readonly<Record<string, unknown>>;
  readonly artifact?: Buffer;
  /** The key that must have signed; an identity is demanded otherwise. */
  readonly key?: string;
}

export interface ClientCase {
  readonly name: string;
  readonly odd: string;
  /** Ours; the public suite's is the same but for `theirs`. */
  readonly verdict: 'verified' | ErrorCode;
  readonly theirs?: { readonly accepts: boolean; readonly why: string };
  make(world: PaperSigstore): Promise<Asked> | Asked;
}

export interface How {
  readonly thing?: SignedThing['kind'];
  readonly entry?: EntryKind;
  readonly by?: Leaf;
  readonly statement?: unknown;
  readonly others?: 0 | 3;
  readonly note?: (note: Note, log: NoteSigner) => string;
}

export const isV2 = (entry: EntryKind): boolean => /^(?:hashedrekord|dsse) 0\.0\.2$/.test(entry);

export function thingOf(kind: SignedThing['kind'], by: Leaf, statement?: unknown): SignedThing {
  const about = statement ?? statementAbout(ARTIFACT_DIGEST);
  const bytes = kind === 'file' ? ARTIFACT : Buffer.from(JSON.stringify(about));
  return signThing(kind, bytes, by);
}

/** The entry of a signed thing: promised in a log of version 1, proven alone in one of version 2. */
export function enterThing(world: PaperSigstore, thing: SignedThing, by: Leaf, how: How = {}) {
  const { entry = 'hashedrekord 0.0.1', others = 0, note } = how;
  const more = { others, ...(note === undefined ? {} : { note }) };
  const body = bodyOf(entry, thing, by);
  if (isV2(entry)) return world.logs.v2.enter(body, more);
  const promisedAt = Math.floor(world.clock.getTime() / 1000);
  return world.logs.v1.enter(body, { promisedAt, ...more });
}

/** A good bundle, as far as nothing in `how` is odd. */
export async function make(world: PaperSigstore, how: How = {}): Promise<PaperBundle> {
  const by = how.by ?? (await makeLeaf(world.authority));
  const thing = thingOf(how.thing ?? 'file', by, how.statement);
  const stamps = isV2(how.entry ?? 'hashedrekord 0.0.1')
    ? [await stamp(world.stamper, thing.signature)]
    : [];
  return bundleOf(thing, by, [enterThing(world, thing, by, how)], stamps);
}

/** Somebody with a key and no certificate. */
export function keyed(): Leaf & { readonly pem: string } {
  const keys = ecdsa();
  const pem = keys.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  return { ...keys, certificate: null, pem };
}

/** The only entry of a bundle, to bend. */
export function entryOf(bundle: PaperBundle) {
  const [entry] = bundle.verificationMaterial.tlogEntries;
  if (entry?.inclusionProof === undefined) throw new Error('no entry with a proof');
  return { entry, proof: entry.inclusionProof };
}

/** In the form of an older version, with more certificates after the signer's. */
export function asOlder(
  bundle: PaperBundle,
  version: '0.1' | '0.2' | '0.3',
  more: readonly string[] = [],
): PaperBundle {
  const { certificate, ...material } = bundle.verificationMaterial;
  const mediaType = `application/vnd.dev.sigstore.bundle+json;version=${version}`;
  if (version === '0.3' || certificate === undefined) return { ...bundle, mediaType };
  const certificates = [certificate, ...more.map((rawBytes) => ({ rawBytes }))];
  return {
    ...bundle,
    mediaType,
    verificationMaterial: { ...material, x509CertificateChain: { certificates } },
  };
}

export function flip(base64: string, at: number): string {
  const bytes = Buffer.from(base64, 'base64');
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return bytes.toString('base64');
}
