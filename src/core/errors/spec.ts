// What the error table says of one code.
//
// SPDX-License-Identifier: Apache-2.0

/** Exit codes of every command. docs/errors.md says which reasons lead to which. */
export const EXIT = {
  ok: 0,
  internal: 1,
  usage: 2,
  noSignature: 10,
  notFound: 11,
  signature: 12,
  provenance: 13,
  rollback: 14,
  freshness: 15,
  content: 16,
  activation: 17,
  registry: 18,
  state: 19,
  lastKnownGood: 20,
  hostUnsupported: 21,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The stages of the machine, then the prefixes of everything that is not a stage. */
export type ErrorPrefix =
  | 'resolve'
  | 'fetch'
  | 'verify'
  | 'stage'
  | 'activate'
  | 'confirm'
  | 'record'
  | 'restore'
  | 'config'
  | 'host'
  | 'policy'
  | 'trust'
  | 'glass'
  | 'state'
  | 'publish'
  | 'cli';

export interface ErrorSpec {
  /** What happened, for a reader of docs/errors.md. */
  readonly meaning: string;
  readonly exit: ExitCode;
  /** `backoff`: may go away by itself; `quarantine`: this digest will fail again; `never`: a person acts. */
  readonly retry: 'backoff' | 'quarantine' | 'never';
}

export type ErrorTable = Record<`${ErrorPrefix}/${string}`, ErrorSpec>;
