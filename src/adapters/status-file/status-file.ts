// status.json in the runtime folder: how `warder status` knows of the agent without talking to it.
//
// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from 'node:fs';
import { err, failure, ok, type Result } from '../../core/result.ts';
import type { AgentStatus } from '../../core/status.ts';
import type { ReporterPort } from '../../ports.ts';
import { encodeStatus, parseStatus } from '../../wire/status.ts';

/** Reports by replacing the file as a whole with `write`. */
export function statusFileReporter(write: (text: string) => Result<void>): ReporterPort {
  return { report: async (status) => write(encodeStatus(status)) };
}

/** The last status; null when the agent has not written one. */
export async function readAgentStatus(path: string): Promise<Result<AgentStatus | null>> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if (!(cause instanceof Error) || !('code' in cause)) throw cause;
    if (cause.code === 'ENOENT') return ok(null);
    return err(failure('state/corrupt', `${path} cannot be read: ${String(cause.code)}`));
  }
  return parseStatus(text);
}
