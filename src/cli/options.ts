// Values of options that several commands share, and their readers.
//
// SPDX-License-Identifier: Apache-2.0

import { InvalidArgumentError } from 'commander';

/** Where the enforcer listens unless an option says otherwise. */
export const SOCKET = '/run/warder/enforcer.sock';

/** Collects the values of an option that may be repeated. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** A whole number from 1. */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new InvalidArgumentError('Expected a whole number from 1.');
  }
  return value;
}

const UNIT_MS = { h: 3_600_000, d: 86_400_000 } as const;

/** A number of hours or days, in milliseconds. */
export function age(text: string): number {
  const match = /^([1-9][0-9]{0,3})([hd])$/.exec(text);
  if (match === null) throw new InvalidArgumentError('Expected hours or days, such as 12h or 2d.');
  return Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS];
}
