// What the demo tries in the guest, with the programs that people use. Each attempt is a program of its
// own, so that the kernel's events name it.
//
// SPDX-License-Identifier: Apache-2.0

import type { Guest } from '../../test/support/guest/guest.ts';
import type { GuestProcess } from '../../test/support/guest/process.ts';
import { expect } from './show.ts';

/** Tries to append to a file, as root; true when the kernel let it. */
export async function append(guest: Guest, path: string): Promise<boolean> {
  return allowed(guest, ['tee', '-a', path]);
}

/**
 * The same by a program that does not end at once, so that the enforcer still finds it in /proc when it
 * explains the event.
 */
export async function appendSlowly(guest: Guest, path: string): Promise<boolean> {
  return allowed(guest, ['sh', '-c', 'sleep 1 | /usr/bin/tee -a "$1"', 'sh', path]);
}

/** Tries to rename one file over another, as editors and installers replace a file. */
export async function renameOver(guest: Guest, from: string, to: string): Promise<boolean> {
  return allowed(guest, ['mv', '-f', from, to]);
}

/** Tries to make a hard link. */
export async function hardLink(guest: Guest, from: string, to: string): Promise<boolean> {
  return allowed(guest, ['ln', from, to]);
}

async function allowed(guest: Guest, command: readonly string[]): Promise<boolean> {
  const { exitCode, stderr } = await guest.run(command, { stdin: '# changed\n' });
  // Any other error would prove nothing.
  const denied = exitCode !== 0 && stderr.includes('Permission denied');
  expect(denied || exitCode === 0, `${command.join(' ')} to be allowed or denied`, stderr);
  return exitCode === 0;
}

/** A process that tries to open a file for writing, again and again. */
export interface Watcher {
  /** Ends it; how often it tried, and how often it was let. */
  stop(): Promise<{ readonly attempts: number; readonly allowed: number }>;
}

// It pauses between two attempts, because each denial is an event that the enforcer explains and keeps. The
// pause is a read of a pipe to which nobody writes: the shell needs no other program for it.
const WATCH = `
attempts=0; allowed=0; stop=
trap 'stop=1' TERM
mkfifo /tmp/nothing; exec 3<>/tmp/nothing; rm /tmp/nothing
while [ -z "$stop" ]; do
  if { true >> "$FILE"; } 2>/dev/null; then allowed=$((allowed + 1)); fi
  attempts=$((attempts + 1))
  [ "$attempts" = 1 ] && echo started
  read -t 0.05 -u 3 nothing
done
echo "attempts=$attempts allowed=$allowed"`;

/** Starts it; it has tried once when this answers. */
export async function watch(guest: Guest, path: string): Promise<Watcher> {
  const process: GuestProcess = await guest.spawn(['sh', '-c', WATCH], { env: { FILE: path } });
  await process.waitFor(/started/);
  return {
    stop: async () => {
      await process.kill('SIGTERM');
      const counts = await process.waitFor(/attempts=(\d+) allowed=(\d+)/);
      return { attempts: Number(counts[1]), allowed: Number(counts[2]) };
    },
  };
}

/**
 * Identifiers of what Warder has pinned in the kernel: a program or a link that is made again gets a new
 * one. What a process holds for itself (the resolver) is not among them.
 */
export async function kernelObjects(guest: Guest): Promise<{
  readonly programs: readonly number[];
  readonly links: readonly number[];
}> {
  const { stdout } = await guest.run(['bpftool', '--bpffs', '--json', 'link', 'list']);
  const links = JSON.parse(stdout) as readonly PinnedLink[];
  const pinned = links.filter((it) => it.pinned !== undefined && it.pinned.length > 0);
  return { programs: pinned.map((it) => it.prog_id), links: pinned.map((it) => it.id) };
}

/** What bpftool says about a link. */
interface PinnedLink {
  readonly id: number;
  readonly prog_id: number;
  readonly pinned?: readonly string[];
}
