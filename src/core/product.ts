// The name and version of this program, as attestations, logs and `--version` say it.
//
// SPDX-License-Identifier: Apache-2.0

/** Kept equal to package.json by a test. */
export const VERSION = '0.1.0';
