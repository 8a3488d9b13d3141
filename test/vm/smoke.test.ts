// The most important cases on the other kernels that Debian carries today.
//
// SPDX-License-Identifier: Apache-2.0

import { describe, it } from 'vitest';
import { cachedSeries, haveModules } from '../support/guest/kernels.ts';
import { describeSuite } from './suite/describe.ts';

const WANTED = ['6.12', '7'];
// Under emulation the verifier of these takes minutes for all programs: too long for every test run.
const SLOW = ['7'];
const ALL = 'WARDER_SMOKE_ALL';

const found = await Promise.all(
  WANTED.map(async (wanted) => {
    const series = await cachedSeries(wanted);
    return { wanted, series, hasModules: series !== null && (await haveModules(series)) };
  }),
);

describe.each(found)('on kernel $wanted', ({ wanted, series, hasModules }) => {
  if (SLOW.includes(wanted) && !process.env[ALL]) {
    it('tries the smoke set', ({ skip }) => {
      skip(`loading takes minutes on an emulated kernel ${wanted}: ${ALL}=1 plays it`);
    });
  } else if (series !== null) describeSuite(series, hasModules, 'smoke');
  else
    it('tries the smoke set', ({ skip }) => {
      skip(`set-up found no kernel ${wanted}: "make setup" tells why`);
    });
});
