// `warder trust`: look at a trust policy (explain, lint, test) and change it (sign, publish, apply, update).
//
// SPDX-License-Identifier: Apache-2.0

import { resolve } from 'node:path';
import type { Command } from 'commander';
import { parseReference } from '../../core/reference.ts';
import type { Result } from '../../core/result.ts';
import type { TrustPolicy } from '../../core/verify/trust.ts';
import { parseTrustFixtures } from '../../wire/trust-fixtures.ts';
import { explainTrust, lintTrustPolicy, testTrustPolicy } from '../commands/trust.ts';
import { apply, publishSigned, sign } from '../commands/trust-change.ts';
import { withExamples } from '../examples.ts';
import { SOCKET } from '../options.ts';
import { failed, type Outcome } from '../outcome.ts';
import { addRegistryOptions, type RegistryOptions, toReach } from '../registry-options.ts';
import type { Session } from '../session.ts';
import { DEFAULT_VARIABLE, passphraseOf, withKeyHints } from './key.ts';
import { addTrustUpdate } from './trust-update.ts';

/** Adds the group to the tree. */
export function addTrust(program: Command, session: Session): void {
  const group = program.command('trust').description('look at a trust policy, and change it');
  addLooks(group, session);
  addSign(group, session);
  addPublishTrust(group, session);
  addApply(group, session);
  addTrustUpdate(group, session, SOCKET);
}

function addLooks(group: Command, session: Session): void {
  const { services, io } = session;
  const load = (file: string): Promise<Result<TrustPolicy>> =>
    services.trust(resolve(io.cwd, file));
  const finish = (kind: string, trust: Result<TrustPolicy>, look: (it: TrustPolicy) => Outcome) =>
    session.finish(trust.ok ? look(trust.value) : failed(kind, [trust.error]));
  withExamples(group.command('explain'), [
    'warder trust explain /etc/warder/trust.yaml',
    'who may change it, and whom each rule admits',
  ])
    .description('say in words what each rule of a trust policy admits')
    .argument('<file>', 'trust policy')
    .action(async (file: string) => finish('TrustExplanation', await load(file), explainTrust));
  withExamples(group.command('lint'), [
    'warder trust lint trust.yaml',
    'single signers, names that may be given to others, windows that end',
  ])
    .description('find what a trust policy allows that its author may not have meant')
    .argument('<file>', 'trust policy')
    .action(async (file: string) =>
      finish('TrustLint', await load(file), (it) => lintTrustPolicy(it, services.clock.nowMs())),
    );
  withExamples(group.command('test'), [
    'warder trust test trust.yaml trust.test.yaml',
    'signers that must be admitted, and signers that must not',
  ])
    .description('run fixtures (who signs what, and what must become of it) against a trust policy')
    .argument('<file>', 'trust policy')
    .argument('<fixtures>', 'file of fixtures, see docs/verification.md')
    .action(async (file: string, path: string) => {
      const bytes = services.readBytes(resolve(io.cwd, path));
      const nowMs = services.clock.nowMs();
      const fixtures = bytes.ok ? parseTrustFixtures(bytes.value, path, nowMs) : bytes;
      if (!fixtures.ok) return session.finish(failed('TrustTests', [fixtures.error]));
      finish('TrustTests', await load(file), (it) => testTrustPolicy(it, fixtures.value));
    });
}

interface SignOptions {
  readonly key: string;
  readonly out: string;
  readonly force: boolean;
  readonly passphraseFile?: string;
  readonly passphraseEnv: string;
}

function addSign(group: Command, session: Session): void {
  const { services, io } = session;
  withExamples(
    group.command('sign'),
    [
      'warder trust sign trust.yaml --key root-1.pem --out trust-v5.json',
      'the first root; then the file goes to the next one, who runs the same',
    ],
    [
      'warder trust sign trust.yaml --key root-1.pem --out trust-v5.json --force',
      'an emergency: hosts take it even where it distrusts what is active',
    ],
  )
    .description('sign a version of the trust policy as one of its roots')
    .argument('<file>', 'trust policy, with its key files beside it')
    .requiredOption('--key <file>', 'root key (encrypted PKCS#8), see `warder key generate`')
    .requiredOption('--out <file>', 'signed version; a signature is added to those in it')
    .option('--force', 'applies even where it distrusts what is active', false)
    .option('--passphrase-file <file>', 'file that holds the passphrase of the key')
    .option('--passphrase-env <name>', 'variable that holds it', DEFAULT_VARIABLE)
    .action(async (file: string, options: SignOptions) => {
      const trust = await services.trust(resolve(io.cwd, file));
      if (!trust.ok) return session.finish(failed('TrustSignature', [trust.error]));
      const signer = await services.signer(resolve(io.cwd, options.key), passphraseOf(io, options));
      if (!signer.ok) return session.finish(failed('TrustSignature', [withKeyHints(signer.error)]));
      const policy = { ...trust.value, force: trust.value.force || options.force };
      session.finish(await sign(policy, resolve(io.cwd, options.out), signer.value, services));
    });
}

interface PlaceOptions extends RegistryOptions {
  readonly to: string;
  readonly channel: string;
}

function addPublishTrust(group: Command, session: Session): void {
  addRegistryOptions(
    withExamples(group.command('publish'), [
      'warder trust publish trust-v5.json --to registry.example.com/policies --channel prod',
      'agents of the channel find it within minutes and hand it to their enforcers',
    ])
      .description('put a signed version where the agents of a channel look for it')
      .argument('<file>', 'signed version')
      .requiredOption('--to <repository>', 'repository of the bundles, or oci-layout:/DIR')
      .option('--channel <name>', 'channel whose hosts take it', 'prod'),
  ).action(async (file: string, options: PlaceOptions) => {
    session.finish(await runPublish(session, file, options));
  });
}

async function runPublish(session: Session, file: string, options: PlaceOptions): Promise<Outcome> {
  const { services, io } = session;
  const reference = parseReference(options.to);
  if (!reference.ok) return failed('TrustPublication', [reference.error]);
  const { repository } = reference.value;
  const registry = await services.registryWriter(repository, toReach(options, io.cwd));
  if (!registry.ok) return failed('TrustPublication', [registry.error]);
  const place = { repository, channel: options.channel };
  return publishSigned(resolve(io.cwd, file), registry.value, place, services);
}

function addApply(group: Command, session: Session): void {
  const { services, io } = session;
  withExamples(
    group.command('apply'),
    ['warder trust apply trust-v5.json', 'the next version, by hand; root'],
    ['warder trust apply trust-v5.json trust-v6.json', 'a host that was away goes through both'],
  )
    .description('hand signed versions to the enforcer, in order')
    .argument('<files...>', 'signed versions')
    .option('--force', 'also where it distrusts what is active', false)
    .option('--socket <path>', 'socket of the enforcer', SOCKET)
    .action(async (files: string[], options: { force: boolean; socket: string }) => {
      const enforcer = services.enforcer(options.socket);
      const paths = files.map((it) => resolve(io.cwd, it));
      session.finish(await apply(paths, enforcer, options.force, services), {
        host: true,
        socket: options.socket,
      });
    });
}
