// The case suite: every case of the table, on one kernel. "make kernels" runs it on each of the others;
// variants.test.ts plays some of them once more.
//
// SPDX-License-Identifier: Apache-2.0

import { DEFAULT_SERIES } from '../support/guest/guest.ts';
import { haveModules } from '../support/guest/kernels.ts';
import { describeSuite } from './suite/describe.ts';

describeSuite(DEFAULT_SERIES, await haveModules(DEFAULT_SERIES), 'full');
