// The `warder` command.
//
// SPDX-License-Identifier: Apache-2.0

import { runProcess } from './process.ts';

await runProcess();
