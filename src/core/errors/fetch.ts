// Errors of resolving a reference and fetching from a registry.
//
// SPDX-License-Identifier: Apache-2.0

import { type ErrorTable, EXIT } from './spec.ts';

export const FETCH_ERRORS = {
  'resolve/reference-invalid': {
    meaning: 'A reference does not fit the grammar.',
    exit: EXIT.usage,
    retry: 'never',
  },
  'resolve/digest-algorithm': {
    meaning: 'A digest is not lower-case sha256.',
    exit: EXIT.usage,
    retry: 'never',
  },
  'resolve/not-found': {
    meaning: 'The registry has no such reference.',
    exit: EXIT.notFound,
    retry: 'backoff',
  },
  'fetch/registry-unavailable': {
    meaning: 'The registry does not answer, or answers with an error.',
    exit: EXIT.registry,
    retry: 'backoff',
  },
  'fetch/registry-auth': {
    meaning: 'The registry refuses the credentials.',
    exit: EXIT.registry,
    retry: 'backoff',
  },
  'fetch/insecure-registry': {
    meaning: 'A plain-HTTP registry is not on the explicit allow list.',
    exit: EXIT.usage,
    retry: 'never',
  },
  'fetch/digest-mismatch': {
    meaning: 'Bytes do not hash to the digest that was asked for.',
    exit: EXIT.content,
    retry: 'backoff',
  },
  'fetch/blob-size-exceeded': {
    meaning: 'A blob is longer than its descriptor says.',
    exit: EXIT.content,
    retry: 'backoff',
  },
  'fetch/blob-truncated': {
    meaning: 'A blob is shorter than its descriptor says.',
    exit: EXIT.content,
    retry: 'backoff',
  },
  'fetch/timeout': {
    meaning: 'Fetching took longer than the total deadline.',
    exit: EXIT.registry,
    retry: 'backoff',
  },
  'fetch/manifest-too-large': {
    meaning: 'A manifest is larger than the cap.',
    exit: EXIT.content,
    retry: 'quarantine',
  },
  'fetch/too-many-referrers': {
    meaning: 'More referrers than the bound, and no valid one inside it.',
    exit: EXIT.noSignature,
    retry: 'backoff',
  },
} as const satisfies ErrorTable;
