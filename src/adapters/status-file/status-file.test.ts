// SPDX-License-Identifier: Apache-2.0

import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ok } from '../../core/result.ts';
import { initialStatus } from '../../core/status.ts';
import { readAgentStatus, statusFileReporter } from './status-file.ts';

test('a status is read back as it was written; none and a damaged one are told apart', async () => {
  const folder = fs.mkdtempSync(join(tmpdir(), 'warder-status-'));
  const path = join(folder, 'status.json');
  const write = (text: string) => {
    fs.writeFileSync(path, text);
    return ok(undefined);
  };
  expect(await readAgentStatus(path)).toEqual({ ok: true, value: null });
  const status = initialStatus('1.0.0', 'r/p:t', 0);
  await statusFileReporter(write).report(status, null);
  expect(await readAgentStatus(path)).toEqual({ ok: true, value: status });
  write('{"apiVersion":');
  const read = await readAgentStatus(path);
  expect(read.ok ? null : read.error.code).toBe('state/corrupt');
  fs.rmSync(folder, { recursive: true });
});
