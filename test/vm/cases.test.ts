// The case suite in full: every case of the table in every variant, on one kernel. "make kernels" runs it
// on each of the others.
//
// SPDX-License-Identifier: Apache-2.0

import { DEFAULT_SERIES } from '../support/guest/guest.ts';
import { haveModules } from '../support/guest/kernels.ts';
import { describeSuite } from './suite/describe.ts';

describeSuite(DEFAULT_SERIES, await haveModules(DEFAULT_SERIES), 'full');
