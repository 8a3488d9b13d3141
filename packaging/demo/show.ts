// How the demo speaks: one line for each observation with its evidence, and a transcript in which
// whatever changes from run to run is a placeholder.
//
// SPDX-License-Identifier: Apache-2.0

import { styleText } from 'node:util';

/** What was seen. */
export interface Observation {
  /** Completes the line when only the run can tell, such as how long it took. */
  readonly title?: string;
  readonly evidence: readonly string[];
  /** Lines that belong to it, indented below. */
  readonly details?: readonly string[];
}

/** Something that should have been seen was not. */
export class NotObserved extends Error {
  readonly expected: string;
  readonly seen: string;

  constructor(expected: string, seen: unknown) {
    super(`expected ${expected}`);
    this.name = 'NotObserved';
    this.expected = expected;
    this.seen = typeof seen === 'string' ? seen : JSON.stringify(seen, null, 2);
  }
}

/** Where the demo stopped; the cause says why. */
export class ChapterFailed extends Error {
  readonly title: string;

  constructor(title: string, cause: unknown) {
    super(title, { cause });
    this.name = 'ChapterFailed';
    this.title = title;
  }
}

/** Demands an observation. */
export function expect(condition: boolean, expected: string, seen: unknown): asserts condition {
  if (!condition) throw new NotObserved(expected, seen);
}

/** The lines of an observation, without colour. */
export function formatObservation(title: string, it: Observation): readonly string[] {
  const evidence = it.evidence.length === 0 ? '' : `   (${it.evidence.join(', ')})`;
  const details = (it.details ?? []).map((line) => `      ${line}`);
  return [`ok  ${it.title ?? title}${evidence}`, ...details];
}

/** Colours a line for a terminal. */
export function paint(line: string): string {
  if (line.startsWith('      ')) return styleText('dim', line);
  const [, status = '', text = '', evidence = ''] = /^(\S+)( .*?)( {3}\(.*\))?$/.exec(line) ?? [];
  const colour = status === 'ok' ? 'green' : 'red';
  return `${styleText([colour, 'bold'], status)}${text}${styleText('dim', evidence)}`;
}

// In this order: what is long and specific first, so that a later rule does not cut it up.
const CHANGING: readonly (readonly [RegExp, string])[] = [
  [/sha256:[0-9a-f]{6,64}/g, 'sha256:DIGEST'],
  [/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME'],
  [/\bcommit [0-9a-f]{7,40}\b/g, 'commit COMMIT'],
  [/\bcommit(\s+)[0-9a-f]{7,40}\b/g, 'commit$1COMMIT'],
  [/\bevent [0-9a-f]{8}(?:-\d+){3}/g, 'event EVENT'],
  [/\b(kernel|user) [0-9a-f]{16}\b/g, '$1 STACK'],
  [/\bkernel \d+\.\d+\S*(?=[,)])/g, 'kernel KERNEL'],
  [/(\blsm=\S*\bbpf)(?:,(?:ima|evm|ipe))+/g, '$1'], // what newer kernels have behind it
  [/\b\d+(?:\.\d+)? s\b/g, 'N s'],
  [/\b(pid|parent|cgroup|generation|ino|dev) \d+(?: -> \d+)?/g, '$1 N'],
  [/\b\d+\/\d+\b/g, 'N/N'],
  [/\b[\d,]+ (attempts|hooks|programs|links|rules|identities)\b/g, 'N $1'],
  [/\bdev [\da-f:]+/g, 'dev N'],
  [/\b[\da-f]+:[\da-f]+(?::[\da-f]+)+\b/g, 'IDENTITY'],
];

/** A line with a fixed placeholder for everything that another run would print differently. */
export function normalize(line: string): string {
  return CHANGING.reduce((text, [changing, fixed]) => text.replace(changing, fixed), line);
}
