// Commands of a host: agent, status, doctor, events, explain, rollback, resume, disable, config.
//
// SPDX-License-Identifier: Apache-2.0

import { resolve } from 'node:path';
import type { Command } from 'commander';
import { disable, removeSource, resume, rollback } from '../commands/control.ts';
import { doctor } from '../commands/doctor.ts';
import { events } from '../commands/events.ts';
import { explain } from '../commands/explain.ts';
import { readOptionalOrder } from '../commands/glass.ts';
import { status } from '../commands/status.ts';
import { withExamples } from '../examples.ts';
import { SOCKET, wholeNumber } from '../options.ts';
import { done, failed } from '../outcome.ts';
import type { Session } from '../session.ts';

const statusFile = (source: string | undefined) =>
  `/run/warder/agent${source === undefined ? '' : `-${source}`}/status.json`;

/** Adds the commands of a host to the tree. */
export function addHostCommands(program: Command, session: Session): void {
  addAgent(program, session);
  addStatus(program, session);
  addDoctor(program, session);
  addEvents(program, session);
}

/** Adds the commands that change what a host enforces. */
export function addHostControl(program: Command, session: Session): void {
  addControl(program, session);
  addSource(program, session);
}

const socketOption = (command: Command) =>
  command.option('--socket <path>', 'socket of the enforcer', SOCKET);

function addAgent(program: Command, session: Session): void {
  const { services, io } = session;
  withExamples(program.command('agent'), [
    'warder agent --config /etc/warder/agent.yaml',
    'what the service runs, as user warder; SIGTERM ends it, enforcement stays',
  ])
    .description('poll, verify and activate until stopped')
    .requiredOption('-c, --config <file>', 'configuration of the agent')
    .action(async ({ config }: { config: string }) => {
      const ended = await services.runAgent(resolve(io.cwd, config), io.signal);
      session.finish(ended.ok ? done('AgentEnd', {}, '') : failed('AgentEnd', [ended.error]));
    });
  const group = program.command('config').description('work with configuration files');
  withExamples(group.command('check'), [
    'warder config check /etc/warder/agent.yaml',
    'before a restart: every problem with file:line:column',
  ])
    .description('check a configuration of the agent or the enforcer, and say what it is')
    .argument('<file>', 'agent.yaml or enforcer.yaml')
    .action(async (file: string) => {
      const checked = await services.checkConfig(resolve(io.cwd, file));
      session.finish(
        checked.ok
          ? done(
              'ConfigCheck',
              { file, config: checked.value.kind },
              `${file}: a valid ${checked.value.kind}`,
            )
          : failed('ConfigCheck', [checked.error], { file }),
      );
    });
}

function addStatus(program: Command, session: Session): void {
  const { services } = session;
  withExamples(
    socketOption(program.command('status')),
    ['warder status', 'exit 0 only when a bundle is proven to be enforced, and nothing is held'],
    ['warder status -o json', 'for monitoring: see `enforcing`, `enforcer` and `agent`'],
  )
    .description('what this host enforces, since when, from where, and how we know')
    .option('--source <name>', 'of a named source instead of the main one')
    .option('--agent-status <file>', 'status file of the agent; default: that of the source')
    .action(async (options: { socket: string; source?: string; agentStatus?: string }) => {
      const { source } = options;
      const agent = await services.agentStatus(options.agentStatus ?? statusFile(source));
      session.finish(await status(services.enforcer(options.socket), agent, source), {
        host: true,
        socket: options.socket,
      });
    });
}

function addDoctor(program: Command, session: Session): void {
  const { services } = session;
  withExamples(
    socketOption(program.command('doctor')),
    [
      'warder doctor',
      'as root, before the first start: exit 21 says what is missing, and what to do',
    ],
    ['warder doctor -o json', 'for fleets: see `diagnosis.operations` and `diagnosis.hooks`'],
  )
    .description('what this host can enforce, hook by hook, and why not')
    .action(async (options: { socket: string }) => {
      const facts = await services.hostFacts();
      session.finish(await doctor(facts, services.enforcer(options.socket)));
    });
}

function addEvents(program: Command, session: Session): void {
  const { services, io } = session;
  withExamples(
    socketOption(program.command('events')),
    ['warder events -n 10', 'the ten newest'],
    ['warder events --follow -o json', 'one JSON document per line, as they come'],
  )
    .description('what was denied, or would be in mode enforce')
    .option('-f, --follow', 'print new events as they come', false)
    .option('-n, --limit <count>', 'how many of the newest', wholeNumber, 50)
    .option('--after <event>', 'only events after this one')
    .action(async (options: { socket: string; follow: boolean; limit: number; after?: string }) => {
      const enforcer = services.enforcer(options.socket);
      session.finish(await events(enforcer, io, session.format(), options), {
        host: true,
        socket: options.socket,
      });
    });
  withExamples(
    socketOption(program.command('explain')),
    ['warder explain last', 'the newest event'],
    ['warder explain 1f0c9a2e-1-0-17', 'an event that `warder events` listed'],
  )
    .description('why a denial happened: from the kernel event to the Git line and its signer')
    .argument('<event>', 'id of an event, or `last`')
    .action(async (id: string, options: { socket: string }) => {
      session.finish(await explain(services.enforcer(options.socket), id), {
        host: true,
        socket: options.socket,
      });
    });
}

interface DisableOptions {
  readonly socket: string;
  readonly reason: string;
  readonly yes: boolean;
  readonly order?: string;
}

function addControl(program: Command, session: Session): void {
  const { services } = session;
  withExamples(socketOption(program.command('rollback')), [
    "warder rollback --reason 'v7 breaks the backup'",
    'the previous bundle is back at once; v7 stays out until a higher version or `warder resume`',
  ])
    .description('return to the previous confirmed bundle, and hold there')
    .requiredOption('--reason <text>', 'why, for the record')
    .option('--source <name>', 'a named source instead of the main one')
    .action(async (options: { socket: string; reason: string; source?: string }) => {
      const enforcer = services.enforcer(options.socket);
      session.finish(await rollback(enforcer, services.user, options.reason, options.source), {
        host: true,
        socket: options.socket,
      });
    });
  withExamples(socketOption(program.command('resume')), [
    'warder resume',
    'the next poll may activate what was rolled away from',
  ])
    .description('lift the hold of a rollback, or end `warder disable`')
    .action(async (options: { socket: string }) => {
      session.finish(await resume(services.enforcer(options.socket), services.user), {
        host: true,
        socket: options.socket,
      });
    });
  withExamples(socketOption(program.command('disable')), [
    "warder disable --yes --order off.json --reason 'reinstalling this host'",
    'nothing is enforced until `warder resume`; see `warder break-glass sign --disable`',
  ])
    .description('end enforcement on this host, by a signed order: takes the pins away')
    .requiredOption('--reason <text>', 'why, for the record')
    .option('--order <file>', 'signed order; needed wherever something is enforced')
    .option('--yes', 'that is what I want', false)
    .action(async ({ socket, reason, yes, order }: DisableOptions) => {
      const file = order === undefined ? null : resolve(session.io.cwd, order);
      const enforcer = services.enforcer(socket);
      const read = readOptionalOrder(file, services);
      session.finish(await disable(enforcer, services.user, reason, yes, read), {
        host: true,
        socket,
      });
    });
}

function addSource(program: Command, session: Session): void {
  const { services } = session;
  const group = program.command('source').description('the sources of bundles of this host');
  withExamples(socketOption(group.command('remove')), [
    'warder source remove team --yes',
    'after it was taken out of the configuration and the enforcer was restarted; root',
  ])
    .description('end what a source brought that is not configured any more')
    .argument('<name>', 'name of the source, as `warder status` lists it')
    .option('--yes', 'confirm that its rules end', false)
    .action(async (name: string, options: { socket: string; yes: boolean }) => {
      const enforcer = services.enforcer(options.socket);
      session.finish(await removeSource(enforcer, services.user, name, options.yes), {
        host: true,
        socket: options.socket,
      });
    });
}
