// The one translation of what oras prints when it fails into a failure. Its exit code is 1 for
// everything, so the words decide; words that are not known mean that the registry is unavailable,
// which is refused and tried again, never "not there".
//
// SPDX-License-Identifier: Apache-2.0

import type { ErrorCode } from '../../core/errors.ts';
import { type Failure, failure } from '../../core/result.ts';
import { escapeAndCut } from '../../core/text.ts';

const LINE_CHARS_MAX = 400;

/** What only the gate answers, and what it means (gate.ts). */
export const GATE_STATUS = new Map<ErrorCode, number>([
  ['fetch/auth-realm-rejected', 407],
  ['fetch/redirect-refused', 421],
]);

const RULES: readonly (readonly [RegExp, ErrorCode])[] = [
  ...[...GATE_STATUS].map(
    ([code, status]) => [new RegExp(`status code ${status}\\b`), code] as const,
  ),
  [/server gave HTTP response to HTTPS client/, 'fetch/insecure-registry'],
  [
    /\b401\b|\b403\b|unauthorized|credential not found|authentication required|denied|forbidden/i,
    'fetch/registry-auth',
  ],
  [/exceeds MaxBytes/, 'fetch/manifest-too-large'],
  [/missing required header|invalid content-?type|unknown media type/i, 'fetch/manifest-invalid'],
  [/mismatch/i, 'fetch/digest-mismatch'],
  [/trailing data/i, 'fetch/blob-size-exceeded'],
  [/unexpected EOF|short read/i, 'fetch/blob-truncated'],
  [/:? not found$|status code 404|\b404\b/im, 'resolve/not-found'],
];

const HINTS: Partial<Record<ErrorCode, string>> = {
  'fetch/insecure-registry': 'use TLS, or name the host among the plain-HTTP registries',
  'fetch/auth-realm-rejected':
    'if that is its token service, allow the host by tokenRealms or --token-realm',
  'fetch/registry-auth': 'give credentials for this registry in the configured folder',
};

/** Turns the stderr of oras into a failure about `what`. */
export function toFailure(what: string, stderr: string): Failure {
  const rule = RULES.find(([words]) => words.test(stderr.trim()));
  const code = rule?.[1] ?? 'fetch/registry-unavailable';
  const hint = HINTS[code];
  return failure(code, `${what} failed`, {
    causes: stderr
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line) => escapeAndCut(line, LINE_CHARS_MAX)),
    hints: hint === undefined ? [] : [hint],
  });
}
