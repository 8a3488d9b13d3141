// Commands of the publisher's side: init, lint, test, build, publish, head, key generate.
//
// SPDX-License-Identifier: Apache-2.0

import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { signHead } from '../commands/head.ts';
import { type InitOptions, init } from '../commands/init.ts';
import { lintFiles, testFiles } from '../commands/policy.ts';
import { build, publishBundle } from '../commands/publish.ts';
import { type Example, withExamples } from '../examples.ts';
import { age } from '../options.ts';
import { failed, type Outcome } from '../outcome.ts';
import type { Session } from '../session.ts';
import { addKey } from './key.ts';
import {
  type BuildOptions,
  buildOptions,
  openPublishing,
  type PublishOptions,
  signingOptions,
} from './publishing.ts';

const DAY_MS = 86_400_000;

/** Adds the commands of the publisher's side to the tree. */
export function addPublisherCommands(program: Command, session: Session): void {
  addInit(program, session);
  addPolicy(program, session);
  addBuild(program, session);
  addPublish(program, session);
  addHead(program, session);
  addKey(program, session);
}

function addInit(program: Command, session: Session): void {
  withExamples(program.command('init'), [
    'warder init policies --repository registry.example.com/policies --source https://git.example.com/policies',
    'a new folder that lints, passes its tests and builds as soon as it is committed',
  ])
    .description(
      'scaffold a policy repository: configuration, an example with tests, CI workflow, hook',
    )
    .argument('[dir]', 'folder to make or fill', '.')
    .option('--name <name>', 'name of the bundles', 'policies')
    .option('--tenant <name>', 'whose they are', 'default')
    .option('--channel <name>', 'channel that hosts follow', 'prod')
    .option('--repository <name>', 'where bundles go', 'registry.example.com/policies')
    .option(
      '--source <url>',
      'canonical URL of this Git repository',
      'https://git.example.com/policies',
    )
    .action(async (dir: string, options: InitOptions) => {
      session.finish(await init(session.services, resolve(session.io.cwd, dir), options));
    });
}

function addPolicy(program: Command, session: Session): void {
  const { services, io } = session;
  const add = (
    name: string,
    description: string,
    run: typeof lintFiles,
    ...examples: readonly Example[]
  ) =>
    withExamples(program.command(name), ...examples)
      .description(description)
      .argument('[paths...]', 'policy files or folders', ['policies'])
      .action(async (paths: string[]) => {
        const files = await services.policyFiles(io.cwd, paths);
        session.finish(files.ok ? run(files.value) : failed('PolicyFiles', [files.error]));
      });
  add(
    'lint',
    'find mistakes in policies, with file:line:column',
    lintFiles,
    ['warder lint', 'everything below policies/, warnings included'],
    ['warder lint policies/ssh.yaml', 'one file; what depends on other files is not seen'],
  );
  add(
    'test',
    'run the policy tests (*.test.yaml) beside the policies',
    testFiles,
    ['warder test', 'all tests against all policies, as a host would decide'],
    ['warder test -o json', 'the same for a program'],
  );
}

function addBuild(program: Command, session: Session): void {
  withExamples(
    buildOptions(program.command('build')),
    ['warder build', 'the bundle of HEAD: version, digest, rules, expiry'],
    ['warder build -C policies.git --commit v7', 'the bundle of a tag in a bare repository'],
  )
    .description('build the bundle of a commit without pushing it: same commit, same digest')
    .action(async (options: BuildOptions) => {
      const source = session.services.source(resolve(session.io.cwd, options.dir));
      const dirty = await source.isDirty();
      session.finish(
        dirty.ok
          ? await build(
              { source, revision: options.commit, previous: options.previous ?? null },
              dirty.value,
            )
          : failed('Build', [dirty.error]),
      );
    });
}

function addPublish(program: Command, session: Session): void {
  withExamples(
    signingOptions(buildOptions(program.command('publish'))),
    [
      'warder publish --key key.pem --passphrase-file passphrase',
      'to the registry that warder.yaml names, under its channel',
    ],
    [
      'warder publish --key key.pem --to oci-layout:/srv/bundles',
      'into a folder instead; the passphrase is in WARDER_KEY_PASSPHRASE',
    ],
  )
    .description('lint, test, build, push, sign and attest the bundle of a commit')
    .action(async (options: PublishOptions) => {
      session.finish(await runPublish(session, options));
    });
}

async function runPublish(session: Session, options: PublishOptions): Promise<Outcome> {
  const opened = await openPublishing(session, options, 'Publication');
  return opened.ok ? publishBundle(opened.value, session.io) : opened.error;
}

function addHead(program: Command, session: Session): void {
  withExamples(
    signingOptions(buildOptions(program.command('head'))),
    [
      'warder head --key head.pem --passphrase-file passphrase',
      'after publishing, and on a schedule: what HEAD builds is still the newest',
    ],
    [
      'warder head --key head.pem --lifetime 12h',
      'hosts go by the shorter of this and the maxAge of their trust policy',
    ],
  )
    .description('sign which bundle is the newest of the channel, so that hosts notice silence')
    .addOption(
      new Option('--lifetime <age>', 'until when hosts may go by it, such as 12h or 2d')
        .argParser(age)
        .default(DAY_MS, '1d'),
    )
    .action(async (options: PublishOptions & { readonly lifetime: number }) => {
      const opened = await openPublishing(session, options, 'Head');
      if (!opened.ok) return session.finish(opened.error);
      const nowMs = session.services.clock.nowMs();
      const times = { nowMs, lifetimeMs: options.lifetime };
      session.finish(await signHead({ ...opened.value, ...times }));
    });
}
