// The `warder` command as a process: the only place that touches the process itself. Nothing of it is
// looked at before the call, because a start-up snapshot is made in another process than it runs in.
//
// SPDX-License-Identifier: Apache-2.0

import { runCli } from './cli/run.ts';
import { compose } from './compose.ts';
import { VERSION } from './core/product.ts';

/** Runs the command line of this process, to its exit status. */
export async function runProcess(): Promise<void> {
  // A reader that went away (`warder events -f | head`) is an end, not an error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
  process.exitCode = await runCli(
    process.argv.slice(2),
    {
      out: (text) => process.stdout.write(text),
      err: (text) => process.stderr.write(text),
      color: process.stderr.isTTY === true && (process.env['NO_COLOR'] ?? '') === '',
      progress: process.stderr.isTTY === true,
      cwd: process.cwd(),
      get signal() {
        return stopSignal();
      },
    },
    compose(process.env),
    VERSION,
  );
}

// Only commands that look at the signal end by themselves; every other one ends where Ctrl-C meets it.
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => stop.abort());
  }
  return stop.signal;
}
