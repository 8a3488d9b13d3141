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
import { LAYERED } from './layers.ts';
import { OPENING } from './opening.ts';
import { PLACING } from './placing.ts';
import { SUBJECTS } from './subjects.ts';

/** The table. Ids are unique. */
export const CASES: readonly Case[] = [
  ...ALIASING.map((it): Case => ({ ...it, everyVariant: true })),
  // What is laid out once only says so, with the reason.
  ...IDENTITY.map((it): Case => ({ everyVariant: true, ...it })),
  ...FILE_SYSTEMS.map((it): Case => ({ everyVariant: true, ...it })),
  ...LAYERED.map((it): Case => ({ everyVariant: true, mountsModule: true, ...it })),
  ...OPENING,
  ...CHANGING,
  ...EXECUTING,
  ...INDIRECT,
  ...CONTROLS,
  ...PLACING,
  ...SUBJECTS,
];
