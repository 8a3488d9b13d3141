// SPDX-License-Identifier: Apache-2.0
// One command that runs in the guest: its output as it comes, its end, and signals to it.

import type { Channel, Command } from './channel.ts';
import type { RunResult } from './guest.ts';

const SIGNALS = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGUSR2: 12,
  SIGTERM: 15,
  SIGCONT: 18,
  SIGSTOP: 19,
};

export class GuestProcess {
  /** Resolves with the process id in the guest. */
  readonly started: Promise<number>;
  /** Resolves when the command has ended; output of processes that outlive it is not waited for. */
  readonly done: Promise<RunResult>;
  /** The process id in the guest, known once started. */
  pid = 0;
  readonly #channel: Channel;
  readonly #id: number;
  readonly #stdout: Buffer[] = [];
  readonly #stderr: Buffer[] = [];
  readonly #watchers = new Set<() => void>();

  constructor(channel: Channel, command: Command) {
    this.#channel = channel;
    const start = Promise.withResolvers<number>();
    const end = Promise.withResolvers<RunResult>();
    this.started = start.promise;
    this.done = end.promise;
    // Whoever awaits `done` sees the failure; a background process that nobody awaits is not a crash.
    this.done.catch(() => {});
    this.#id = channel.run(command, {
      started: (pid) => {
        this.pid = pid;
        start.resolve(pid);
      },
      stdout: (bytes) => this.#collect(this.#stdout, bytes),
      stderr: (bytes) => this.#collect(this.#stderr, bytes),
      exit: (exit) => {
        end.resolve({ ...exit, stdout: this.stdout, stderr: this.stderr });
        this.#notify();
      },
      failed: (reason) => {
        start.reject(reason);
        end.reject(reason);
        this.#notify();
      },
    });
  }

  /** What the command has written to standard output so far. */
  get stdout(): string {
    return Buffer.concat(this.#stdout).toString();
  }

  /** What the command has written to standard error so far. */
  get stderr(): string {
    return Buffer.concat(this.#stderr).toString();
  }

  /** Waits until standard output or standard error matches, and returns the match. */
  async waitFor(pattern: RegExp, timeoutMs = 30_000): Promise<RegExpExecArray> {
    let over = '';
    const timer = setTimeout(() => {
      over = `within ${timeoutMs} ms`;
      this.#notify();
    }, timeoutMs);
    const ended = (): void => {
      over ||= 'before it ended';
    };
    this.done.then(ended, ended);
    try {
      for (;;) {
        const match = pattern.exec(this.stdout) ?? pattern.exec(this.stderr);
        if (match) return match;
        if (over)
          throw new Error(
            `no ${pattern} ${over}; stdout:\n${this.stdout}\nstderr:\n${this.stderr}`,
          );
        await new Promise<void>((resolve) => this.#watchers.add(resolve));
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sends a signal to the command and everything in its session; false when it has ended. */
  async kill(signal: keyof typeof SIGNALS = 'SIGTERM'): Promise<boolean> {
    const found = await new Promise<Buffer>((file, failed) => {
      this.#channel.kill(this.#id, SIGNALS[signal], { file, failed });
    });
    return found.readUInt32LE(0) === 1;
  }

  #collect(into: Buffer[], bytes: Buffer): void {
    into.push(Buffer.from(bytes));
    this.#notify();
  }

  #notify(): void {
    // After the promises that were settled just now.
    setImmediate(() => {
      const watchers = [...this.#watchers];
      this.#watchers.clear();
      for (const wake of watchers) wake();
    });
  }
}
