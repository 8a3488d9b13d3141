// Every case about identity or aliasing once more: with dropped caches, after an unmount and a mount, and
// after a reboot of the guest. It boots twice and finds everything again, which takes an emulated guest
// minutes: "make soak" and "make kernels" play it, and WARDER_VARIANTS=1.
//
// SPDX-License-Identifier: Apache-2.0

import { describe, it } from 'vitest';
import { DEFAULT_SERIES } from '../support/guest/guest.ts';
import { haveModules } from '../support/guest/kernels.ts';
import { describeSuite } from './suite/describe.ts';

const ASKED_BY = ['WARDER_SOAK', 'WARDER_VARIANTS', 'WARDER_MATRIX'];
const hasModules = await haveModules(DEFAULT_SERIES);

describe('variants', () => {
  if (ASKED_BY.some((name) => process.env[name] !== undefined)) {
    describeSuite(DEFAULT_SERIES, hasModules, 'forgotten');
  } else {
    it('tries what must hold although the kernel forgot', ({ skip }) => {
      skip('it takes minutes: make soak and make kernels play it');
    });
  }
});
