// Asks the privileged program for facts about this host. It loads the addon, which the agent's side never
// does, and changes nothing; it runs as whoever asks.
//
// SPDX-License-Identifier: Apache-2.0

import { execFile } from 'node:child_process';
import type { HostFacts } from '../../core/enforcer/kernel.ts';
import { err, failure, type Result } from '../../core/result.ts';
import { escapeAndCut } from '../../core/text.ts';
import { parseHostFacts } from '../../wire/host-facts.ts';

const TIMEOUT_MS = 60_000;
const OUTPUT_BYTES_MAX = 256 * 1024;
const ENVIRONMENT = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8' };
const CAUSE_CHARS_MAX = 300;

/** Runs `PROGRAM --facts` and reads its answer. */
export function readHostFacts(program: string): Promise<Result<HostFacts>> {
  const options = {
    cwd: '/',
    env: ENVIRONMENT,
    timeout: TIMEOUT_MS,
    maxBuffer: OUTPUT_BYTES_MAX,
    encoding: 'buffer',
  } as const;
  return new Promise((resolve) => {
    execFile(program, ['--facts'], options, (cause, stdout, stderr) => {
      if (cause === null) {
        resolve(parseHostFacts(stdout));
        return;
      }
      const words = stderr.toString('utf8').trim() || cause.message;
      resolve(
        err(
          failure('host/facts-unavailable', `${program} --facts gave no answer`, {
            causes: [escapeAndCut(words, CAUSE_CHARS_MAX)],
            hints: [
              'install the package of the enforcer; `warder doctor` asks it what the host offers',
            ],
          }),
        ),
      );
    });
  });
}
