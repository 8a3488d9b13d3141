// Commands of the publisher's side: init, lint, test, build, publish, key generate.
//
// SPDX-License-Identifier: Apache-2.0

import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { type Digest, parseDigest } from '../../core/digest.ts';
import { parseReference } from '../../core/reference.ts';
import { type Failure, failure } from '../../core/result.ts';
import { parsePublishConfig } from '../../wire/publish-config.ts';
import { type InitOptions, init } from '../commands/init.ts';
import { lintFiles, testFiles } from '../commands/policy.ts';
import { build, publishBundle } from '../commands/publish.ts';
import { type Example, withExamples } from '../examples.ts';
import { collect, ENDPOINT_HELP, endpoint } from '../options.ts';
import { failed, type Outcome } from '../outcome.ts';
import type { Session } from '../session.ts';
import { addKey, DEFAULT_VARIABLE, passphraseOf, withKeyHints } from './key.ts';

/** Adds the commands of the publisher's side to the tree. */
export function addPublisherCommands(program: Command, session: Session): void {
  addInit(program, session);
  addPolicy(program, session);
  addBuild(program, session);
  addPublish(program, session);
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

interface PublishOptions extends BuildOptions {
  readonly key?: string;
  readonly signingConfig?: string;
  readonly trustedRoot?: string;
  readonly identityToken?: string;
  readonly passphraseFile?: string;
  readonly passphraseEnv: string;
  readonly to?: string;
  readonly oras?: string;
  readonly insecureRegistry?: readonly string[];
  readonly endpoint?: ReadonlyMap<string, string>;
  readonly credentials?: string;
  readonly tokenRealm?: readonly string[];
}

function addPublish(program: Command, session: Session): void {
  withExamples(
    buildOptions(program.command('publish')),
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
    .option('--key <file>', 'signing key (encrypted PKCS#8), see `warder key generate`')
    .option('--signing-config <file>', 'sign with an identity instead: sigstore signing config')
    .option('--trusted-root <file>', 'trusted root that the services are checked by')
    .option('--identity-token <file>', 'file with the OIDC token; default: that of the CI job')
    .option('--passphrase-file <file>', 'file that holds the passphrase of the key')
    .option('--passphrase-env <name>', 'variable that holds it', DEFAULT_VARIABLE)
    .option('--to <repository>', 'another place than warder.yaml names, such as oci-layout:/DIR')
    .option('--oras <path>', 'absolute path of oras')
    .option(
      '--insecure-registry <host>',
      'HOST:PORT that may be plain HTTP; may be repeated',
      collect,
    )
    .option('--endpoint <name=host>', ENDPOINT_HELP, endpoint)
    .option('--credentials <dir>', 'folder with the config.json of registry credentials')
    .option(
      '--token-realm <host>',
      'HOST:PORT of a token service that may see them; may be repeated',
      collect,
    )
    .action(async (options: PublishOptions) => {
      session.finish(await runPublish(session, options));
    });
}

async function runPublish(session: Session, options: PublishOptions): Promise<Outcome> {
  const { services, io } = session;
  const unclear = checkSigner(options);
  if (unclear !== null) return failed('Publication', [unclear]);
  const source = services.source(resolve(io.cwd, options.dir));
  const place = await destination(source, options);
  if (!place.ok) return place.outcome;
  const signer = await openSigner(session, options);
  if (!signer.ok) return failed('Publication', [withKeyHints(signer.error)]);
  const registry = await services.registryWriter(place.repository, {
    insecure: options.insecureRegistry ?? [],
    tokenRealms: options.tokenRealm ?? [],
    ...(options.endpoint === undefined ? {} : { endpoints: options.endpoint }),
    ...(options.oras === undefined ? {} : { oras: options.oras }),
    ...(options.credentials === undefined
      ? {}
      : { credentialsDir: resolve(io.cwd, options.credentials) }),
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

function checkSigner({ key, signingConfig, trustedRoot }: PublishOptions): Failure | null {
  const byKey = key !== undefined && signingConfig === undefined;
  const byIdentity = key === undefined && signingConfig !== undefined && trustedRoot !== undefined;
  if (byKey || byIdentity) return null;
  const hints = ['sign with --key FILE, or with --signing-config FILE --trusted-root FILE'];
  return failure('cli/usage', 'it is not clear who signs', { hints });
}

function openSigner({ services, io }: Session, options: PublishOptions) {
  const { key, signingConfig = '', trustedRoot = '', identityToken } = options;
  const at = (path: string) => resolve(io.cwd, path);
  if (key !== undefined) return services.signer(at(key), passphraseOf(io, options));
  return services.keylessSigner({
    signingConfig: at(signingConfig),
    trustedRoot: at(trustedRoot),
    ...(identityToken === undefined ? {} : { identityToken: at(identityToken) }),
  });
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

function digest(text: string): Digest {
  const parsed = parseDigest(text);
  if (!parsed.ok)
    throw new InvalidArgumentError('Expected sha256: and 64 lower-case hexadecimal digits.');
  return parsed.value;
}
