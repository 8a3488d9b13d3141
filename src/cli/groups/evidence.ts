// `warder evidence …`.
//
// SPDX-License-Identifier: Apache-2.0

import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Digest } from '../../core/digest.ts';
import { err, failure, ok, type Result } from '../../core/result.ts';
import type { RecordsPort } from '../../ports.ts';
import { exportEvidence, findRecord, listEvidence, showEvidence } from '../commands/evidence.ts';
import { withExamples } from '../examples.ts';
import { SOCKET, wholeNumber } from '../options.ts';
import { failed, type Outcome } from '../outcome.ts';
import type { Session } from '../session.ts';

interface Where {
  readonly socket: string;
  readonly state?: string;
}

/** Adds the commands to the tree. */
export function addEvidence(program: Command, session: Session): void {
  const group = program.command('evidence').description('what was decided here, and by what');
  const where = (command: Command) =>
    command
      .option('--socket <path>', 'socket of the enforcer', SOCKET)
      .option('--state <dir>', 'a state folder instead, such as that of the agent');
  withExamples(
    where(group.command('list')),
    ['warder evidence list', 'what the enforcer admitted and refused lately'],
    ['warder evidence list --state /var/lib/warder/agent', 'the same of the agent'],
  )
    .description('decisions about bundles, heads and trust policies, newest last')
    .option('-n, --limit <count>', 'how many of the newest', wholeNumber, 20)
    .action(async (options: Where & { limit: number }) => {
      const answer = await within(session, options, (port) => listEvidence(port, options.limit));
      session.finish(answer, atHost(options));
    });
  withExamples(where(group.command('show')), [
    'warder evidence show active',
    'why the bundle that is enforced was admitted: criteria, then every check',
  ])
    .description('one decision: its criteria and every check')
    .argument('<record>', '`active`, `last`, or the beginning of an id')
    .action(async (name: string, options: Where) => {
      const answer = await within(session, options, async (port) => {
        const id = await find(session, port, name, options);
        return id.ok ? showEvidence(port, id.value) : failed('Decision', [id.error]);
      });
      session.finish(answer, atHost(options));
    });
  withExamples(where(group.command('export')), [
    'warder evidence export active --to evidence',
    'a folder to hand over; `warder verify --evidence evidence` repeats the decision anywhere',
  ])
    .description('write one decision and all bytes that it was made from into a new folder')
    .argument('<record>', '`active`, `last`, or the beginning of an id')
    .requiredOption('--to <dir>', 'new folder')
    .action(async (name: string, options: Where & { to: string }) => {
      const dir = resolve(session.io.cwd, options.to);
      const answer = await within(session, options, async (port) => {
        const id = await find(session, port, name, options);
        if (!id.ok) return failed('EvidenceExport', [id.error]);
        const write = session.services.evidence.write;
        return exportEvidence(port, id.value, (it) => write(dir, it), options.to);
      });
      session.finish(answer, atHost(options));
    });
}

// A folder is nobody's host: nothing is known of what is enforced there.
const atHost = ({ socket, state }: Where) =>
  state === undefined ? ({ host: true, socket } as const) : undefined;

async function within(
  { services, io }: Session,
  { socket, state }: Where,
  work: (port: RecordsPort) => Promise<Outcome>,
): Promise<Outcome> {
  if (state === undefined) return work(services.enforcer(socket));
  const opened = await services.evidence.ofState(resolve(io.cwd, state));
  return opened.ok ? work(opened.value) : failed('Evidence', [opened.error]);
}

function find(
  { services }: Session,
  port: RecordsPort,
  name: string,
  { socket, state }: Where,
): Promise<Result<Digest>> {
  return findRecord(port, name, async () => {
    if (state !== undefined)
      return err(failure('cli/usage', 'a folder does not know what is active'));
    const status = await services.enforcer(socket).status();
    return status.ok ? ok(status.value.record) : status;
  });
}
