// Where the tests find the programs that set-up fetched.
//
// SPDX-License-Identifier: Apache-2.0

import { join } from 'node:path';

const TOOLS = join(import.meta.dirname, '../../.tools/bin');

export const ORAS_PATH = process.env['WARDER_ORAS'] ?? join(TOOLS, 'oras');
export const COSIGN_PATH = process.env['WARDER_COSIGN'] ?? join(TOOLS, 'cosign');
