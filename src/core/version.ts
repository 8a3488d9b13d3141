// Bundle versions: whole numbers, because order must not need interpretation.
//
// SPDX-License-Identifier: Apache-2.0

/** A safe integer >= 1. Made only by {@link toBundleVersion}. */
export type BundleVersion = number & { readonly __brand: 'BundleVersion' };

/** The version, or null when the number is not a safe integer >= 1. */
export function toBundleVersion(value: number): BundleVersion | null {
  return Number.isSafeInteger(value) && value >= 1 ? (value as BundleVersion) : null;
}
