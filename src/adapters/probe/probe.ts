// The host's own health checks: programs from the agent's configuration, run as the agent's user by
// absolute path, without a shell, with a small environment and a deadline each. Only exit code 0 inside
// the deadline is a pass; a program that could not be started gave no answer.
//
// SPDX-License-Identifier: Apache-2.0

import { spawn } from 'node:child_process';
import type { ProbeReport } from '../../core/machine/health.ts';
import { escapeAndCut } from '../../core/text.ts';
import type { ProbePort } from '../../ports.ts';

/** One configured probe. */
export interface ProbeSpec {
  readonly name: string;
  /** An absolute path and its arguments. */
  readonly command: readonly [string, ...string[]];
  readonly timeoutMs: number;
}

const OUTPUT_BYTES_MAX = 4096;
const DETAIL_CHARS_MAX = 200;
const ENVIRONMENT = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C.UTF-8' };

/** Runs every probe at the same time and answers one report for each. */
export function hostProbes(specs: readonly ProbeSpec[]): ProbePort {
  return { run: (signal) => Promise.all(specs.map((spec) => runProbe(spec, signal))) };
}

function runProbe(spec: ProbeSpec, signal?: AbortSignal): Promise<ProbeReport> {
  const [program, ...args] = spec.command;
  const deadline = AbortSignal.timeout(spec.timeoutMs);
  const child = spawn(program, args, {
    cwd: '/',
    env: ENVIRONMENT,
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: false,
    // A group of its own, so that what the program started ends with it.
    detached: true,
  });
  const over = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
  let output = '';
  const keep = (chunk: Buffer): void => {
    if (output.length < OUTPUT_BYTES_MAX) output += chunk.toString('utf8');
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  return new Promise((resolve) => {
    const end = (outcome: ProbeReport['outcome'], detail: string): void => {
      over.removeEventListener('abort', onOver);
      const text = escapeAndCut(`${detail} ${output}`.trim(), DETAIL_CHARS_MAX);
      resolve({ name: spec.name, outcome, detail: text });
    };
    const onOver = (): void => {
      killGroup(child.pid);
      child.stdout.destroy();
      child.stderr.destroy();
      end('no-answer', `no answer in ${spec.timeoutMs} ms`);
    };
    over.addEventListener('abort', onOver, { once: true });
    child.once('error', (cause) => end('no-answer', `not started: ${cause.message}`));
    child.once('exit', (code, killedBy) => {
      if (code === 0) end('passed', '');
      else end('failed', killedBy === null ? `exit ${code}` : `ended by ${killedBy}`);
    });
  });
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (cause) {
    // It ended by itself in this moment.
    if (!(cause instanceof Error) || !('code' in cause) || cause.code !== 'ESRCH') throw cause;
  }
}
