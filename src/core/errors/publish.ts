// Errors of building, signing and pushing a bundle.
//
// SPDX-License-Identifier: Apache-2.0

import { type ErrorTable, EXIT } from './spec.ts';

export const PUBLISH_ERRORS = {
  'publish/not-a-repository': {
    meaning: 'The folder is not a policy repository with a commit.',
    exit: EXIT.usage,
    retry: 'never',
  },
  'publish/tree-unreadable': {
    meaning: 'Git cannot read the commit that is to be published.',
    exit: EXIT.usage,
    retry: 'never',
  },
  'publish/path-unsafe': {
    meaning: 'A policy file has a name that a bundle may not carry.',
    exit: EXIT.usage,
    retry: 'never',
  },
  'publish/no-policies': {
    meaning: 'The commit has no policy files in the configured folder.',
    exit: EXIT.usage,
    retry: 'never',
  },
  'publish/too-large': {
    meaning: 'The policy files are larger than a bundle may be.',
    exit: EXIT.content,
    retry: 'never',
  },
  'publish/version-taken': {
    meaning: 'This version was published before with other content.',
    exit: EXIT.rollback,
    retry: 'never',
  },
  'publish/head-not-published': {
    meaning: 'The channel tag names another bundle than the one whose head is to be signed.',
    exit: EXIT.rollback,
    retry: 'never',
  },
  'publish/readback-mismatch': {
    meaning: 'The registry does not answer with what was just pushed.',
    exit: EXIT.registry,
    retry: 'backoff',
  },
  'publish/attestation-lost': {
    meaning: 'An attestation that was attached is not in the list of the registry.',
    exit: EXIT.registry,
    retry: 'backoff',
  },
  'publish/tests-failed': {
    meaning: 'A policy test of the repository fails.',
    exit: EXIT.content,
    retry: 'never',
  },
  'publish/key-unreadable': {
    meaning: 'The signing key cannot be read or is not an encrypted P-256 key.',
    exit: EXIT.usage,
    retry: 'never',
  },
  'publish/identity-token': {
    meaning: 'There is no identity token to sign with, or what was given is none.',
    exit: EXIT.usage,
    retry: 'never',
  },
  'publish/signing-config': {
    meaning: 'The signing configuration names no services that can be used.',
    exit: EXIT.usage,
    retry: 'never',
  },
  'publish/signing-service': {
    meaning: 'A certificate authority, log or timestamp authority refused or did not answer.',
    exit: EXIT.registry,
    retry: 'backoff',
  },
  'publish/key-passphrase': {
    meaning: 'The passphrase of the signing key is missing or wrong.',
    exit: EXIT.usage,
    retry: 'never',
  },
  'publish/key-exists': {
    meaning: 'A key file is there already; keys are never overwritten.',
    exit: EXIT.usage,
    retry: 'never',
  },
  'publish/repository-exists': {
    meaning: 'The folder already has files that the scaffold would write.',
    exit: EXIT.usage,
    retry: 'never',
  },
  'publish/version-ambiguous': {
    meaning: 'The version of the commit is not clear from its tags and its history.',
    exit: EXIT.usage,
    retry: 'never',
  },
  'publish/shallow-history': {
    meaning: 'The clone is shallow, so the commits of the first-parent line cannot be counted.',
    exit: EXIT.usage,
    retry: 'never',
  },
  'publish/older-than-channel': {
    meaning: 'The channel already names a newer version than the one to be published.',
    exit: EXIT.rollback,
    retry: 'never',
  },
} as const satisfies ErrorTable;
