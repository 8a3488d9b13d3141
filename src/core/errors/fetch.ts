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
  'fetch/auth-realm-rejected': {
    meaning: 'The registry asks for credentials at a host that is not an allowed token realm.',
    exit: EXIT.registry,
    retry: 'backoff',
  },
  'fetch/redirect-refused': {
    meaning: 'A redirect of the registry leads to a weaker channel, or redirects a write.',
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
  'fetch/manifest-invalid': {
    meaning: 'A manifest is not the strict JSON of a bundle manifest.',
    exit: EXIT.content,
    retry: 'quarantine',
  },
  'fetch/manifest-type': {
    meaning:
      'An index, another manifest version or a foreign manifest stands where a bundle manifest is expected.',
    exit: EXIT.content,
    retry: 'quarantine',
  },
  'fetch/artifact-type': {
    meaning: 'The manifest is not of the artifact type of a bundle.',
    exit: EXIT.content,
    retry: 'quarantine',
  },
  'fetch/layer-set': {
    meaning: 'A layer is unknown, missing, extra, or there twice under one path.',
    exit: EXIT.content,
    retry: 'quarantine',
  },
  'fetch/layer-count': {
    meaning: 'A manifest has more layers than the bound.',
    exit: EXIT.content,
    retry: 'quarantine',
  },
  'fetch/descriptor-invalid': {
    meaning: 'A descriptor has a bad size, a bad media type or unknown fields.',
    exit: EXIT.content,
    retry: 'quarantine',
  },
  'fetch/bundle-too-large': {
    meaning: 'The files of a bundle are larger than the cap.',
    exit: EXIT.content,
    retry: 'quarantine',
  },
  'fetch/unpack-forbidden': {
    meaning: 'A layer asks to be unpacked; bundles never are archives.',
    exit: EXIT.content,
    retry: 'quarantine',
  },
  'fetch/path-unsafe': {
    meaning: 'A path in a bundle could leave its folder or mean something to a system.',
    exit: EXIT.content,
    retry: 'quarantine',
  },
  'fetch/config-invalid': {
    meaning: 'The config of a bundle does not fit its schema.',
    exit: EXIT.content,
    retry: 'quarantine',
  },
  'fetch/version-invalid': {
    meaning: 'The version in the config is not a safe integer >= 1.',
    exit: EXIT.content,
    retry: 'quarantine',
  },
  'fetch/referrer-invalid': {
    meaning: 'A referrer is not the manifest of an attestation of this bundle; it is skipped.',
    exit: EXIT.noSignature,
    retry: 'backoff',
  },
  'fetch/blob-missing': {
    meaning: 'The registry lists content that it does not have.',
    exit: EXIT.registry,
    retry: 'backoff',
  },
  'fetch/layout-invalid': {
    meaning: 'A directory is not an OCI image layout, or content in it is not a plain file.',
    exit: EXIT.content,
    retry: 'backoff',
  },
  'fetch/archive-unsafe': {
    meaning: 'An archive is not exactly one OCI layout of plain files; nothing of it was written.',
    exit: EXIT.content,
    retry: 'never',
  },
  'fetch/attestation-unavailable': {
    meaning: 'The list of attestations, or one of them, could not be fetched.',
    exit: EXIT.registry,
    retry: 'backoff',
  },
} as const satisfies ErrorTable;
