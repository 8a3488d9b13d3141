// Pieces of text that several commands share: aligned fields, a bundle in one line, signers.
//
// SPDX-License-Identifier: Apache-2.0

import type { Signer } from '../core/bundle.ts';
import { shortDigest } from '../core/digest.ts';
import type { BundleSummary } from '../core/enforcement.ts';
import { escapeText } from '../core/text.ts';
import type { CheckRecord } from '../core/verify/verdict.ts';

/** Two aligned columns, indented by two; a null value leaves its line out, no value breaks its line. */
export function fields(rows: readonly (readonly [string, string | null])[]): string {
  const shown = rows.filter((row): row is readonly [string, string] => row[1] !== null);
  const width = Math.max(...shown.map(([label]) => label.length));
  return shown.map(([label, value]) => `  ${label.padEnd(width)}  ${escapeText(value)}`).join('\n');
}

/** `v2 sha256:4f2a91c03b77 of registry.example.com/policies, channel prod`. */
export function bundleLine(bundle: BundleSummary): string {
  return (
    `v${bundle.version} ${shortDigest(bundle.digest)} of ${escapeText(bundle.repository)}, ` +
    `channel ${escapeText(bundle.channel)}`
  );
}

/** `3 rules`, `1 rule`. */
export function counted(count: number, noun: string): string {
  return `${count} ${count === 1 ? noun : noun.endsWith('y') ? `${noun.slice(0, -1)}ies` : `${noun}s`}`;
}

/** `ci (sha256:77ab01c2d3e4), security-team (…)`. */
export function signerList(signers: readonly Signer[]): string {
  return signers.map((it) => `${escapeText(it.id)} (${shortDigest(it.fingerprint)})`).join(', ');
}

/** Every check in a line. */
export function checksText(checks: readonly CheckRecord[]): string {
  const width = Math.max(...checks.map((it) => it.check.length));
  const rows = checks.map(
    (it) => `  ${it.outcome.padEnd(7)}  ${it.check.padEnd(width)}  ${escapeText(it.detail)}`,
  );
  return ['checks', ...rows.map((it) => it.trimEnd())].join('\n');
}
