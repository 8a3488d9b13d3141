// SPDX-License-Identifier: Apache-2.0
// What set-up finds out about the machine: its packages, where they come from, and why a command failed.

import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkElsewhere, findMissing } from './debian-packages.mjs';
import { findMirror, isDebian, readSources } from './mirrors.mjs';
import { hintFor } from './run.mjs';

const { PATH } = process.env;
let etc;

beforeEach(() => {
  etc = mkdtempSync(join(tmpdir(), 'warder-etc-'));
  mkdirSync(join(etc, 'apt/sources.list.d'), { recursive: true });
});
afterEach(() => {
  process.env.PATH = PATH;
  rmSync(etc, { recursive: true, force: true });
});

const write = (name, text) => writeFileSync(join(etc, name), text);

describe('packages', () => {
  it('count as missing when only half of their installation is done', () => {
    const query = join(etc, 'dpkg-query');
    writeFileSync(
      query,
      '#!/bin/sh\nprintf "clang installed\\nllvm half-configured\\nmake unpacked\\n"\n',
    );
    chmodSync(query, 0o755);
    process.env.PATH = `${etc}:${PATH}`;
    expect(findMissing(['clang', 'llvm', 'make', 'openssl'])).toEqual(['llvm', 'make', 'openssl']);
  });

  it('are all named at once where set-up cannot install them', () => {
    const has = (probe) => !['clang', '/usr/include/zlib.h'].includes(probe);
    const check = () => checkElsewhere({ has, tools: ['oras (1.3.3 or newer)'] });
    expect(check).toThrow(/lacks: clang, zlib1g-dev, oras \(1\.3\.3 or newer\)$/);
    expect(checkElsewhere({ has: () => true, tools: [] })).toBe(false);
  });
});

describe('mirrors', () => {
  it('are read from both formats of apt, without those that are off or hold no binaries', () => {
    write('os-release', 'PRETTY_NAME="x"\nVERSION_CODENAME=bookworm\nID=debian\n');
    write(
      'apt/sources.list',
      '# deb http://off.test/debian bookworm main\ndeb-src http://src.test bookworm main\n',
    );
    write(
      'apt/sources.list.d/one.sources',
      'Types: deb\nURIs: http://off.test\nSuites: bookworm\nComponents: main\nEnabled: no\n\n' +
        'Types: deb\n# a comment\nURIs: http://mirror.test/debian\nSuites: bookworm\n bookworm-updates\n' +
        'Components: main\nSigned-By: /usr/share/keyrings/a.gpg\n',
    );
    write(
      'apt/sources.list.d/two.list',
      'deb [arch=amd64 signed-by=/b.gpg] https://b.test stable extra main # x\n',
    );
    expect(findMirror({ etc })).toEqual({
      uri: 'http://mirror.test/debian',
      signedBy: '/usr/share/keyrings/a.gpg',
    });
    expect(readSources(join(etc, 'apt')).map(({ uri }) => uri)).toEqual([
      'http://mirror.test/debian',
      'https://b.test',
    ]);
  });

  it('are only looked for on Debian itself', () => {
    write('os-release', 'ID=ubuntu\nID_LIKE=debian\nVERSION_CODENAME=noble\n');
    expect(isDebian({ etc })).toBe(false);
    expect(() => findMirror({ etc })).toThrow(expect.objectContaining({ name: 'SetupError' }));
  });
});

describe('a failed command', () => {
  it.each([
    ['E: You do not have enough free space: No space left on device', /disk is full/],
    ['npm error code ENOSPC', /disk is full/],
    ["Err:1 Temporary failure resolving 'mirror.test'", /network/],
    ['Could not connect to mirror.test:80: Network is unreachable', /network/],
    ['npm error code EAI_AGAIN', /network/],
    ['npm error code SELF_SIGNED_CERT_IN_CHAIN', /certificate/],
    ['Certificate verification failed: The certificate is NOT trusted.', /certificate/],
  ])('is explained: %s', (output, hint) => {
    expect(hintFor(output)).toMatch(hint);
  });

  it('is not explained by guessing', () => {
    expect(hintFor('error: expected ; before network')).toBeUndefined();
  });
});
