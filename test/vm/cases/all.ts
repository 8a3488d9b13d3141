// Every case that one activation can serve.
//
// SPDX-License-Identifier: Apache-2.0

import { ALIASING } from './aliasing.ts';
import type { Case } from './case.ts';
import { CHANGING } from './changing.ts';
import { CONTROLS } from './controls.ts';
import { EXECUTING } from './executing.ts';
import { FILE_SYSTEMS } from './file-systems.ts';
import { IDENTITY } from './identity.ts';
import { INDIRECT } from './indirect.ts';
import { OPENING } from './opening.ts';
import { PLACING } from './placing.ts';
import { SUBJECTS } from './subjects.ts';

// Written and laid out, but not yet seen to pass in a guest: played with WARDER_UNPROVEN=1 only, as the
// variants are. test/vm/ids.ts says which ids wait for that.
const UNPROVEN = new Set(['4', '15b', '17b', '18', '46b', '70', '71', '73', '76', '124b']);

/** Whether what nobody has seen pass yet is played as well. */
export const PLAYS_UNPROVEN = process.env['WARDER_UNPROVEN'] === '1';

const ALL: readonly Case[] = [
  ...ALIASING.map((it): Case => ({ ...it, everyVariant: true })),
  // What is laid out once only says so, with the reason.
  ...IDENTITY.map((it): Case => ({ everyVariant: true, ...it })),
  ...FILE_SYSTEMS.map((it): Case => ({ everyVariant: true, ...it })),
  ...OPENING,
  ...CHANGING,
  ...EXECUTING,
  ...INDIRECT,
  ...CONTROLS,
  ...PLACING,
  ...SUBJECTS,
];

const unproven = new Set([...FILE_SYSTEMS, ...INDIRECT].map(({ id }) => id).concat([...UNPROVEN]));

/** The table. Ids are unique. */
export const CASES: readonly Case[] = ALL.filter(({ id }) => PLAYS_UNPROVEN || !unproven.has(id));
