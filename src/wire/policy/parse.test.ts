// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import { renderExcerpt } from '../../core/policy/excerpt.ts';
import { parsePolicyFile, parsePolicyTestFile } from './parse.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

const POLICY = `apiVersion: warder.dev/v1alpha1
kind: FilePolicy
metadata:
  name: protect-credentials
  description: Only the password tools may change the account files.
spec:
  mode: enforce
  rules:
    - id: shadow-write
      reason: Account files change only through the password tools.
      protect:
        - path: /etc/shadow
        - tree: /etc/sudoers.d
      deny: [read, modify]
      except:
        - exe: /usr/bin/passwd
        - { exe: /usr/sbin/usermod, uid: 0 }
`;

const SCOPE = 'mode: enforce\n  scope:';
const ALL = 'policy/exemption-matches-all';
const DIGEST = `sha256:${'a'.repeat(64)}`;

/** Parses the policy with one text replaced, and lists `code line:column`. */
function problems(from: string, to: string): string[] {
  expect(POLICY).toContain(from);
  return problemsOf(bytes(POLICY.replace(from, to)));
}

function problemsOf(file: Uint8Array): string[] {
  const parsed = parsePolicyFile('p.yaml', file);
  if (parsed.ok) return [];
  return parsed.error.map(({ code, at }) => `${code} ${at?.line}:${at?.column}`);
}

describe('a policy file', () => {
  it('becomes a policy, with defaults filled in and modify expanded', () => {
    expect(parsePolicyFile('p.yaml', bytes(POLICY))).toEqual({
      ok: true,
      value: {
        kind: 'FilePolicy',
        name: 'protect-credentials',
        description: 'Only the password tools may change the account files.',
        mode: 'enforce',
        onMissingHook: 'refuse',
        scope: null,
        rules: [
          {
            id: 'shadow-write',
            reason: 'Account files change only through the password tools.',
            protect: [
              { kind: 'path', path: '/etc/shadow' },
              { kind: 'tree', path: '/etc/sudoers.d' },
            ],
            deny: ['read', 'write', 'create', 'delete', 'rename', 'link', 'setattr'],
            except: [{ exe: '/usr/bin/passwd' }, { exe: '/usr/sbin/usermod', uid: 0 }],
            iKnowThisCanLockMeOut: false,
            at: { file: 'p.yaml', line: 9, column: 11 },
          },
        ],
        at: { file: 'p.yaml', line: 4, column: 9 },
      },
    });
  });

  it('may name operations and subjects of every kind', () => {
    const text = POLICY.replace('mode: enforce', `${SCOPE} { units: [a.service], cgroups: [/b] }`)
      .replace('[read, modify]', '[use, mount, write]')
      .replace('exe: /usr/bin/passwd', 'unit: getty@tty1.service')
      .replace('uid: 0', `digest: '${DIGEST}', cgroup: /x, parentExe: /usr/bin/apt`);
    const parsed = parsePolicyFile('p.yaml', bytes(text));
    expect(parsed).toMatchObject({
      ok: true,
      value: {
        scope: { units: ['a.service'], cgroups: ['/b'] },
        rules: [
          {
            deny: ['write', 'mount', 'use'],
            except: [
              { unit: 'getty@tty1.service' },
              { exe: '/usr/sbin/usermod', digest: DIGEST, cgroup: '/x', parentExe: '/usr/bin/apt' },
            ],
          },
        ],
      },
    });
  });

  it.each([
    ['an unknown field', 'mode: enforce', 'mode: enforce\n  modes: x', 'policy/schema 8:3'],
    ['an unknown mode', 'mode: enforce', 'mode: off', 'policy/schema 7:9'],
    ['an unknown operation', '[read, modify]', '[read, modfy]', 'policy/schema 14:20'],
    ['an empty deny', '[read, modify]', '[]', 'policy/schema 14:13'],
    [
      'a missing reason',
      '      reason: Account files change only through the password tools.\n',
      '',
      'policy/schema 9:7',
    ],
    [
      'path and tree in one',
      '- path: /etc/shadow',
      '- { path: /a, tree: /b }',
      'policy/schema 12:11',
    ],
    ['an empty object', '- path: /etc/shadow', '- {}', 'policy/schema 12:11'],
    [
      'an empty protect',
      '- path: /etc/shadow\n        - tree: /etc/sudoers.d',
      '[]',
      'policy/schema 12:9',
    ],
    ['a negative uid', 'uid: 0', 'uid: -1', 'policy/schema 17:42'],
    ['a uid that is text', 'uid: 0', 'uid: root', 'policy/schema 17:42'],
    ['an upper-case name', 'name: protect', 'name: Protect', 'policy/schema 4:9'],
    ['a number as path', '/etc/shadow', '17', 'policy/schema 12:17'],
    ['a relative path', '/etc/shadow', 'etc/shadow', 'policy/path-invalid 12:17'],
    ['a path with ..', '/etc/shadow', '/etc/../shadow', 'policy/path-invalid 12:17'],
    ['a path with //', '/etc/shadow', '/etc//shadow', 'policy/path-invalid 12:17'],
    ['a slash at the end', '/etc/sudoers.d', '/etc/sudoers.d/', 'policy/path-invalid 13:17'],
    ['a glob', '/etc/shadow', '/etc/*', 'policy/path-invalid 12:17'],
    ['a glob as exe', '/usr/bin/passwd', '/usr/bin/p?sswd', 'policy/path-invalid 16:16'],
    ['a name of 256 bytes', '/etc/shadow', `/${'ä'.repeat(128)}`, 'policy/path-invalid 12:17'],
    ['a tree on /', '/etc/sudoers.d', '/', 'policy/tree-root 13:17'],
    [
      'an exemption for everybody',
      '{ exe: /usr/sbin/usermod, uid: 0 }',
      '{}',
      'policy/exemption-matches-all 17:11',
    ],
    ['a scope of no unit', 'mode: enforce', `${SCOPE} { units: [a] }`, 'policy/schema 8:20'],
    ['an empty scope', 'mode: enforce', `${SCOPE} { units: [] }`, 'policy/schema 8:10'],
    ['a scope on /', 'mode: enforce', `${SCOPE} { cgroups: [/] }`, `${ALL} 8:22`],
    ['a unit with a slash', 'exe: /usr/bin/passwd', 'unit: a/b.service', 'policy/schema 16:17'],
    ['a unit without a type', 'exe: /usr/bin/passwd', 'unit: nginx', 'policy/schema 16:17'],
    ['a cgroup pattern', 'exe: /usr/bin/passwd', 'cgroup: /a/*', 'policy/path-invalid 16:19'],
    ['the root cgroup', 'exe: /usr/bin/passwd', 'cgroup: /', `${ALL} 16:19`],
    [
      'a cgroup of 17 names',
      'exe: /usr/bin/passwd',
      `cgroup: ${'/a'.repeat(17)}`,
      'policy/path-invalid 16:19',
    ],
    [
      'a unit and a cgroup in one entry',
      'exe: /usr/bin/passwd',
      '{ unit: a.service, cgroup: /a }',
      'policy/schema 16:38',
    ],
    ['a digest without exe', 'exe: /usr/bin/passwd', `digest: ${DIGEST}`, `${ALL} 16:11`],
    ['a digest that is none', 'uid: 0', 'digest: x', 'policy/schema 17:45'],
    ['a parentExe pattern', 'uid: 0', 'parentExe: /a*', 'policy/path-invalid 17:48'],
    ['a later kind', 'FilePolicy', 'NetworkPolicy', 'policy/not-supported-yet 2:7'],
  ])('with %s is refused there', (_what, from, to, problem) => {
    expect(problems(from, to)).toContain(problem);
  });

  it.each([
    ['an anchor', 'mode: enforce', 'mode: &a enforce', 'policy/yaml-unsupported 7:12'],
    ['an alias', 'mode: enforce', 'mode: *a', 'policy/yaml-unsupported 7:9'],
    ['a tag', 'mode: enforce', 'mode: !!str enforce', 'policy/yaml-unsupported 7:15'],
    ['a custom tag', 'mode: enforce', 'mode: !x enforce', 'policy/yaml-unsupported 7:9'],
    ['a key twice', 'mode: enforce', 'mode: enforce\n  mode: audit', 'policy/syntax 8:3'],
    [
      'a key that is a list',
      'mode: enforce',
      'mode: enforce\n  [a]: b',
      'policy/yaml-unsupported 8:3',
    ],
    ['__proto__', 'mode: enforce', 'mode: enforce\n  __proto__: {}', 'policy/yaml-unsupported 8:3'],
    ['a merge key', 'mode: enforce', 'mode: enforce\n  <<: {}', 'policy/schema 8:3'],
    ['a tab as indentation', '  mode: enforce', '\tmode: enforce', 'policy/syntax 7:1'],
    ['a zero byte', 'Account', 'Acc\0unt', 'policy/encoding 10:18'],
  ])('with %s is refused there', (_what, from, to, problem) => {
    expect(problems(from, to)).toContain(problem);
  });

  it('with a second document is refused', () => {
    expect(problemsOf(bytes(`${POLICY}---\na: b\n`))).toEqual(['policy/yaml-unsupported 18:1']);
  });

  it('reports every problem, not just the first', () => {
    const text = POLICY.replace('enforce', 'off').replace('/etc/shadow', 'x').replace('uid', 'gid');
    expect(problemsOf(bytes(text))).toEqual([
      'policy/schema 7:9',
      'policy/path-invalid 12:17',
      'policy/schema 17:37',
    ]);
  });

  it('that is not text, too large or nothing is refused', () => {
    expect(problemsOf(bytes(`\uFEFF${POLICY}`))).toEqual(['policy/encoding 1:1']);
    expect(problemsOf(Uint8Array.of(0x61, 0xff))).toEqual(['policy/encoding 1:1']);
    expect(problemsOf(new Uint8Array(1024 * 1024 + 1))).toEqual(['policy/too-large 1:1']);
    expect(problemsOf(bytes(''))[0]).toMatch(/^policy\//);
    expect(problemsOf(bytes('- a'))[0]).toBe('policy/schema 1:1');
  });

  it.each([
    ['flow', '['.repeat(200_000)],
    ['block', '- '.repeat(200_000)],
    ['indented', Array.from({ length: 1000 }, (_, at) => `${' '.repeat(at)}a:\n`).join('')],
    ['map', '{a: '.repeat(100_000)],
  ])('nested deeply (%s) is refused and takes no stack', (_what, text) => {
    expect(problemsOf(bytes(text))[0]).toMatch(/^policy\/yaml-unsupported/);
  });
});

describe('a policy test file', () => {
  const TEST = `apiVersion: warder.dev/v1alpha1
kind: PolicyTest
tests:
  - name: a move
    request: { operation: rename, path: /a, to: /b, replaces: true, uid: 33 }
    expect: deny
    rule: p/r
  - request: { operation: read, path: /a }
    expect: allow
`;
  it('becomes tests, unnamed ones named by their request', () => {
    const parsed = parsePolicyTestFile('p.test.yaml', bytes(TEST));
    expect(parsed).toEqual({
      ok: true,
      value: [
        {
          name: 'a move',
          request: { operation: 'rename', path: '/a', to: '/b', replaces: true, uid: 33 },
          expect: 'deny',
          rule: 'p/r',
          at: { file: 'p.test.yaml', line: 4, column: 5 },
        },
        {
          name: 'read /a',
          request: { operation: 'read', path: '/a' },
          expect: 'allow',
          rule: null,
          at: { file: 'p.test.yaml', line: 8, column: 5 },
        },
      ],
    });
  });

  it.each([
    ['a move without destination', ', to: /b', ''],
    ['a destination of a read', 'path: /a }', 'path: /a, to: /b }'],
    ['a rule for allow', 'expect: allow', 'expect: allow\n    rule: p/r'],
    ['a misspelt verdict', 'expect: deny', 'expect: denied'],
  ])('with %s is refused', (_what, from, to) => {
    expect(TEST).toContain(from);
    const parsed = parsePolicyTestFile('p.test.yaml', bytes(TEST.replace(from, to)));
    expect(parsed.ok ? [] : parsed.error.map(({ code }) => code)).toEqual(['policy/schema']);
  });
});

describe('an excerpt', () => {
  it('shows the line with a caret under the column', () => {
    expect(renderExcerpt('a\nbcd\n', { file: 'f', line: 2, column: 3 })).toBe('2 | bcd\n  |   ^');
  });

  it('escapes what could steer a terminal, and cuts long lines around the column', () => {
    const wild = renderExcerpt('\u001b[1mx', { file: 'f', line: 1, column: 5 });
    expect(wild).toBe('1 | \\u001b[1mx\n  |          ^');
    const long = renderExcerpt('x'.repeat(1000), { file: 'f', line: 1, column: 700 });
    expect(long.length).toBeLessThan(200);
  });
});
