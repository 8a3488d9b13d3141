// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import type { PathFact } from '../core/enforcer/kernel.ts';
import { isLasting, nameToLookUp } from './name-only.ts';

const EXT4 = 0xef53n;
const FAT = 0x4d44n;
const NFS = 0x6969n;

const fact = (magic: bigint, dev: number): PathFact => ({
  dev,
  ino: 1n,
  gen: 0,
  sub: 0n,
  nlink: 1,
  mode: 0o040755,
  magic,
  folds: false,
});
const root = fact(EXT4, 1);
const code = (name: string, directory: PathFact, above: PathFact | undefined) => {
  const result = nameToLookUp(`/mnt/${name}`, name, directory, above);
  return result.ok ? result.value : result.error.code;
};

describe('an identity', () => {
  it('lasts, unless the file system gives out new ones', () => {
    expect(isLasting(root, root)).toBe(true);
    expect(isLasting(fact(FAT, 2), fact(FAT, 2))).toBe(false);
    expect(isLasting(fact(NFS, 2), fact(NFS, 2))).toBe(false);
  });

  it('lasts for the root of any file system, which stays while it is mounted', () => {
    expect(isLasting(fact(FAT, 2), root)).toBe(true);
  });
});

describe('a name', () => {
  it('is looked up as it is where identities last', () => {
    expect(code('Some File', root, root)).toBe('Some File');
  });

  it('is looked up folded where it compares without case, and refused beyond ASCII', () => {
    expect(code('Some File.', { ...root, folds: true }, root)).toBe('some file.');
    expect(code('größe', { ...root, folds: true }, root)).toBe('stage/folded-names');
  });

  it('is enough in the root of a file system without lasting identities', () => {
    expect(code('Some File', fact(NFS, 2), root)).toBe('Some File');
  });

  it('is looked up folded on FAT', () => {
    expect(code('GRUB.CFG', fact(FAT, 2), root)).toBe('grub.cfg');
  });

  it.each(['a long name.text', 'ninechars', 'two.dots.a', 'b.text', 'größe', 'a b'])(
    'is refused on FAT when it has other spellings: %s',
    (name) => {
      expect(code(name, fact(FAT, 2), root)).toBe('stage/unstable-identity');
    },
  );

  it('is refused below a directory whose identity does not last', () => {
    expect(code('grub.cfg', fact(FAT, 2), fact(FAT, 2))).toBe('stage/unstable-identity');
    expect(code('file', fact(NFS, 2), fact(NFS, 2))).toBe('stage/unstable-identity');
    expect(code('file', fact(NFS, 2), undefined)).toBe('stage/unstable-identity');
  });
});
