// Errors of policy documents and their tests. Codes that say "warning" do not stop a build.
//
// SPDX-License-Identifier: Apache-2.0

import { type ErrorTable, EXIT } from './spec.ts';

export const POLICY_ERRORS = {
  'policy/syntax': {
    meaning: 'A policy file is not YAML.',
    exit: EXIT.content,
    retry: 'quarantine',
  },
  'policy/yaml-unsupported': {
    meaning:
      'A policy file uses YAML that policies do not need: anchors, aliases, tags, several documents, deep nesting.',
    exit: EXIT.content,
    retry: 'quarantine',
  },
  'policy/encoding': {
    meaning:
      'A policy file is not plain UTF-8 text: a byte order mark, a zero byte or invalid bytes.',
    exit: EXIT.content,
    retry: 'quarantine',
  },
  'policy/too-large': {
    meaning: 'A policy file is larger than policies may be.',
    exit: EXIT.content,
    retry: 'quarantine',
  },
  'policy/schema': {
    meaning: 'A policy file does not fit the schema.',
    exit: EXIT.content,
    retry: 'quarantine',
  },
  'policy/path-invalid': {
    meaning: 'A path in a policy is not canonical and absolute, or is a pattern.',
    exit: EXIT.content,
    retry: 'quarantine',
  },
  'policy/not-supported-yet': {
    meaning: 'A policy uses a part of the language that this version does not enforce.',
    exit: EXIT.content,
    retry: 'quarantine',
  },
  'policy/exemption-matches-all': {
    meaning: 'An exemption names no subject, so the rule would apply to nobody.',
    exit: EXIT.content,
    retry: 'quarantine',
  },
  'policy/duplicate-id': {
    meaning: 'Two policies have one name, or two rules of a policy one id.',
    exit: EXIT.content,
    retry: 'quarantine',
  },
  'policy/reserved-name': {
    meaning: "A policy has a name that belongs to Warder's own rules.",
    exit: EXIT.content,
    retry: 'quarantine',
  },
  'policy/too-many-rules': {
    meaning: 'The policies have more rules than one generation holds.',
    exit: EXIT.content,
    retry: 'quarantine',
  },
  'policy/tree-root': {
    meaning: 'A rule protects the whole filesystem as a tree.',
    exit: EXIT.content,
    retry: 'never',
  },
  'policy/interpreter-exempt': {
    meaning: 'A rule exempts an interpreter, which runs whatever it is given.',
    exit: EXIT.content,
    retry: 'never',
  },
  'policy/lockout': {
    meaning: 'A rule would keep the host from starting, updating, logging in or running Warder.',
    exit: EXIT.content,
    retry: 'never',
  },
  'policy/socket-path': {
    meaning: 'A rule denies reading or writing a socket, which connecting to it never asks for.',
    exit: EXIT.content,
    retry: 'never',
  },
  'policy/use-alone': {
    meaning: 'A rule denies use but neither read nor write, so it denies nothing by it.',
    exit: EXIT.content,
    retry: 'never',
  },
  'policy/rule-shadowed': {
    meaning: 'Everything that a rule denies is denied by another rule (warning).',
    exit: EXIT.content,
    retry: 'never',
  },
  'policy/replace-over': {
    meaning: 'A rule denies write but not all of create, delete, rename and link (warning).',
    exit: EXIT.content,
    retry: 'never',
  },
  'policy/exempt-unprotected': {
    meaning: 'An exempt program is not itself protected (warning).',
    exit: EXIT.content,
    retry: 'never',
  },
  'policy/name-only-filesystem': {
    meaning: 'A protected path usually lies on a filesystem without stable identities (warning).',
    exit: EXIT.content,
    retry: 'never',
  },
  'policy/ir-invalid': {
    meaning: 'A compiled policy is not canonical, or does not fit the schema.',
    exit: EXIT.content,
    retry: 'quarantine',
  },
} as const satisfies ErrorTable;
