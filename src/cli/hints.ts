// What to do about a failure on a command line, for codes whose adapters cannot know that they were
// called from one. A failure's own hints come first.
//
// SPDX-License-Identifier: Apache-2.0

import type { ErrorCode } from '../core/errors.ts';
import type { Failure } from '../core/result.ts';

const HINTS: Partial<Record<ErrorCode, string>> = {
  'resolve/not-found':
    'check repository and tag; `warder publish` prints the reference that it wrote',
  'fetch/registry-unavailable':
    'check host, port and network; plain HTTP needs --insecure-registry HOST:PORT',
  'fetch/registry-auth': 'check the config.json of the registry credentials',
  'fetch/digest-mismatch': 'something changed the bytes since they were published; none were used',
  'verify/no-attestations':
    'publish with `warder publish`, which signs; a plain push is not enough',
  'verify/key-unknown':
    "add the publisher's public key to the trust policy only when you know whose it is",
  'verify/rollback': 'hosts never go back to an older version: publish a revert as a newer one',
  'verify/expired': 'publish a newer bundle; an empty commit is enough',
  'trust/unreadable': 'name a readable trust policy, with its key files beside it',
  'publish/not-a-repository': 'commit first, or name another commit by --commit',
  'publish/tree-unreadable': 'run it in a policy repository, or name one by --dir',
  'publish/tests-failed': '`warder test` shows each place; change the policy or the expectation',
  'publish/older-than-channel': 'publish the newest commit; to undo a change, commit its revert',
  'publish/key-unreadable': 'name the file that `warder key generate --out FILE` made',
  'publish/key-exists': 'choose another name, or move the key away; keys are never overwritten',
  'cli/file-unreadable': 'run it where policies/ is, or name files and folders that are there',
};

/** The failure with the command line's hint, when it has none of its own. */
export function withHint(it: Failure): Failure {
  const hint = HINTS[it.code];
  return hint === undefined || it.hints.length > 0 ? it : { ...it, hints: [hint] };
}
