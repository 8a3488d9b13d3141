// SPDX-License-Identifier: Apache-2.0

/** The program that every rule of the suite exempts. */
export const EXEMPT_PROGRAM = '/usr/local/bin/exempt-op';
