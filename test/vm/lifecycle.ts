// What the life-cycle cases need on a host: files, policies, attempts, and processes that are older than
// a rule.
//
// SPDX-License-Identifier: Apache-2.0

import type { Guest } from '../support/guest/guest.ts';
import type { GuestProcess } from '../support/guest/process.ts';

const DIR = '/disk/life';

export const FILES = {
  /** Descriptors to it are older than its rule. */
  held: `${DIR}/held`,
  /** The same, and its rule lists `use`. */
  used: `${DIR}/used`,
  /** A program that is mapped before its rule denies executing it. */
  program: `${DIR}/program`,
  /** Open to one program and to one user. */
  shared: `${DIR}/shared`,
  exemptProgram: `${DIR}/tool`,
  /** Denied by version 1 only. */
  first: `${DIR}/first`,
  /** Denied by version 2 only. */
  second: `${DIR}/second`,
} as const;

/** A uid that the rule on `shared` exempts. */
export const ALICE = 1000;
export const MALLORY = 1001;

/** Lays the files out. */
export const INSTALL = `
mkdir -p ${DIR}
for file in held used shared first second; do echo content > ${DIR}/$file; done
cp /usr/local/bin/op ${FILES.program}
cp /usr/local/bin/op ${FILES.exemptProgram}
sync`;

const ALL = '[read, write, create, delete, rename, link, setattr, execute]';

const HEAD = `apiVersion: warder.dev/v1alpha1
kind: FilePolicy
metadata:
  name: life
spec:
  mode: enforce
  rules:
    - id: held
      reason: Descriptors to it are older than this rule.
      protect:
        - path: ${FILES.held}
      deny: ${ALL}
    - id: program
      reason: It is mapped before this rule.
      protect:
        - path: ${FILES.program}
      deny: [execute]
    - id: shared
      reason: One program and one user may.
      protect:
        - path: ${FILES.shared}
      deny: ${ALL}
      except:
        - exe: ${FILES.exemptProgram}
        - uid: ${ALICE}
`;

const lastRule = (id: string, path: string) => `    - id: ${id}
      reason: Only one version has this rule.
      protect:
        - path: ${path}
      deny: ${ALL}
`;

const FILE = 'policies/life.yaml';

/** Only this version lists `use`. */
const USED = `    - id: used
      reason: Descriptors that are open already are taken back.
      protect:
        - path: ${FILES.used}
      deny: [read, write, use]
`;

export const VERSION_1 = { [FILE]: `${HEAD}${USED}${lastRule('first', FILES.first)}` } as const;
export const VERSION_2 = { [FILE]: `${HEAD}${lastRule('second', FILES.second)}` } as const;

/** What a second source has: a rule on a file that the first leaves open by then. */
export const TEAM_VERSION = {
  'policies/ours.yaml': `${HEAD.slice(0, HEAD.indexOf('metadata:'))}metadata:
  name: ours
spec:
  mode: enforce
  rules:
${lastRule('first', FILES.first)}`,
} as const;

/** One attempt of test/vm/op: `OK` or the name of an errno, and the process that made it. */
export interface Attempted {
  readonly pid: number;
  readonly outcome: string;
}

/** Makes one attempt in the guest, as root unless told. */
export async function attempt(
  guest: Guest,
  args: readonly string[],
  { uid = 0, program = 'op' }: { readonly uid?: number; readonly program?: string } = {},
): Promise<Attempted> {
  const { stdout, stderr } = await guest.run([program, ...args], { uid });
  return readOutcome(stdout, stderr);
}

/** The outcome of opening a file for reading. */
export async function open(guest: Guest, path: string): Promise<string> {
  return (await attempt(guest, ['open-read', path])).outcome;
}

/** A process of test/vm/op that has taken hold of something, and acts when it is told to. */
export interface Holder {
  act(): Promise<string>;
}

// The shell opens its fifo for both directions, so that it need not wait for a writer.
const HOLD = 'mkfifo /run/hold-$$ && exec 3<>/run/hold-$$ && exec "$@" <&3';

/** Starts one, and waits until it holds. */
export async function hold(guest: Guest, args: readonly string[], program = 'op'): Promise<Holder> {
  const process: GuestProcess = await guest.spawn(['sh', '-c', HOLD, 'sh', program, ...args]);
  await process.waitFor(/^ready$/m);
  return {
    act: async () => {
      await guest.sh(`echo go > /run/hold-${process.pid}`);
      const { stdout, stderr } = await process.done;
      return readOutcome(stdout, stderr).outcome;
    },
  };
}

function readOutcome(stdout: string, stderr: string): Attempted {
  const match = /^(\d+) ([A-Z]\w*)$/m.exec(stdout);
  // What is no outcome is shown as it stands; nothing expects it.
  return { pid: Number(match?.[1] ?? -1), outcome: match?.[2] ?? `${stdout}${stderr}` };
}
