// A transparency log that a test writes entry by entry: any kind of entry, any place in a small tree, any
// note about the tree, with promises or without. Keys, hashes and signatures are real.
//
// SPDX-License-Identifier: Apache-2.0

import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { toCanonicalJson } from '../../src/wire/canonical-json.ts';

const RFC6962 = { leaf: Buffer.of(0), node: Buffer.of(1) };
const START = '2020-01-01T00:00:00Z';

export interface PaperEntry {
  logIndex: string;
  logId: { keyId: string };
  kindVersion: { kind: string; version: string };
  integratedTime: string;
  canonicalizedBody: string;
  inclusionPromise?: { signedEntryTimestamp: string };
  inclusionProof?: {
    logIndex: string;
    rootHash: string;
    treeSize: string;
    hashes: string[];
    checkpoint: { envelope: string };
  };
}

/** Lines of a note as the log would write them, for a test to write others. */
export interface Note {
  /** Origin, size and root, each with its end of line. */
  readonly text: string;
  /** The line of somebody's signature over any text. */
  signedBy(who: NoteSigner, text?: string): string;
}

export interface NoteSigner {
  readonly name: string;
  readonly keys: { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
  /** What the first bytes of a signature are compared with. */
  readonly id: Buffer;
}

export interface PaperLog extends NoteSigner {
  /** What a trusted root says of it; the window is the test's to change. */
  readonly listed: ReturnType<typeof listLog>;
  /** Enters a body, with a signed promise of this second where there is one. */
  enter(body: Body, options?: Entering): PaperEntry;
}

interface Body {
  readonly kind: string;
  readonly apiVersion: string;
  readonly spec: unknown;
}

interface Entering {
  readonly promisedAt?: number;
  /** Other entries of the tree: none, or three with this one third. */
  readonly others?: 0 | 3;
  /** The signed note; the log's own signature by default. */
  readonly note?: (note: Note, log: NoteSigner) => string;
}

/** Who may sign notes: a log, or a witness of one. */
export function makeNoteSigner(name: string, key: 'p256' | 'ed25519'): NoteSigner {
  const keys =
    key === 'p256'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('ed25519');
  const der = keys.publicKey.export({ type: 'spki', format: 'der' });
  // Notes name Ed25519 keys by name and key, and ECDSA keys by the key alone.
  const named = Buffer.concat([Buffer.from(`${name}\n\x01`), der.subarray(-32)]);
  return { name, keys, id: sha256(key === 'p256' ? der : named) };
}

/** A log with a key of its own. */
export function makePaperLog(name: string, key: 'p256' | 'ed25519'): PaperLog {
  const signer = makeNoteSigner(name, key);
  return { ...signer, listed: listLog(signer), enter: (body, how) => enter(signer, body, how) };
}

function enter(log: NoteSigner, content: Body, how: Entering = {}): PaperEntry {
  const body = Buffer.from(toCanonicalJson(content));
  const { index, size, root, hashes } = place(sha256(RFC6962.leaf, body), how.others ?? 0);
  const note: Note = {
    text: `${log.name}\n${size}\n${root.toString('base64')}\n`,
    signedBy: (who, text) => signatureLine(who, text ?? note.text),
  };
  const write = how.note ?? ((it: Note, who: NoteSigner) => `${it.text}\n${it.signedBy(who)}`);
  const keyId = log.id.toString('base64');
  const entry: PaperEntry = {
    logIndex: String(index),
    logId: { keyId },
    kindVersion: { kind: content.kind, version: content.apiVersion },
    integratedTime: String(how.promisedAt ?? 0),
    canonicalizedBody: body.toString('base64'),
    inclusionProof: {
      logIndex: String(index),
      rootHash: root.toString('base64'),
      treeSize: String(size),
      hashes: hashes.map((it) => it.toString('base64')),
      checkpoint: { envelope: write(note, log) },
    },
  };
  if (how.promisedAt === undefined) return entry;
  const promised = {
    body: entry.canonicalizedBody,
    integratedTime: how.promisedAt,
    logIndex: index,
    logID: log.id.toString('hex'),
  };
  const signature = signBy(log, Buffer.from(toCanonicalJson(promised)));
  return { ...entry, inclusionPromise: { signedEntryTimestamp: signature.toString('base64') } };
}

function place(leaf: Buffer, others: 0 | 3) {
  if (others === 0) return { index: 0, size: 1, root: leaf, hashes: [] };
  const [first, second, last] = ['a', 'b', 'c'].map((it) => sha256(RFC6962.leaf, Buffer.from(it)));
  const left = sha256(RFC6962.node, first ?? leaf, second ?? leaf);
  const right = sha256(RFC6962.node, leaf, last ?? leaf);
  const root = sha256(RFC6962.node, left, right);
  return { index: 2, size: 4, root, hashes: [last ?? leaf, left] };
}

function signatureLine(who: NoteSigner, text: string): string {
  const signature = signBy(who, Buffer.from(text));
  const line = Buffer.concat([who.id.subarray(0, 4), signature]).toString('base64');
  return `\u2014 ${who.name} ${line}\n`;
}

function signBy({ keys }: NoteSigner, data: Buffer): Buffer {
  const isEdwards = keys.privateKey.asymmetricKeyType === 'ed25519';
  return sign(isEdwards ? null : 'sha256', data, keys.privateKey);
}

function listLog({ name, keys, id }: NoteSigner) {
  const isEdwards = keys.publicKey.asymmetricKeyType === 'ed25519';
  const validFor: { start?: string; end?: string } = { start: START };
  return {
    baseUrl: `https://${name}`,
    hashAlgorithm: 'SHA2_256',
    publicKey: {
      rawBytes: keys.publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
      keyDetails: isEdwards ? 'PKIX_ED25519' : 'PKIX_ECDSA_P256_SHA_256',
      validFor,
    },
    logId: { keyId: id.toString('base64') },
  };
}

export function sha256(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const it of parts) hash.update(it);
  return hash.digest();
}
