// SPDX-License-Identifier: Apache-2.0
// A set-up problem that the operator can act on: what went wrong, where, and what to do about it.
// Anything else that is thrown is a bug and keeps its stack.

export class SetupError extends Error {
  constructor(message, { hint, log } = {}) {
    super(message);
    this.name = 'SetupError';
    this.hint = hint;
    this.log = log;
  }
}
