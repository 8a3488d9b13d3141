// The most important cases on the other kernels that Debian carries today.
//
// SPDX-License-Identifier: Apache-2.0

import { describe, it } from 'vitest';
import { cachedSeries } from '../support/guest/kernels.ts';
import { describeSuite } from './suite/describe.ts';

const WANTED = ['6.12', '7'];

const found = await Promise.all(
  WANTED.map(async (wanted) => ({ wanted, series: await cachedSeries(wanted) })),
);

describe.each(found)('on kernel $wanted', ({ wanted, series }) => {
  if (series !== null) describeSuite(series, 'smoke');
  else
    it('tries the smoke set', ({ skip }) => {
      skip(`set-up found no kernel ${wanted}: "make setup" tells why`);
    });
});
