// The demo, as README shows it: every line is observed again, and the transcript is what it prints.
//
// SPDX-License-Identifier: Apache-2.0

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const DEMO = fileURLToPath(new URL('../../packaging/demo/demo.ts', import.meta.url));
const TRANSCRIPT = fileURLToPath(new URL('../../packaging/demo/transcript.txt', import.meta.url));
const TIMEOUT_MS = 600_000;

it(
  'prints what README shows, and ends well',
  () => {
    const dir = mkdtempSync(join(tmpdir(), 'warder-demo-test-'));
    try {
      const written = join(dir, 'transcript.txt');
      const { status, stdout, stderr } = spawnSync(
        process.execPath,
        [DEMO, '--transcript', written],
        { encoding: 'utf8', timeout: TIMEOUT_MS },
      );
      expect({ status, said: status === 0 ? '' : stdout + stderr }).toEqual({
        status: 0,
        said: '',
      });
      expect(readFileSync(written, 'utf8')).toBe(readFileSync(TRANSCRIPT, 'utf8'));
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  },
  TIMEOUT_MS,
);
