// Cases of transparency logs: notes about trees, proofs, promises, and entries about something else.
//
// SPDX-License-Identifier: Apache-2.0

import { ARTIFACT_DIGEST, statementAbout } from '../client-bundles.ts';
import { makeNoteSigner, makePaperLog, type Note, type NoteSigner } from '../paper-log.ts';
import {
  bodyOf,
  bundleOf,
  type EntryKind,
  makeLeaf,
  type PaperBundle,
  type PaperSigstore,
  signThing,
  stamp,
} from '../paper-sigstore.ts';
import {
  asOlder,
  type ClientCase,
  enterThing,
  entryOf,
  flip,
  isV2,
  make,
  thingOf,
} from './case.ts';

const V2 = 'hashedrekord 0.0.2';
const witness = makeNoteSigner('witness.example.com', 'ed25519');
const second = makeNoteSigner('second.example.com', 'ed25519');

type WriteNote = (note: Note, log: NoteSigner) => string;

function noted(
  name: string,
  odd: string,
  verdict: ClientCase['verdict'],
  note: WriteNote,
  entry: EntryKind = V2,
): ClientCase {
  return {
    name,
    odd,
    verdict,
    make: async (world) => ({ bundle: await make(world, { entry, note }) }),
  };
}

const sharedName = (log: NoteSigner): NoteSigner => ({
  ...makeNoteSigner(log.name, 'ed25519'),
  name: log.name,
});
const lines = (note: Note, keep: (line: string, at: number) => boolean): string =>
  `${note.text.trimEnd().split('\n').filter(keep).join('\n')}\n`;

const notes: readonly ClientCase[] = [
  noted('note-cosigned', 'a witness signed the note too', 'verified', (note, log) =>
    [note.text, note.signedBy(log) + note.signedBy(witness)].join('\n'),
  ),
  noted('note-cosigned-twice', 'two witnesses signed the note too', 'verified', (note, log) =>
    [note.text, note.signedBy(log) + note.signedBy(witness) + note.signedBy(second)].join('\n'),
  ),
  noted(
    'note-log-not-first',
    'the signature of the log is not the first',
    'verified',
    (note, log) => [note.text, note.signedBy(witness) + note.signedBy(log)].join('\n'),
  ),
  noted(
    'note-two-of-log',
    'the log signed with a key unknown to the root too',
    'verified',
    (note, log) => [note.text, note.signedBy(sharedName(log)) + note.signedBy(log)].join('\n'),
  ),
  noted('note-two-of-log-cosigned', 'the same, with a witness', 'verified', (note, log) =>
    [note.text, note.signedBy(sharedName(log)) + note.signedBy(log) + note.signedBy(witness)].join(
      '\n',
    ),
  ),
  noted(
    'note-unsigned',
    'nobody signed the note',
    'verify/tlog-invalid',
    (note) => `${note.text}\n`,
  ),
  noted('note-of-witness-alone', 'a witness signed the note, the log did not', TLOG(), (note) =>
    [note.text, note.signedBy(witness)].join('\n'),
  ),
  noted('note-without-origin', 'the note does not say of which log it is', TLOG(), (note, log) => {
    const text = lines(note, (_, at) => at !== 0);
    return [text, note.signedBy(log, text)].join('\n');
  }),
  noted('note-without-size', 'the note does not say the size', TLOG(), (note, log) => {
    const text = lines(note, (_, at) => at !== 1);
    return [text, note.signedBy(log, text)].join('\n');
  }),
  noted('note-without-root', 'the note does not say the root hash', TLOG(), (note, log) => {
    const text = lines(note, (_, at) => at !== 2);
    return [text, note.signedBy(log, text)].join('\n');
  }),
  ...(['hashedrekord 0.0.1', V2] as const).flatMap((entry) => [
    noted(
      `note-bad-key-hint-${short(entry)}`,
      'the hint of the signature is of another key',
      TLOG(),
      (note, log) =>
        [
          note.text,
          note.signedBy({ ...log, id: Buffer.from(flip(log.id.toString('base64'), 0), 'base64') }),
        ].join('\n'),
      entry,
    ),
    noted(
      `note-bad-signature-${short(entry)}`,
      'the signature is over another note',
      TLOG(),
      (note, log) => [note.text, note.signedBy(log, `${note.text}x`)].join('\n'),
      entry,
    ),
    noted(
      `note-other-tree-${short(entry)}`,
      'a good note of the same log about another tree',
      TLOG(),
      (note, log) => {
        const text = note.text.replace(
          /\n[^\n]*\n$/,
          `\n${Buffer.alloc(32, 7).toString('base64')}\n`,
        );
        return [text, note.signedBy(log, text)].join('\n');
      },
      entry,
    ),
  ]),
];

function bent(
  name: string,
  odd: string,
  verdict: ClientCase['verdict'],
  how: Parameters<typeof make>[1],
  bend: (bundle: PaperBundle, world: PaperSigstore) => void = () => undefined,
): ClientCase {
  return {
    name,
    odd,
    verdict,
    make: async (world) => {
      const bundle = await make(world, how);
      bend(bundle, world);
      return { bundle };
    },
  };
}

const proofs: readonly ClientCase[] = [
  bent('proof-in-larger-tree', 'nothing; the third of four entries', 'verified', { others: 3 }),
  bent('proof-corrupted-hash', 'one bit of a hash is flipped', TLOG(), { others: 3 }, (bundle) => {
    const { hashes } = entryOf(bundle).proof;
    hashes[0] = flip(hashes[0] ?? '', 3);
  }),
  bent(
    'proof-of-other-place',
    'the proof is for another index',
    TLOG(),
    { others: 3 },
    (bundle) => {
      entryOf(bundle).proof.logIndex = '1';
    },
  ),
  bent('proof-too-short', 'the proof is of a smaller tree', TLOG(), { others: 3 }, (bundle) => {
    entryOf(bundle).proof.hashes.pop();
  }),
  {
    name: 'proof-missing',
    odd: 'version 0.2 with a promise and no proof',
    verdict: 'verify/bundle-invalid',
    make: async (world) => {
      const bundle = asOlder(
        await make(world, { thing: 'statement', entry: 'intoto 0.0.2' }),
        '0.2',
      );
      delete entryOf(bundle).entry.inclusionProof;
      return { bundle };
    },
  },
  bent('proof-missing-rekor2', 'no proof', 'verify/bundle-invalid', { entry: V2 }, (bundle) => {
    delete entryOf(bundle).entry.inclusionProof;
  }),
  {
    name: 'v0.1-proof-without-note',
    odd: 'version 0.1 with a promise, and a proof that lacks the note (clients before 2023)',
    verdict: 'verify/bundle-invalid',
    theirs: { accepts: true, why: 'a proof that nobody can check must not look like one' },
    make: async (world) => {
      const bundle = asOlder(await make(world), '0.1');
      const { proof } = entryOf(bundle);
      Reflect.deleteProperty(proof, 'checkpoint');
      return { bundle };
    },
  },
  bent('entry-without-any', 'no log entry', 'verify/timestamp-missing', {}, (bundle) => {
    bundle.verificationMaterial.tlogEntries = [];
  }),
  bent('entry-twice', 'the same entry twice', TLOG(), { entry: V2 }, (bundle) => {
    const { tlogEntries } = bundle.verificationMaterial;
    tlogEntries.push(...tlogEntries);
  }),
  {
    name: 'entry-of-unknown-log',
    odd: 'a good entry, in a log that the root does not list',
    verdict: TLOG(),
    make: async (world) => {
      const logs = { ...world.logs, v2: makePaperLog(world.logs.v2.name, 'ed25519') };
      return { bundle: await make({ ...world, logs }, { entry: V2 }) };
    },
  },
  bent('promise-bad-signature', 'the promise is signed by nobody', TLOG(), {}, (bundle) => {
    const { inclusionPromise } = entryOf(bundle).entry;
    if (inclusionPromise === undefined) throw new Error('no promise');
    inclusionPromise.signedEntryTimestamp = flip(inclusionPromise.signedEntryTimestamp, 40);
  }),
  bent('promise-other-time', 'the promised time was changed', TLOG(), {}, (bundle) => {
    const { entry } = entryOf(bundle);
    entry.integratedTime = String(Number(entry.integratedTime) + 1);
  }),
  bent(
    'entry-unknown-kind',
    'the entry says that it is of a kind nobody knows',
    TLOG(),
    { entry: V2 },
    (bundle) => {
      entryOf(bundle).entry.kindVersion = { kind: 'hashedrekord', version: '9.9.9' };
    },
  ),
];

const KINDS = [
  ['file', 'hashedrekord 0.0.1'],
  ['file', 'hashedrekord 0.0.2'],
  ['statement', 'dsse 0.0.1'],
  ['statement', 'intoto 0.0.2'],
  ['statement', 'hashedrekord 0.0.1'],
  ['statement', 'hashedrekord 0.0.2'],
  ['statement', 'dsse 0.0.2'],
] as const;

/** What of one signing stands in the bundle of another. */
type Swap = 'nothing' | 'signature' | 'content' | 'signer' | 'entry';
const SWAPS: readonly (readonly [Swap, string])[] = [
  ['nothing', 'nothing'],
  ['signature', 'the signature is another one of the same key over the same bytes'],
  ['content', 'what is signed is not what the log has, by the same key'],
  ['signer', 'the signature is of another key and certificate'],
  ['entry', 'the entry is of another signing, by another key (CVE-2022-36056)'],
];

const entries: readonly ClientCase[] = KINDS.flatMap(([thing, entry]) =>
  SWAPS.map(
    ([swap, odd]): ClientCase => ({
      name: `${thing}-in-${short(entry)}-${swap === 'nothing' ? 'happy' : `other-${swap}`}`,
      odd,
      verdict: swap === 'nothing' ? 'verified' : TLOG(),
      make: async (world) => ({ bundle: await swapped(world, thing, entry, swap) }),
    }),
  ),
);

async function swapped(
  world: PaperSigstore,
  kind: 'file' | 'statement',
  entry: EntryKind,
  swap: Swap,
): Promise<PaperBundle> {
  const by = await makeLeaf(world.authority);
  const other = swap === 'signer' || swap === 'entry' ? await makeLeaf(world.authority) : by;
  const logged = thingOf(kind, swap === 'entry' ? other : by);
  const more = { ...statementAbout(ARTIFACT_DIGEST), predicate: { second: true } };
  // A file has one content: the log then has another.
  const shown =
    swap === 'nothing'
      ? logged
      : thingOf(kind, swap === 'signer' ? other : by, swap === 'content' ? more : undefined);
  const before =
    swap === 'content' && kind === 'file' ? signThing('file', Buffer.from('other'), by) : logged;
  const found = enterThing(world, before, swap === 'entry' ? other : by, { entry });
  const stamps = isV2(entry) ? [await stamp(world.stamper, shown.signature)] : [];
  return bundleOf(shown, by, [found], stamps);
}

const aboutOthers: readonly ClientCase[] = [
  {
    name: 'entry-of-other-key',
    odd: 'a good entry with this signature and file, made by somebody else under another key',
    verdict: TLOG(),
    make: async (world) => {
      const [by, other] = [await makeLeaf(world.authority), await makeLeaf(world.authority)];
      const thing = thingOf('file', by);
      return { bundle: bundleOf(thing, by, [enterThing(world, thing, other)], []) };
    },
  },
  {
    name: 'entry-key-spelled-otherwise',
    odd: 'the log has the right key, with a character before it that is no base64 and that many readers skip',
    verdict: TLOG(),
    theirs: {
      accepts: true,
      why: 'it does not ask; one spelling counts, as everywhere in a bundle',
    },
    make: async (world) => {
      const by = await makeLeaf(world.authority);
      const thing = thingOf('file', by);
      const body = JSON.stringify(bodyOf(V2, thing, by));
      const found = world.logs.v2.enter(JSON.parse(body.replace('"rawBytes":"', '"rawBytes":"]')));
      return {
        bundle: bundleOf(thing, by, [found], [await stamp(world.stamper, thing.signature)]),
      };
    },
  },
  bent(
    'entry-altered-key',
    'the key in the entry was changed after it was logged',
    TLOG(),
    {},
    (bundle) => {
      const { entry } = entryOf(bundle);
      const body = JSON.parse(Buffer.from(entry.canonicalizedBody, 'base64').toString());
      body.spec.signature.publicKey.content = flip(body.spec.signature.publicKey.content, 60);
      entry.canonicalizedBody = Buffer.from(JSON.stringify(body)).toString('base64');
    },
  ),
];

export const LOGS: readonly ClientCase[] = [...notes, ...proofs, ...entries, ...aboutOthers];

function short(entry: EntryKind): string {
  return entry.replace(' 0.0.', '');
}

function TLOG(): ClientCase['verdict'] {
  return 'verify/tlog-invalid';
}
