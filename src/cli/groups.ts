// The commands in groups, in the order of the help. A group is loaded when one of its commands is asked
// for, and all of them for everything else: help, a typing error, the manual page.
//
// SPDX-License-Identifier: Apache-2.0

import type { Command } from 'commander';
import type { Session } from './session.ts';

interface Group {
  /** Heading in the help, from this group on. */
  readonly heading?: string;
  /** Names of its commands, all of them. */
  readonly names: readonly string[];
  load(): Promise<(program: Command, session: Session) => void>;
}

/** All commands. */
export const GROUPS: readonly Group[] = [
  {
    heading: 'Write and publish policies:',
    names: ['init', 'lint', 'test', 'build', 'publish', 'head', 'key'],
    load: async () => (await import('./groups/publisher.ts')).addPublisherCommands,
  },
  {
    heading: 'Look after a host:',
    names: ['agent', 'config', 'status', 'doctor', 'events', 'explain'],
    load: async () => (await import('./groups/host.ts')).addHostCommands,
  },
  { names: ['verify'], load: async () => (await import('./groups/verify.ts')).addVerify },
  { names: ['evidence'], load: async () => (await import('./groups/evidence.ts')).addEvidence },
  {
    names: ['rollback', 'resume', 'disable', 'source'],
    load: async () => (await import('./groups/host.ts')).addHostControl,
  },
  { names: ['break-glass'], load: async () => (await import('./groups/glass.ts')).addGlass },
  {
    names: ['export', 'import'],
    load: async () => (await import('./groups/archive.ts')).addArchive,
  },
  { names: ['trust'], load: async () => (await import('./groups/trust.ts')).addTrust },
  { names: ['sigstore'], load: async () => (await import('./groups/sigstore.ts')).addSigstore },
  {
    heading: 'For the shell:',
    names: ['completion', 'man'],
    load: async () => (await import('./groups/shell.ts')).addShellCommands,
  },
];

/** The groups to load for a command line that begins with this word. */
export function groupsFor(word: string | undefined): readonly Group[] {
  if (word === '-V' || word === '--version') return [];
  const group = GROUPS.find((it) => word !== undefined && it.names.includes(word));
  // These two tell about all others.
  const isAlone = group !== undefined && !group.names.includes('man');
  return isAlone ? [group] : GROUPS;
}
