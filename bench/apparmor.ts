// The peer that every Debian has: a process confined by an AppArmor profile that says what the measured rule
// says, one object with everything denied, and everything else allowed.
//
// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from 'node:fs';
import type { Guest } from '../test/support/guest/guest.ts';

/** Name of the profile. */
export const PROFILE = 'warder-cost';

const TEXT = `profile ${PROFILE} {
  capability,
  signal,
  ptrace,
  unix,
  change_profile -> unconfined,
  / r,
  /** rwklmix,
  deny /disk/protected/file rwklmx,
}
`;

interface Parser {
  provideParser(): string;
}

/** Loads the profile into a guest; answers why that is not possible, or null. */
export async function loadProfile(guest: Guest): Promise<string | null> {
  const enabled = await guest.run(['cat', '/sys/module/apparmor/parameters/enabled']);
  if (enabled.stdout.trim() !== 'Y') return 'the kernel of the guest does not have it on';
  let parser: string;
  try {
    parser = await bringParser();
  } catch (cause) {
    if (!(cause instanceof Error && cause.name === 'SetupError')) throw cause;
    return `its parser could not be fetched: ${cause.message.split('\n', 1)[0]}`;
  }
  await guest.put('/opt/cost/apparmor_parser', readFileSync(parser), 0o755);
  await guest.put('/opt/cost/profile', TEXT);
  const args = ['--replace', '--skip-cache', '--config-file', '/dev/null', '/opt/cost/profile'];
  const { exitCode, stderr } = await guest.run(['/opt/cost/apparmor_parser', ...args]);
  return exitCode === 0 ? null : `the profile was refused: ${stderr.trim()}`;
}

async function bringParser(): Promise<string> {
  const module = new URL('../packaging/setup/apparmor.mjs', import.meta.url).href;
  const { provideParser } = (await import(module)) as Parser;
  return provideParser();
}
