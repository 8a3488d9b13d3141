// `warder break-glass`: request, sign, use, end, list.
//
// SPDX-License-Identifier: Apache-2.0

import { resolve } from 'node:path';
import type { Command } from 'commander';
import { end, list, request, sign, use } from '../commands/glass.ts';
import { withExamples } from '../examples.ts';
import { SOCKET, wholeNumber } from '../options.ts';
import { failed } from '../outcome.ts';
import type { Session } from '../session.ts';
import { DEFAULT_VARIABLE, passphraseOf, withKeyHints } from './key.ts';

/** Adds the group to the tree. */
export function addGlass(program: Command, session: Session): void {
  const group = program
    .command('break-glass')
    .description('let go of rules for a while, by a signed order');
  addRequest(group, session);
  addSignOrder(group, session);
  addUse(group, session);
  addEnd(group, session);
}

const socketOption = (command: Command) =>
  command.option('--socket <path>', 'socket of the enforcer', SOCKET);

function addRequest(group: Command, session: Session): void {
  const { services, io } = session;
  withExamples(socketOption(group.command('request')), [
    'warder break-glass request --out request.json',
    'on the host; the file goes to whoever signs, and is good for one order',
  ])
    .description('say what an order must name to be good for this host')
    .option('--out <file>', 'file to write; without it the request is printed')
    .action(async ({ socket, out }: { socket: string; out?: string }) => {
      const file = out === undefined ? null : resolve(io.cwd, out);
      const about = { host: true, socket } as const;
      session.finish(await request(services.enforcer(socket), file, services), about);
    });
}

interface SignOptions {
  readonly key: string;
  readonly out: string;
  readonly rule?: readonly string[];
  readonly cgroup?: string;
  readonly minutes?: number;
  readonly disable: boolean;
  readonly reason?: string;
  readonly passphraseFile?: string;
  readonly passphraseEnv: string;
}

function addSignOrder(group: Command, session: Session): void {
  const { services, io } = session;
  withExamples(
    group.command('sign'),
    [
      "warder break-glass sign request.json --key alice.pem --rule account-files/shadow --minutes 30 --reason 'password reset' --out order.json",
      'relaxes one rule; add --cgroup to limit it to one service',
    ],
    [
      'warder break-glass sign order.json --key bob.pem --out order.json',
      'a second person signs the same order, which is printed',
    ],
    [
      "warder break-glass sign request.json --key alice.pem --disable --reason 'reinstall' --out off.json",
      'an order for `warder disable`',
    ],
  )
    .description('sign an order for a request, or add a signature to an order')
    .argument('<file>', 'request of a host, or an order that others have signed')
    .requiredOption('--key <file>', 'key that the trust policy names for break-glass')
    .requiredOption('--out <file>', 'the signed order')
    .option('--rule <ids...>', 'rules to relax, policy/rule')
    .option('--cgroup <path>', 'only for processes in this control group, such as /system.slice/x')
    .option('--minutes <n>', 'how long, from its use on', wholeNumber)
    .option('--disable', 'ends enforcement in place of relaxing rules', false)
    .option('--reason <text>', 'why, for the record')
    .option('--passphrase-file <file>', 'file that holds the passphrase of the key')
    .option('--passphrase-env <name>', 'variable that holds it', DEFAULT_VARIABLE)
    .action(async (file: string, options: SignOptions) => {
      const signer = await services.signer(resolve(io.cwd, options.key), passphraseOf(io, options));
      if (!signer.ok) {
        return session.finish(failed('BreakGlassSignature', [withKeyHints(signer.error)]));
      }
      const wish = {
        action: options.disable ? ('disable' as const) : ('relax' as const),
        rules: options.rule ?? [],
        cgroup: options.cgroup ?? null,
        minutes: options.minutes ?? null,
        reason: options.reason ?? null,
      };
      const [from, out] = [resolve(io.cwd, file), resolve(io.cwd, options.out)];
      session.finish(await sign(from, out, wish, signer.value, services));
    });
}

function addUse(group: Command, session: Session): void {
  const { services, io } = session;
  withExamples(socketOption(group.command('use')), [
    'warder break-glass use order.json',
    'on the host that asked; root. It ends by itself, whoever is there then',
  ])
    .description('hand a signed order to the enforcer')
    .argument('<file>', 'signed order')
    .action(async (file: string, { socket }: { socket: string }) => {
      const enforcer = services.enforcer(socket);
      session.finish(await use(resolve(io.cwd, file), enforcer, services.user, services), {
        host: true,
        socket,
      });
    });
}

function addEnd(group: Command, session: Session): void {
  const { services } = session;
  withExamples(socketOption(group.command('end')), [
    'warder break-glass end',
    'the rules hold again, before the time of the order has passed',
  ])
    .description('end what is in use')
    .action(async ({ socket }: { socket: string }) => {
      const about = { host: true, socket } as const;
      session.finish(await end(services.enforcer(socket), services.user), about);
    });
  withExamples(socketOption(group.command('list')), [
    'warder break-glass list',
    'who let go of what, when, why, and who signed',
  ])
    .description('list the orders that were used on this host')
    .action(async ({ socket }: { socket: string }) => {
      session.finish(await list(services.enforcer(socket)));
    });
}
