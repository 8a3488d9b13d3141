// Advice about policies that have a meaning but should not be published: errors stop a build, warnings
// do not. What has no meaning at all is refused earlier, by wire/policy/ and compile.ts.
//
// Deliberately absent: facts of a host. Lint runs where policies are written.
//
// SPDX-License-Identifier: Apache-2.0

import type { ErrorCode } from '../errors.ts';
import type { FilePolicy, Operation, Rule } from './document.ts';
import type { Finding } from './finding.ts';
import { findShadowed, findUnprotectedExes } from './lint-relations.ts';
import { findLockouts } from './lockout.ts';
import { basenameOf, isWithin } from './path.ts';

const INTERPRETERS =
  /^(?:(?:ba|da|z|k|mk|c|tc|fi|a|r)?sh|busybox|env|xargs|[gmn]?awk|gdb|ld(?:-linux.*|-musl.*)?\.so.*|ld-linux.*|(?:python|perl|ruby|node|nodejs|php|lua|luajit|tclsh|wish|guile|java|deno|bun|expect)[0-9.]*)$/;
const SOCKET = /^(?:\/run|\/var\/run|\/tmp|\/var\/lib)\/.*(?:\.sock|\.socket|\/socket)$/;
const NAME_ONLY = ['/boot/efi', '/efi', '/media', '/net', '/afs', '/proc', '/sys'];
const REPLACING: readonly Operation[] = ['create', 'delete', 'rename', 'link'];

/** Lints all policies of a repository together; findings come in the order of files and rules. */
export function lint(policies: readonly FilePolicy[]): readonly Finding[] {
  const single = policies.flatMap((policy) =>
    policy.rules.flatMap((rule) => [
      ...lintInterpreters(rule),
      ...lintLockout(policy, rule),
      ...lintSockets(rule),
      ...lintReplacing(rule),
      ...lintUse(rule),
      ...lintFilesystems(rule),
    ]),
  );
  return [...single, ...findShadowed(policies), ...findUnprotectedExes(policies)];
}

function lintInterpreters(rule: Rule): Finding[] {
  const programs = rule.except.flatMap(({ exe, parentExe }) => [exe, parentExe]);
  return programs
    .filter((exe) => exe !== undefined)
    .filter((exe) => INTERPRETERS.test(basenameOf(exe)))
    .map((exe) =>
      finding(
        rule,
        'policy/interpreter-exempt',
        `${exe} runs whatever it is given, so exempting it exempts every script and every caller`,
        'exempt the program that does the work; wrap a script into an executable of its own',
      ),
    );
}

function lintLockout(policy: FilePolicy, rule: Rule): Finding[] {
  if (policy.mode === 'audit' || rule.iKnowThisCanLockMeOut) return [];
  const lockouts = findLockouts({
    operations: rule.deny,
    objects: rule.protect,
    except: rule.except,
    ...(policy.scope === null ? {} : { scope: policy.scope }),
  });
  return lockouts.map(({ need, operations, paths }) =>
    finding(
      rule,
      'policy/lockout',
      `${need.member} could not ${operations.join(', ')} ${paths.join(', ')}`,
      need.exes.length === 0
        ? 'exempt uid 0, narrow the rule, or set iKnowThisCanLockMeOut: true'
        : `exempt one of ${need.exes.join(', ')}, or set iKnowThisCanLockMeOut: true`,
    ),
  );
}

function lintSockets(rule: Rule): Finding[] {
  if (!rule.deny.includes('read') && !rule.deny.includes('write')) return [];
  return rule.protect
    .filter(({ path }) => SOCKET.test(path))
    .map(({ path }) =>
      finding(
        rule,
        'policy/socket-path',
        `${path} is a socket: connecting to it neither reads nor writes the file`,
        'deny create, delete, rename, link and setattr to keep the socket in its place',
      ),
    );
}

function lintReplacing(rule: Rule): Finding[] {
  const missing = REPLACING.filter((operation) => !rule.deny.includes(operation));
  if (!rule.deny.includes('write') || missing.length === 0) return [];
  return [
    finding(
      rule,
      'policy/replace-over',
      `write without ${missing.join(', ')}: another file can take this one's place`,
      'deny modify, which is write, create, delete, rename, link and setattr',
      'warning',
    ),
  ];
}

function lintUse(rule: Rule): Finding[] {
  if (!rule.deny.includes('use') || rule.deny.includes('read') || rule.deny.includes('write')) {
    return [];
  }
  return [
    finding(
      rule,
      'policy/use-alone',
      'use carries read and write over to open descriptors, and the rule denies neither',
      'add read, write or both to deny',
    ),
  ];
}

function lintFilesystems(rule: Rule): Finding[] {
  return rule.protect
    .filter(({ path }) => NAME_ONLY.some((root) => isWithin(path, root)))
    .map(({ path }) =>
      finding(
        rule,
        'policy/name-only-filesystem',
        `${path} usually lies on a filesystem without stable identities`,
        'only its name is protected there: other links and other mounts of it are not',
        'warning',
      ),
    );
}

function finding(
  rule: Rule,
  code: ErrorCode,
  message: string,
  hint: string,
  severity: Finding['severity'] = 'error',
): Finding {
  return { severity, code, message: `rule ${rule.id}: ${message}`, hint, at: rule.at };
}
