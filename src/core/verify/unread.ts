// Attestations that are listed and could not be read. What could not be read is not the same as what is
// not there (bad inputs F09, P14): it never makes a bundle "unsigned", and it never makes one good.
//
// SPDX-License-Identifier: Apache-2.0

import { type Failure, failure } from '../result.ts';

/** True for a reason that the transport had, and not the content. */
export function isUnread(reason: Failure): boolean {
  return reason.code.startsWith('fetch/') && reason.code !== 'fetch/referrer-invalid';
}

/** Says, before every other reason, that what is missing may be among what could not be read. */
export function tellUnread(unread: readonly Failure[]): readonly Failure[] {
  const [first] = unread;
  if (first === undefined) return [];
  const { code, hints } = first;
  const causes = unread.flatMap((it) => [`${it.code}: ${it.message}`, ...it.causes]);
  const told = code === 'fetch/too-many-referrers' || code === 'fetch/timeout' ? code : UNAVAILABLE;
  return [failure(told, `${unread.length} attestations could not be read`, { causes, hints })];
}

const UNAVAILABLE = 'fetch/attestation-unavailable';
