// What a command may print to and know of its terminal. Given, never taken from `process`, so that
// tests run commands in process and compare exact output.
//
// SPDX-License-Identifier: Apache-2.0

export interface Io {
  /** Writes to standard output, as is. */
  out(text: string): void;
  /** Writes to standard error, as is. */
  err(text: string): void;
  /** Standard error is a terminal that wants colour (NO_COLOR unset). */
  readonly color: boolean;
  /** Standard error is a terminal: progress may rewrite its line. */
  readonly progress: boolean;
  readonly cwd: string;
  /** Aborts on SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
}
