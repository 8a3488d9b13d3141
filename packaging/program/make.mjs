// SPDX-License-Identifier: Apache-2.0
// make program: writes `warder` as a program into build/program.

import { join } from 'node:path';
import { ROOT } from '../setup/paths.mjs';
import { writeProgram } from './program.mjs';

process.stdout.write(`${await writeProgram(join(ROOT, 'build/program'))}\n`);
