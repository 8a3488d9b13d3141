// What an action of the command tree is given.
//
// SPDX-License-Identifier: Apache-2.0

import type { Io } from './io.ts';
import type { Outcome } from './outcome.ts';
import type { OutputFormat } from './render.ts';
import type { Services } from './services.ts';

/** What an action needs: its terminal, the outside world, and where to leave its outcome. */
export interface Session {
  readonly io: Io;
  readonly services: Services;
  /** The format asked for with `--output`. */
  format(): OutputFormat;
  /** Leaves the outcome to be rendered; `host` commands also say what is still enforced. */
  finish(outcome: Outcome, about?: { readonly host: true; readonly socket: string }): void;
}
