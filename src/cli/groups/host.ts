// Commands of a host: agent, status, events, explain, verify, rollback, resume, disable, config.
//
// SPDX-License-Identifier: Apache-2.0

import type { Command } from 'commander';
import { formatRepository, parseReference } from '../../core/reference.ts';
import { disable, resume, rollback } from '../commands/control.ts';
import { events } from '../commands/events.ts';
import { explain } from '../commands/explain.ts';
import { status } from '../commands/status.ts';
import { verify } from '../commands/verify.ts';
import { collect, ENDPOINT_HELP, endpoint, wholeNumber } from '../options.ts';
import { done, failed } from '../outcome.ts';
import type { Session } from '../session.ts';

const SOCKET = '/run/warder/enforcer.sock';
const STATUS_FILE = '/run/warder/agent/status.json';

/** Adds the commands of a host to the tree. */
export function addHostCommands(program: Command, session: Session): void {
  addAgent(program, session);
  addStatus(program, session);
  addEvents(program, session);
  addVerify(program, session);
  addControl(program, session);
}

const socketOption = (command: Command) =>
  command.option('--socket <path>', 'socket of the enforcer', SOCKET);

function addAgent(program: Command, session: Session): void {
  const { services, io } = session;
  program
    .command('agent')
    .description('poll, verify and activate until stopped')
    .requiredOption('-c, --config <file>', 'configuration of the agent')
    .action(async ({ config }: { config: string }) => {
      const ended = await services.runAgent(config, io.signal);
      session.finish(ended.ok ? done('AgentEnd', {}, '') : failed('AgentEnd', [ended.error]));
    });
  const group = program.command('config').description('work with configuration files');
  group
    .command('check')
    .description('check a configuration of the agent or the enforcer, and say what it is')
    .argument('<file>')
    .action(async (file: string) => {
      const checked = await services.checkConfig(file);
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
  socketOption(program.command('status'))
    .description('what this host enforces, since when, from where, and how we know')
    .option('--agent-status <file>', 'status file of the agent', STATUS_FILE)
    .action(async (options: { socket: string; agentStatus: string }) => {
      const agent = await services.agentStatus(options.agentStatus);
      session.finish(
        agent.ok
          ? await status(services.enforcer(options.socket), agent.value)
          : failed('Status', [agent.error]),
        { host: true, socket: options.socket },
      );
    });
}

function addEvents(program: Command, session: Session): void {
  const { services, io } = session;
  socketOption(program.command('events'))
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
  socketOption(program.command('explain'))
    .description('why a denial happened: from the kernel event to the Git line and its signer')
    .argument('<event>', 'id of an event, or `last`')
    .action(async (id: string, options: { socket: string }) => {
      session.finish(await explain(services.enforcer(options.socket), id), {
        host: true,
        socket: options.socket,
      });
    });
}

interface VerifyOptions {
  readonly trust: string;
  readonly repository?: string;
  readonly channel: string;
  readonly oras?: string;
  readonly insecureRegistry: string[];
  readonly endpoint: ReadonlyMap<string, string>;
}

function addVerify(program: Command, session: Session): void {
  program
    .command('verify')
    .description('verify a bundle against a trust policy, without activating anything')
    .argument('<reference>', 'HOST/REPOSITORY:TAG, …@sha256:HEX or oci-layout:/DIR:TAG')
    .requiredOption('--trust <file>', 'trust policy')
    .option('--repository <name>', 'canonical repository, when fetched from a mirror or a layout')
    .option('--channel <name>', 'channel that the bundle must be for', 'prod')
    .option('--oras <path>', 'absolute path of oras')
    .option('--insecure-registry <host>', 'host:port that may be plain HTTP', collect, [])
    .option('--endpoint <name=host>', ENDPOINT_HELP, endpoint, new Map<string, string>())
    .action(async (text: string, options: VerifyOptions) => {
      session.finish(await runVerify(session, text, options));
    });
}

async function runVerify(session: Session, text: string, options: VerifyOptions) {
  const { services } = session;
  const reference = parseReference(text);
  if (!reference.ok) return failed('Verification', [reference.error]);
  const trust = await services.trust(options.trust);
  if (!trust.ok) return failed('Verification', [trust.error]);
  const registry = await services.registryReader(reference.value, {
    insecure: options.insecureRegistry,
    endpoints: options.endpoint,
    ...(options.oras === undefined ? {} : { oras: options.oras }),
  });
  if (!registry.ok) return failed('Verification', [registry.error]);
  const ports = { registry: registry.value, verifier: await services.verifier() };
  return verify(reference.value, ports, trust.value, {
    nowMs: services.clock.nowMs(),
    floor: null,
    admitted: [],
    repository: options.repository ?? formatRepository(reference.value.repository),
    channel: options.channel,
    agentVersion: services.version,
    labels: {},
    purpose: 'admit',
  });
}

function addControl(program: Command, session: Session): void {
  const { services } = session;
  socketOption(program.command('rollback'))
    .description('return to the previous confirmed bundle, and hold there')
    .requiredOption('--reason <text>', 'why, for the record')
    .action(async (options: { socket: string; reason: string }) => {
      const enforcer = services.enforcer(options.socket);
      session.finish(await rollback(enforcer, services.user, options.reason), {
        host: true,
        socket: options.socket,
      });
    });
  socketOption(program.command('resume'))
    .description('lift the hold of a rollback')
    .action(async (options: { socket: string }) => {
      session.finish(await resume(services.enforcer(options.socket), services.user), {
        host: true,
        socket: options.socket,
      });
    });
  socketOption(program.command('disable'))
    .description('end enforcement on this host: takes the pins away')
    .requiredOption('--reason <text>', 'why, for the record')
    .option('--yes', 'that is what I want', false)
    .action(async (options: { socket: string; reason: string; yes: boolean }) => {
      const enforcer = services.enforcer(options.socket);
      session.finish(await disable(enforcer, services.user, options.reason, options.yes), {
        host: true,
        socket: options.socket,
      });
    });
}
