// What the repository as a whole promises: files that are named exist, generated documents are
// current, error codes are used, nothing unfinished or foreign lies about.
//
// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { generatedDocuments } from '../../packaging/docs/documents.ts';
import { ERRORS } from '../../src/core/errors.ts';
import { VERSION } from '../../src/core/product.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const files = execFileSync(
  'git',
  ['ls-files', '-z', '--cached', '--others', '--exclude-standard'],
  {
    cwd: ROOT,
    encoding: 'utf8',
  },
)
  .split('\0')
  .filter((it) => it !== '' && existsSync(join(ROOT, it)));
const text = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const sources = files.filter((it) =>
  /^(src|bpf|native|test|packaging|bench)\/.*\.(ts|mjs|c|h|cc|sh)$/.test(it),
);

interface Locked {
  readonly integrity?: string;
  readonly optional?: boolean;
  readonly os?: string | string[];
  readonly cpu?: string | string[];
  readonly libc?: string[];
}

function isForAnotherPlatform({ os = 'linux', cpu = 'x64', libc = ['glibc'] }: Locked): boolean {
  return !([os].flat().includes('linux') && [cpu].flat().includes('x64') && libc.includes('glibc'));
}

describe('repository', () => {
  it('keeps generated documents equal to what the code generates', async () => {
    for (const [path, content] of Object.entries(await generatedDocuments())) {
      expect(existsSync(join(ROOT, path)) ? text(path) : `${path} is missing`, path).toBe(content);
    }
  });

  it('keeps the version of the program equal to the package', () => {
    expect(VERSION).toBe(JSON.parse(text('package.json')).version);
  });

  it('emits every error code somewhere outside the table', () => {
    const code = sources
      .filter(
        (it) =>
          it.startsWith('src/') && !it.startsWith('src/core/errors') && !it.endsWith('.test.ts'),
      )
      .map(text)
      .join('\n');
    const unused = Object.keys(ERRORS).filter((it) => !code.includes(`'${it}'`));
    expect(unused).toEqual([]);
  });

  it('resolves every relative link of its documents', () => {
    const broken = files
      .filter((it) => it.endsWith('.md'))
      .flatMap((file) =>
        [...text(file).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)]
          .map((match) => join(dirname(file), match[1] ?? ''))
          .filter((target) => !existsSync(join(ROOT, target)))
          .map((target) => `${file} -> ${target}`),
      );
    expect(broken).toEqual([]);
  });

  it('names only existing files in the validation of each decision record', () => {
    const broken = files
      .filter((it) => it.startsWith('docs/adr/'))
      .flatMap((file) => {
        const validation = /\*\*Validation\.\*\*([\s\S]*)$/.exec(text(file))?.[1];
        if (validation === undefined) return [`${file}: no validation`];
        return [...validation.matchAll(/`((?:src|test|policies|docs)\/[^`]*)`/g)]
          .map((match) => match[1] ?? '')
          .filter((path) => !existsSync(join(ROOT, path)))
          .map((path) => `${file} -> ${path}`);
      });
    expect(broken).toEqual([]);
  });

  it('names only existing tests in the threat model', () => {
    const broken = [...text('docs/THREAT_MODEL.md').matchAll(/\b((?:test|src)\/[a-z0-9/._-]+)/g)]
      .map((match) => (match[1] ?? '').replace(/[.,]$/, ''))
      .filter((path) => !existsSync(join(ROOT, path)));
    expect(broken).toEqual([]);
  });

  it('holds no unfinished work, no host of a registry and no file over 512 kB', () => {
    const words = new RegExp(
      ['FIX', 'ME|TO', 'DO\\b|\\bX', 'XX\\b|registry\\.npm', 'js|deb\\.deb', 'ian'].join(''),
    );
    expect(sources.filter((it) => words.test(text(it)))).toEqual([]);
    expect(files.filter((it) => statSync(join(ROOT, it)).size > 512 * 1024)).toEqual([]);
  });

  it('takes of zod what it uses', () => {
    // The name `z` that zod exports is all of it, in every language: a third of each program's start.
    const whole = sources.filter((it) => /^import \{ z \} from 'zod'/m.test(text(it)));
    expect(whole).toEqual([]);
  });

  it('asks no clock and no chance outside adapters and entry points', () => {
    const offenders = sources
      .filter(
        (it) =>
          it.startsWith('src/') && !it.startsWith('src/adapters/') && !it.endsWith('.test.ts'),
      )
      .filter((it) =>
        /\b(Math\.random|Date\.now)\b/.test(text(it).replace(/^\s*(\/\/|\*).*$/gm, '')),
      );
    expect(offenders).toEqual([]);
  });

  it('locks no package whose name only looks right, and records no download address', () => {
    const lock = text('package-lock.json');
    expect(lock).not.toMatch(/"node_modules\/(oras|in-toto-attestation)"/);
    expect(lock).not.toMatch(/"resolved": "http/);
  });

  it('locks every package that is ever installed here by its hash', () => {
    // Not every registry serves the optional packages of other platforms, so those may be without one.
    const packages: Record<string, Locked> = JSON.parse(text('package-lock.json')).packages;
    const unlocked = Object.entries(packages)
      .filter(([path, it]) => path !== '' && !it.integrity?.startsWith('sha512-'))
      .filter(([, it]) => !(it.optional && isForAnotherPlatform(it)))
      .map(([path]) => path);
    expect(unlocked).toEqual([]);
  });

  it('gives every source file a licence line', () => {
    expect(
      sources.filter((it) => !text(it).slice(0, 3000).includes('SPDX-License-Identifier')),
    ).toEqual([]);
  });
});
