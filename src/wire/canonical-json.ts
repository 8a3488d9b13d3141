// RFC 8785 bytes: one value, one spelling, so that equal content has an equal digest.
//
// SPDX-License-Identifier: Apache-2.0

import canonicalize from 'canonicalize';
import { invariant } from '../core/result.ts';

/** The canonical bytes of a JSON value. */
export function toCanonicalJson(value: unknown): Uint8Array {
  const text = canonicalize(value);
  invariant(text !== undefined, 'only JSON values have canonical bytes');
  return new TextEncoder().encode(text);
}

/** True when the bytes are exactly the canonical spelling of the value. */
export function isCanonicalJson(value: unknown, bytes: Uint8Array): boolean {
  const canonical = toCanonicalJson(value);
  return canonical.length === bytes.length && canonical.every((byte, at) => byte === bytes[at]);
}
