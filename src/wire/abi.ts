// The layouts of bpf/include/abi.h: packs a generation's image into the bytes that the native loader
// fills maps with, and unpacks what the kernel reports. Little-endian, no implicit padding; a test in
// test/native/ compares every size and offset with what a C compiler says of the header.
//
// Invariant: equal images give equal bytes and digests, whatever bank and generation they go to.
//
// SPDX-License-Identifier: Apache-2.0

import { createHash } from 'node:crypto';
import { type Digest, parseDigest } from '../core/digest.ts';
import type {
  ExemptRow,
  GenerationImage,
  GroupRow,
  ImageObject,
  RuleSet,
} from '../core/image/image.ts';
import type { Identity } from '../core/image/resolution.ts';
import { invariant } from '../core/result.ts';
import { concat, Packer } from './packer.ts';

const ABI = {
  rulesMax: 1024,
  words: 16,
  nameBytes: 256,
  ops: 16,
  objectHasNames: 1,
  exemptExe: 1,
  exemptUid: 2,
  exemptParent: 4,
  exemptGroup: 8,
} as const;

/** Sizes in bytes, as a C compiler must give them. */
export const SIZE = {
  ruleset: 128,
  identity: 24,
  object: 24,
  nameKey: 280,
  exemptKey: 20,
  groupKey: 260,
  group: 16,
  generation: 2360,
} as const;

/** The byte arrays of one bank; tables are rows of key and value, sorted by the key's bytes. */
export interface PackedImage {
  readonly header: Uint8Array;
  readonly objects: Uint8Array;
  readonly names: Uint8Array;
  readonly labels: Uint8Array;
  readonly exempt: Uint8Array;
  readonly groups: Uint8Array;
  readonly digest: Digest;
}

/** Packs an image for a bank and a generation number (both >= their C minimum). */
export function packImage(
  image: GenerationImage,
  place: { readonly generation: number; readonly bank: number },
): PackedImage {
  invariant(image.rules <= ABI.rulesMax, 'the image fits a ruleset');
  const tables = {
    objects: packRows(
      image.objects.map(({ identity, object }) => [packIdentity(identity), packObject(object)]),
    ),
    names: packRows(
      image.names.map(({ parent, name, object }) => [
        concat([packIdentity(parent), packName(name)]),
        packObject(object),
      ]),
    ),
    labels: packRows(image.labels.map((set, label) => [packU32(label), packRuleSet(set)])),
    exempt: packRows(image.exempt.map((row) => [packExemptKey(row), packU32(row.label)])),
    groups: packRows(
      image.groups.map((row) => [
        concat([packU32(row.node), packName(Buffer.from(row.name, 'utf8'))]),
        packGroup(row),
      ]),
    ),
  };
  const digest = digestOf(packHeader(image, 0, 0, new Uint8Array(32)), tables);
  const header = packHeader(image, place.generation, place.bank, digest);
  return { header, ...tables, digest: toDigest(digest) };
}

/** The digest of what was read back: the header's place and digest fields do not count. */
export function digestPacked(packed: Omit<PackedImage, 'digest'>): Digest {
  const header = packed.header.slice();
  header.fill(0, 0, 12); // generation, bank
  header.fill(0, 16, 48); // digest; `rules` before it counts
  return toDigest(digestOf(header, packed));
}

/** What a header says of its generation. */
export interface HeaderFields {
  readonly generation: number;
  readonly bank: number;
  readonly rules: number;
  readonly digest: Digest;
}

/** Reads the fields of a packed header; null when it has another size. */
export function unpackHeader(header: Uint8Array): HeaderFields | null {
  if (header.length !== SIZE.generation) return null;
  const view = new DataView(header.buffer, header.byteOffset, header.length);
  return {
    generation: Number(view.getBigUint64(0, true)),
    bank: view.getUint32(8, true),
    rules: view.getUint32(12, true),
    digest: toDigest(header.subarray(16, 48)),
  };
}

type TableBytes = Pick<PackedImage, 'objects' | 'names' | 'labels' | 'exempt' | 'groups'>;

// Lengths stand before the tables, so that rows cannot move from one table to the next unnoticed.
function digestOf(header: Uint8Array, tables: TableBytes): Uint8Array {
  const hash = createHash('sha256').update(header);
  const { objects, names, labels, exempt, groups } = tables;
  for (const table of [objects, names, labels, exempt, groups]) {
    hash.update(new Packer(8).u64(BigInt(table.length)).bytes).update(table);
  }
  return hash.digest();
}

function toDigest(bytes: Uint8Array): Digest {
  const digest = parseDigest(`sha256:${Buffer.from(bytes).toString('hex')}`);
  invariant(digest.ok, 'a SHA-256 digest has 32 bytes');
  return digest.value;
}

function packHeader(
  image: GenerationImage,
  generation: number,
  bank: number,
  digest: Uint8Array,
): Uint8Array {
  const packer = new Packer(SIZE.generation)
    .u64(BigInt(generation))
    .u32(bank)
    .u32(image.rules)
    .raw(digest)
    .raw(packRuleSet(image.enforce));
  for (let op = 0; op < ABI.ops; op += 1) packer.raw(packRuleSet(image.op[op] ?? 0n));
  return packer
    .raw(packRuleSet(image.scoped))
    .u32(image.exempt.reduce((bits, row) => bits | (1 << matchOf(row)), 0))
    .u32(image.groups.length === 0 ? 0 : 1).bytes;
}

/** Packs `struct wd_identity`. */
export function packIdentity({ ino, sub, dev, gen }: Identity): Uint8Array {
  return new Packer(SIZE.identity).u64(ino).u64(sub).u32(dev).u32(gen).bytes;
}

function packName(name: Uint8Array): Uint8Array {
  invariant(name.length > 0 && name.length < ABI.nameBytes, 'a name has 1 to 255 bytes');
  return new Packer(ABI.nameBytes).raw(name).bytes;
}

function packObject({ self, tree, ancestor, exe, hasNames }: ImageObject): Uint8Array {
  return new Packer(SIZE.object)
    .u32(self)
    .u32(tree)
    .u32(ancestor)
    .u32(exe)
    .u32(hasNames ? ABI.objectHasNames : 0).bytes;
}

/** Packs `struct wd_ruleset`. */
export function packRuleSet(set: RuleSet): Uint8Array {
  const packer = new Packer(SIZE.ruleset);
  for (let word = 0; word < ABI.words; word += 1) {
    packer.u64((set >> BigInt(64 * word)) & 0xffff_ffff_ffff_ffffn);
  }
  return packer.bytes;
}

function packExemptKey(row: ExemptRow): Uint8Array {
  return new Packer(SIZE.exemptKey)
    .u32(row.exe ?? 0)
    .u32(row.parent ?? 0)
    .u32(row.group ?? 0)
    .u32(row.uid ?? 0)
    .u32(matchOf(row)).bytes;
}

function matchOf({ exe, parent, group, uid }: ExemptRow): number {
  return (
    (exe === null ? 0 : ABI.exemptExe) |
    (uid === null ? 0 : ABI.exemptUid) |
    (parent === null ? 0 : ABI.exemptParent) |
    (group === null ? 0 : ABI.exemptGroup)
  );
}

function packGroup({ next, group, scope }: GroupRow): Uint8Array {
  return new Packer(SIZE.group).u32(next).u32(group).u32(scope).bytes;
}

function packU32(value: number): Uint8Array {
  return new Packer(4).u32(value).bytes;
}

function packRows(rows: readonly (readonly [Uint8Array, Uint8Array])[]): Uint8Array {
  const sorted = [...rows].sort(([a], [b]) => Buffer.compare(a, b));
  return concat(sorted.flat());
}
