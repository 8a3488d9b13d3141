// The name and version of this program, as attestations, logs and `--version` say it.
//
// SPDX-License-Identifier: Apache-2.0

/** Kept equal to package.json by a test. */
export const VERSION = '0.1.0';

/** No clock is right that is before this: when the version was made. */
export const RELEASED_AT = '2026-01-01T00:00:00Z';
