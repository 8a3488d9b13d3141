// Commands of the publisher's side: init, lint, test, build, publish, key generate.
//
// SPDX-License-Identifier: Apache-2.0

import { type Command, InvalidArgumentError } from 'commander';
import { type Digest, parseDigest } from '../../core/digest.ts';
import { parseReference } from '../../core/reference.ts';
import { parsePublishConfig } from '../../wire/publish-config.ts';
import { init } from '../commands/init.ts';
import { lintFiles, testFiles } from '../commands/policy.ts';
import { build, publishBundle } from '../commands/publish.ts';
import { collect, ENDPOINT_HELP, endpoint } from '../options.ts';
import { done, failed, type Outcome } from '../outcome.ts';
import type { Passphrase } from '../publisher-services.ts';
import type { Session } from '../session.ts';

const DEFAULT_VARIABLE = 'WARDER_KEY_PASSPHRASE';

/** Adds the commands of the publisher's side to the tree. */
export function addPublisherCommands(program: Command, session: Session): void {
  addInit(program, session);
  addPolicy(program, session);
  addBuild(program, session);
  addPublish(program, session);
  addKey(program, session);
}

function addInit(program: Command, session: Session): void {
  program
    .command('init')
    .description(
      'scaffold a policy repository: configuration, an example with tests, CI workflow, hook',
    )
    .argument('[dir]', 'folder to make or fill', '.')
    .option('--repository <name>', 'where bundles go', 'registry.example.com/policies')
    .option(
      '--source <url>',
      'canonical URL of this Git repository',
      'https://git.example.com/policies',
    )
    .action(async (dir: string, options: { repository: string; source: string }) => {
      session.finish(await init(session.services, session.io.cwd, dir, options));
    });
}

function addPolicy(program: Command, session: Session): void {
  const { services, io } = session;
  const add = (name: string, description: string, run: typeof lintFiles) =>
    program
      .command(name)
      .description(description)
      .argument('[paths...]', 'policy files or folders', ['policies'])
      .action(async (paths: string[]) => {
        const files = await services.policyFiles(io.cwd, paths);
        session.finish(files.ok ? run(files.value) : failed('PolicyFiles', [files.error]));
      });
  add('lint', 'find mistakes in policies, with file:line:column', lintFiles);
  add('test', 'run the policy tests (*.test.yaml) beside the policies', testFiles);
}

interface BuildOptions {
  readonly dir: string;
  readonly commit: string;
  readonly previous?: Digest;
}

const buildOptions = (command: Command) =>
  command
    .option('-C, --dir <path>', 'policy repository, bare or not', '.')
    .option('--commit <revision>', 'what to build', 'HEAD')
    .option('--previous <digest>', 'digest of the bundle that this one follows', digest);

function addBuild(program: Command, session: Session): void {
  buildOptions(program.command('build'))
    .description('build the bundle of a commit without pushing it: same commit, same digest')
    .action(async (options: BuildOptions) => {
      const source = session.services.source(options.dir);
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

interface PublishOptions extends BuildOptions {
  readonly key: string;
  readonly passphraseFile?: string;
  readonly passphraseEnv: string;
  readonly to?: string;
  readonly oras?: string;
  readonly insecureRegistry: string[];
  readonly endpoint: ReadonlyMap<string, string>;
  readonly credentials?: string;
}

function addPublish(program: Command, session: Session): void {
  buildOptions(program.command('publish'))
    .description('lint, test, build, push, sign and attest the bundle of a commit')
    .requiredOption('--key <file>', 'signing key (encrypted PKCS#8), see `warder key generate`')
    .option('--passphrase-file <file>', 'file that holds the passphrase of the key')
    .option('--passphrase-env <name>', 'variable that holds it', DEFAULT_VARIABLE)
    .option('--to <repository>', 'another place than warder.yaml names, such as oci-layout:/DIR')
    .option('--oras <path>', 'absolute path of oras')
    .option('--insecure-registry <host>', 'host:port that may be plain HTTP', collect, [])
    .option('--endpoint <name=host>', ENDPOINT_HELP, endpoint, new Map<string, string>())
    .option('--credentials <dir>', 'folder with the config.json of registry credentials')
    .action(async (options: PublishOptions) => {
      session.finish(await runPublish(session, options));
    });
}

async function runPublish(session: Session, options: PublishOptions): Promise<Outcome> {
  const { services, io } = session;
  const source = services.source(options.dir);
  const place = await destination(source, options);
  if (!place.ok) return place.outcome;
  const signer = await services.signer(options.key, passphraseOf(options));
  if (!signer.ok) return failed('Publication', [signer.error]);
  const registry = await services.registryWriter(place.repository, {
    insecure: options.insecureRegistry,
    endpoints: options.endpoint,
    ...(options.oras === undefined ? {} : { oras: options.oras }),
    ...(options.credentials === undefined ? {} : { credentialsDir: options.credentials }),
  });
  if (!registry.ok) return failed('Publication', [registry.error]);
  return publishBundle(
    {
      source,
      revision: options.commit,
      previous: options.previous ?? null,
      registry: registry.value,
      signer: signer.value,
      destination: place.repository,
    },
    io,
  );
}

// The commit's own warder.yaml says where its bundle belongs, unless --to sends it elsewhere.
async function destination(
  source: ReturnType<Session['services']['source']>,
  options: PublishOptions,
) {
  const refused = (outcome: Outcome) => ({ ok: false as const, outcome });
  if (options.to !== undefined) {
    const reference = parseReference(options.to);
    if (!reference.ok) return refused(failed('Publication', [reference.error]));
    return { ok: true as const, repository: reference.value.repository };
  }
  const facts = await source.commit(options.commit);
  if (!facts.ok) return refused(failed('Publication', [facts.error]));
  const files = await source.files(facts.value.commit, 'warder.yaml');
  if (!files.ok) return refused(failed('Publication', [files.error]));
  const config = parsePublishConfig(files.value[0]?.bytes ?? new Uint8Array());
  if (config.ok) return { ok: true as const, repository: config.value.repository };
  const [first, ...rest] = config.error;
  if (first === undefined) throw new Error('a refusal has a reason');
  return refused(failed('Publication', [first, ...rest]));
}

interface KeyOptions {
  readonly out: string;
  readonly passphraseFile?: string;
  readonly passphraseEnv: string;
}

function addKey(program: Command, session: Session): void {
  const group = program.command('key').description('work with signing keys');
  group
    .command('generate')
    .description('make an encrypted signing key (ECDSA P-256) and its public half')
    .requiredOption('--out <file>', 'where the key goes; the public half goes to FILE.pub')
    .option('--passphrase-file <file>', 'file that holds the passphrase')
    .option('--passphrase-env <name>', 'variable that holds it', DEFAULT_VARIABLE)
    .action(async (options: KeyOptions) => {
      const made = await session.services.generateKey(options.out, passphraseOf(options));
      session.finish(
        made.ok
          ? done(
              'Key',
              {
                file: options.out,
                publicKeyFile: `${options.out}.pub`,
                fingerprint: made.value.fingerprint,
              },
              `${options.out}: private, encrypted\n${options.out}.pub: for trust policies\nfingerprint ${made.value.fingerprint}`,
            )
          : failed('Key', [made.error]),
      );
    });
}

function passphraseOf(options: {
  readonly passphraseFile?: string;
  readonly passphraseEnv: string;
}): Passphrase {
  return options.passphraseFile === undefined
    ? { kind: 'variable', name: options.passphraseEnv }
    : { kind: 'file', path: options.passphraseFile };
}

function digest(text: string): Digest {
  const parsed = parseDigest(text);
  if (!parsed.ok) throw new InvalidArgumentError('sha256: and 64 lower-case hexadecimal digits');
  return parsed.value;
}
