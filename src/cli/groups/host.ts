// Commands of a host: agent, status, doctor, events, explain, verify, rollback, resume, disable, config.
//
// SPDX-License-Identifier: Apache-2.0

import { resolve } from 'node:path';
import type { Command } from 'commander';
import { formatRepository, parseReference } from '../../core/reference.ts';
import { failure } from '../../core/result.ts';
import { disable, removeSource, resume, rollback } from '../commands/control.ts';
import { doctor } from '../commands/doctor.ts';
import { events } from '../commands/events.ts';
import { repeatEvidence } from '../commands/evidence.ts';
import { explain } from '../commands/explain.ts';
import { readOptionalOrder } from '../commands/glass.ts';
import { status } from '../commands/status.ts';
import { verify } from '../commands/verify.ts';
import { withExamples } from '../examples.ts';
import { wholeNumber } from '../options.ts';
import { done, failed, type Outcome } from '../outcome.ts';
import { addRegistryOptions, type RegistryOptions, toReach } from '../registry-options.ts';
import type { Session } from '../session.ts';
import { addEvidence } from './evidence.ts';

const SOCKET = '/run/warder/enforcer.sock';

const statusFile = (source: string | undefined) =>
  `/run/warder/agent${source === undefined ? '' : `-${source}`}/status.json`;

/** Adds the commands of a host to the tree. */
export function addHostCommands(program: Command, session: Session): void {
  addAgent(program, session);
  addStatus(program, session);
  addDoctor(program, session);
  addEvents(program, session);
  addVerify(program, session);
  addEvidence(program, session, SOCKET);
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

interface VerifyOptions extends RegistryOptions {
  readonly evidence?: string;
  readonly trust?: string;
  readonly repository?: string;
  readonly channel: string;
}

function addVerify(program: Command, session: Session): void {
  addRegistryOptions(
    withExamples(
      program.command('verify'),
      [
        'warder verify registry.example.com/policies:prod --trust /etc/warder/trust.yaml',
        'what a host with this trust policy would say of the newest bundle',
      ],
      [
        'warder verify oci-layout:/srv/bundles:prod --trust trust.yaml --repository registry.example.com/policies',
        'a bundle in a folder, which is signed for its canonical repository',
      ],
      [
        'warder verify --evidence evidence',
        'repeat a decision of a host from what `warder evidence export` wrote, offline',
      ],
    )
      .description('verify a bundle against a trust policy, without activating anything')
      .argument('[reference]', 'HOST/REPOSITORY:TAG, …@sha256:HEX or oci-layout:/DIR:TAG')
      .option('--trust <file>', 'trust policy; needed with a reference')
      .option('--evidence <dir>', 'repeat the decision of this folder instead')
      .option('--repository <name>', 'canonical repository, when fetched from a mirror or a layout')
      .option('--channel <name>', 'channel that the bundle must be for', 'prod'),
  ).action(async (text: string | undefined, options: VerifyOptions) => {
    session.finish(await runVerify(session, text, options));
  });
}

async function runVerify(session: Session, text: string | undefined, options: VerifyOptions) {
  const { services, io } = session;
  if (text === undefined && options.evidence !== undefined) {
    const evidence = await services.evidence.read(resolve(io.cwd, options.evidence));
    if (!evidence.ok) return failed('Repetition', [evidence.error]);
    return repeatEvidence(evidence.value, await services.verifier());
  }
  if (text === undefined || options.trust === undefined || options.evidence !== undefined) {
    const hints = ['warder verify REFERENCE --trust FILE', 'warder verify --evidence DIR'];
    return failed('Verification', [
      failure('cli/usage', 'a reference with a trust policy is needed, or evidence', { hints }),
    ]);
  }
  const reference = parseReference(text);
  if (!reference.ok) return failed('Verification', [reference.error]);
  const trust = await services.trust(resolve(session.io.cwd, options.trust));
  if (!trust.ok) return failed('Verification', [trust.error]);
  const registry = await services.registryReader(reference.value, toReach(options, session.io.cwd));
  if (!registry.ok) return failed('Verification', [registry.error]);
  const ports = { registry: registry.value, verifier: await services.verifier() };
  const outcome = await verify(reference.value, ports, trust.value, {
    nowMs: services.clock.nowMs(),
    floor: null,
    admitted: [],
    repository: options.repository ?? formatRepository(reference.value.repository),
    channel: options.channel,
    agentVersion: services.version,
    labels: {},
    head: null,
    purpose: 'admit',
  });
  return options.repository === undefined ? withPlaceHint(outcome) : outcome;
}

// A copy is signed for the place it was copied from; only a person knows which that should be.
function withPlaceHint(outcome: Outcome): Outcome {
  const failures = outcome.failures.map((it) =>
    it.code === 'verify/scope-mismatch' ? { ...it, hints: [...it.hints, PLACE_HINT] } : it,
  );
  return { ...outcome, failures };
}

const PLACE_HINT =
  'for a mirror or a folder, name the canonical repository by --repository, and the channel by --channel';

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
