// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import { type FilePolicy, MODIFY, type Rule } from './document.ts';
import { lint } from './lint.ts';

const AT = { file: 'p.yaml', line: 3, column: 5 };

const rule = (more: Partial<Rule> = {}): Rule => ({
  id: 'r',
  reason: 'because',
  protect: [{ kind: 'path', path: '/srv/file' }],
  deny: ['read'],
  except: [],
  iKnowThisCanLockMeOut: false,
  at: AT,
  ...more,
});

const policy = (rules: Rule[], more: Partial<FilePolicy> = {}): FilePolicy => ({
  kind: 'FilePolicy',
  name: 'p',
  description: '',
  mode: 'enforce',
  onMissingHook: 'refuse',
  scope: null,
  rules,
  at: AT,
  ...more,
});

const codes = (...rules: Rule[]) => lint([policy(rules)]).map(({ code }) => code);
const path = (text: string) => ({ kind: 'path', path: text }) as const;
const tree = (text: string) => ({ kind: 'tree', path: text }) as const;

describe('lint', () => {
  it('has nothing to say of a plain rule, and names the place otherwise', () => {
    expect(lint([policy([rule()])])).toEqual([]);
    const [finding] = lint([policy([rule({ deny: ['write'] })])]);
    expect(finding).toMatchObject({ severity: 'warning', code: 'policy/replace-over', at: AT });
    expect(finding?.hint).not.toBe('');
  });

  it.each([
    '/bin/sh',
    '/usr/bin/bash',
    '/usr/bin/python3.11',
    '/usr/bin/perl',
    '/usr/bin/node',
    '/usr/bin/env',
    '/bin/busybox',
    '/lib64/ld-linux-x86-64.so.2',
    '/usr/bin/gawk',
    '/usr/bin/lua5.4',
  ])('refuses %s as exempt program', (exe) => {
    expect(codes(rule({ except: [{ exe, uid: 0 }] }))).toContain('policy/interpreter-exempt');
  });

  it.each([
    '/usr/bin/dpkg',
    '/usr/sbin/sshd',
    '/usr/bin/passwd',
    '/usr/bin/shred',
    '/usr/bin/nodeps',
  ])('takes %s for no interpreter', (exe) => {
    expect(codes(rule({ except: [{ exe }] }))).toEqual(['policy/exempt-unprotected']);
  });

  it.each([
    ['the package database', rule({ protect: [tree('/var/lib/dpkg')], deny: MODIFY })],
    ['a file inside it', rule({ protect: [path('/var/lib/dpkg/status')], deny: MODIFY })],
    ['a tree above it', rule({ protect: [tree('/var')], deny: MODIFY })],
    ['the names of users, unreadable', rule({ protect: [path('/etc/passwd')], deny: ['read'] })],
    ['shells that do not run', rule({ protect: [tree('/usr/bin')], deny: ['execute'] })],
    ['libraries that cannot be read', rule({ protect: [tree('/usr')], deny: ['read'] })],
    ["init's state", rule({ protect: [tree('/run')], deny: ['create'] })],
    ["Warder's own state", rule({ protect: [tree('/var/lib/warder')], deny: ['read'] })],
    [
      'an exemption of somebody else',
      rule({ protect: [tree('/var/lib/dpkg')], deny: MODIFY, except: [{ exe: '/usr/bin/vim' }] }),
    ],
    [
      'an exemption of another user',
      rule({
        protect: [tree('/var/lib/dpkg')],
        deny: MODIFY,
        except: [{ exe: '/usr/bin/dpkg', uid: 7 }],
      }),
    ],
  ])('refuses to lock the survival set out: %s', (_what, bad) => {
    expect(codes(bad)).toContain('policy/lockout');
  });

  it.each([
    ['one program of the member stays exempt', { except: [{ exe: '/usr/bin/dpkg' }] }],
    ['root stays exempt', { except: [{ uid: 0 }] }],
    ['the author knows', { iKnowThisCanLockMeOut: true }],
    ['the operation is not needed', { deny: ['execute'] as const }],
    ['the path only begins alike', { protect: [tree('/var/lib/dpkg2')] }],
  ])('lets it pass when %s', (_why, more) => {
    const it = rule({ protect: [tree('/var/lib/dpkg')], deny: MODIFY, ...more });
    expect(codes(it)).not.toContain('policy/lockout');
  });

  it('lets audit rules watch the survival set', () => {
    const watched = rule({ protect: [tree('/var/lib/dpkg')], deny: MODIFY });
    expect(lint([policy([watched], { mode: 'audit' })])).toEqual([]);
  });

  it('refuses to deny reading or writing a socket, but lets it be kept in place', () => {
    const socket = path('/run/docker.sock');
    expect(codes(rule({ protect: [socket], deny: ['read'] }))).toEqual(['policy/socket-path']);
    expect(codes(rule({ protect: [socket], deny: MODIFY }))).toEqual(['policy/socket-path']);
    expect(codes(rule({ protect: [socket], deny: ['create', 'delete'] }))).toEqual([]);
  });

  it('warns of write without what keeps a file from being replaced', () => {
    expect(codes(rule({ deny: ['write', 'create', 'delete', 'rename'] }))).toEqual([
      'policy/replace-over',
    ]);
    expect(codes(rule({ deny: MODIFY }))).toEqual([]);
  });

  it('warns of filesystems without stable identities', () => {
    expect(codes(rule({ protect: [tree('/boot/efi')] }))).toEqual(['policy/name-only-filesystem']);
    expect(codes(rule({ protect: [tree('/boot')] }))).toEqual([]);
  });
});

describe('lint, rule against rule', () => {
  const wide = rule({ id: 'wide', protect: [tree('/srv')], deny: ['read', 'execute'] });
  const narrow = rule({ id: 'narrow' });

  it('warns of a rule that another one makes pointless, once for equal rules', () => {
    expect(codes(wide, narrow)).toEqual(['policy/rule-shadowed']);
    expect(codes(narrow, wide)).toEqual(['policy/rule-shadowed']);
    expect(codes(narrow, rule({ id: 'same' }))).toEqual(['policy/rule-shadowed']);
  });

  it.each([
    ['denies less', rule({ id: 'wide', protect: [tree('/srv')], deny: ['execute'] })],
    ['exempts somebody more', { ...wide, except: [{ uid: 33 }] }],
    ['is a path above', rule({ id: 'wide', protect: [path('/srv')] })],
  ])('does not when the other %s', (_what, other) => {
    expect(codes(other, narrow)).toEqual([]);
  });

  it('an audit rule shadows no enforce rule', () => {
    const audit = policy([wide], { name: 'a', mode: 'audit' });
    const enforce = policy([narrow], { name: 'e' });
    expect(lint([audit, enforce])).toEqual([]);
    expect(lint([{ ...audit, mode: 'enforce' }, enforce]).map(({ code }) => code)).toEqual([
      'policy/rule-shadowed',
    ]);
  });

  it('warns of an exempt program that others could replace, until some rule guards it', () => {
    const user = rule({ except: [{ exe: '/opt/tool' }] });
    const guard = rule({ id: 'guard', protect: [tree('/opt')], deny: MODIFY });
    expect(codes(user)).toEqual(['policy/exempt-unprotected']);
    expect(codes(user, guard)).toEqual([]);
    expect(codes(user, { ...guard, deny: ['write'] })).toContain('policy/exempt-unprotected');
  });
});
