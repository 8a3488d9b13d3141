// Errors of staging, activating, confirming and restoring a generation.
//
// SPDX-License-Identifier: Apache-2.0

import { type ErrorTable, EXIT } from './spec.ts';

export const ACTIVATE_ERRORS = {
  'activate/source-conflict': {
    meaning:
      'Rules of two sources would not mean together what they mean apart: a tree of one could take over what leaves a tree of the other.',
    exit: EXIT.content,
    retry: 'backoff',
  },
  'activate/sources-too-large': {
    meaning: 'All sources together have more rules or objects than one generation holds.',
    exit: EXIT.content,
    retry: 'backoff',
  },
  'activate/other-pending': {
    meaning: 'A bundle of another source waits for its confirmation.',
    exit: EXIT.activation,
    retry: 'backoff',
  },
  'activate/other-source': {
    meaning: 'What is enforced of another source cannot be made again, so nothing new can be.',
    exit: EXIT.activation,
    retry: 'backoff',
  },
  'stage/parent-missing': {
    meaning: 'A protected path lies in a directory that does not exist on this host.',
    exit: EXIT.activation,
    retry: 'backoff',
  },
  'stage/resolve-failed': {
    meaning: 'The identity of a protected path could not be read from the kernel.',
    exit: EXIT.activation,
    retry: 'backoff',
  },
  'stage/unstable-identity': {
    meaning:
      'A protected path is on a file system without lasting identities, where its name is not enough.',
    exit: EXIT.activation,
    retry: 'quarantine',
  },
  'stage/folded-names': {
    meaning:
      'A protected path is in a directory whose names compare without case, and is not ASCII alone.',
    exit: EXIT.activation,
    retry: 'quarantine',
  },
  'stage/tree-too-large': {
    meaning: 'A protected tree has more entries than the scan for hard links may visit.',
    exit: EXIT.activation,
    retry: 'quarantine',
  },
  'stage/too-many-symlinks': {
    meaning: 'A protected path is a longer chain of symbolic links than the kernel follows.',
    exit: EXIT.activation,
    retry: 'backoff',
  },
  'stage/no-verity': {
    meaning: 'A program is exempt by its digest, and its file has no fs-verity on this host.',
    exit: EXIT.activation,
    retry: 'backoff',
  },
  'stage/no-cgroups': {
    meaning:
      'A policy names units or control groups, and this host does not use the unified hierarchy.',
    exit: EXIT.activation,
    retry: 'backoff',
  },
  'stage/canary-failed': {
    meaning: 'The canary directory of a new generation could not be made.',
    exit: EXIT.activation,
    retry: 'backoff',
  },
  'activate/load-rejected': {
    meaning: 'The kernel refused a program that an active rule needs.',
    exit: EXIT.hostUnsupported,
    retry: 'never',
  },
  'activate/baseline-violation': {
    meaning:
      'The bundle would keep the host from starting, updating, logging in or running Warder.',
    exit: EXIT.content,
    retry: 'quarantine',
  },
  'activate/partial': {
    meaning: 'A hook that an active rule needs cannot attach; nothing was changed.',
    exit: EXIT.hostUnsupported,
    retry: 'never',
  },
  'activate/kernel-refused': {
    meaning: 'The kernel refused to fill or to commit a generation; nothing was changed.',
    exit: EXIT.activation,
    retry: 'backoff',
  },
  'activate/read-back-mismatch': {
    meaning: 'What the kernel holds differs from what was filled; nothing was changed.',
    exit: EXIT.activation,
    retry: 'backoff',
  },
  'activate/held': {
    meaning: 'This bundle was rolled away from; it stays out until a higher version or resume.',
    exit: EXIT.activation,
    retry: 'never',
  },
  'activate/disabled': {
    meaning: 'Enforcement was disabled by an administrator; resume ends that.',
    exit: EXIT.activation,
    retry: 'never',
  },
  'confirm/not-pending': {
    meaning: 'The digest to confirm is not what is enforced.',
    exit: EXIT.activation,
    retry: 'never',
  },
  'confirm/health-failed': {
    meaning:
      'A canary or a health probe failed after activation; the previous generation was restored.',
    exit: EXIT.activation,
    retry: 'quarantine',
  },
  'confirm/health-not-run': {
    meaning: 'A canary or a configured probe was not run; the previous generation was restored.',
    exit: EXIT.activation,
    retry: 'quarantine',
  },
  'confirm/health-no-data': {
    meaning: 'A canary or a probe gave no answer; the previous generation was restored.',
    exit: EXIT.activation,
    retry: 'quarantine',
  },
  'restore/no-previous': {
    meaning: 'There is no earlier confirmed bundle to return to.',
    exit: EXIT.activation,
    retry: 'never',
  },
  'restore/evidence-corrupt': {
    meaning:
      'The stored evidence of an admitted bundle fails its hashes; what the kernel holds stays, and an older one is used where it would have to be made again.',
    exit: EXIT.lastKnownGood,
    retry: 'never',
  },
  'restore/distrusted': {
    meaning: 'The trust policy in force no longer admits a stored bundle.',
    exit: EXIT.lastKnownGood,
    retry: 'never',
  },
  'restore/trust-changed': {
    meaning:
      'A stored bundle is admitted only under the trusted root of its own admission, which was rotated since.',
    exit: EXIT.lastKnownGood,
    retry: 'never',
  },
  'restore/incomplete': {
    meaning:
      'What was confirmed here is in force again without paths that cannot be resolved now; the rest of it is enforced.',
    exit: EXIT.lastKnownGood,
    retry: 'backoff',
  },
  'restore/failed': {
    meaning: 'Neither the last-known-good nor the baseline could be brought into force.',
    exit: EXIT.activation,
    retry: 'backoff',
  },
} as const satisfies ErrorTable;
