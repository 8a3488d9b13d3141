// What `publish` and `head` share: which commit, who signs, where it goes; and opening all of it.
//
// SPDX-License-Identifier: Apache-2.0

import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { type Digest, parseDigest } from '../../core/digest.ts';
import { parseReference } from '../../core/reference.ts';
import { err, type Failure, failure, ok, type Result } from '../../core/result.ts';
import type { PublishRequest } from '../../publisher/publish.ts';
import { parsePublishConfig } from '../../wire/publish-config.ts';
import { failed, type Outcome } from '../outcome.ts';
import { addRegistryOptions, type RegistryOptions, toReach } from '../registry-options.ts';
import type { Session } from '../session.ts';
import { DEFAULT_VARIABLE, passphraseOf, withKeyHints } from './key.ts';

/** Which commit is built. */
export interface BuildOptions {
  readonly dir: string;
  readonly commit: string;
  readonly previous?: Digest;
}

/** Adds the options that say what is built. */
export const buildOptions = (command: Command) =>
  command
    .option('-C, --dir <path>', 'policy repository, bare or not', '.')
    .option('--commit <revision>', 'what to build', 'HEAD')
    .option('--previous <digest>', 'digest of the bundle that this one follows', digest);

/** And who signs it, and where it goes. */
export interface PublishOptions extends BuildOptions, RegistryOptions {
  readonly key?: string;
  readonly signingConfig?: string;
  readonly trustedRoot?: string;
  readonly identityToken?: string;
  readonly passphraseFile?: string;
  readonly passphraseEnv: string;
  readonly to?: string;
}

/** Adds the options that say who signs and where it goes. */
export const signingOptions = (command: Command) =>
  addRegistryOptions(
    command
      .option('--key <file>', 'signing key (encrypted PKCS#8), see `warder key generate`')
      .option('--signing-config <file>', 'sign with an identity instead: sigstore signing config')
      .option('--trusted-root <file>', 'trusted root that the services are checked by')
      .option('--identity-token <file>', 'file with the OIDC token; default: that of the CI job')
      .option('--passphrase-file <file>', 'file that holds the passphrase of the key')
      .option('--passphrase-env <name>', 'variable that holds it', DEFAULT_VARIABLE)
      .option('--to <repository>', 'another place than warder.yaml names, such as oci-layout:/DIR'),
  );

/** Opens the source, the signer and the registry; what cannot be opened is the outcome. */
export async function openPublishing(
  session: Session,
  options: PublishOptions,
  kind: string,
): Promise<Result<Omit<PublishRequest, 'onEvent'>, Outcome>> {
  const { services, io } = session;
  const unclear = checkSigner(options);
  if (unclear !== null) return err(failed(kind, [unclear]));
  const source = services.source(resolve(io.cwd, options.dir));
  const place = await destination(source, options, kind);
  if (!place.ok) return err(place.outcome);
  const signer = await openSigner(session, options);
  if (!signer.ok) return err(failed(kind, [withKeyHints(signer.error)]));
  const registry = await services.registryWriter(place.repository, toReach(options, io.cwd));
  if (!registry.ok) return err(failed(kind, [registry.error]));
  return ok({
    source,
    revision: options.commit,
    previous: options.previous ?? null,
    registry: registry.value,
    signer: signer.value,
    destination: place.repository,
  });
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
  kind: string,
) {
  const refused = (outcome: Outcome) => ({ ok: false as const, outcome });
  if (options.to !== undefined) {
    const reference = parseReference(options.to);
    if (!reference.ok) return refused(failed(kind, [reference.error]));
    return { ok: true as const, repository: reference.value.repository };
  }
  const facts = await source.commit(options.commit);
  if (!facts.ok) return refused(failed(kind, [facts.error]));
  const files = await source.files(facts.value.commit, 'warder.yaml');
  if (!files.ok) return refused(failed(kind, [files.error]));
  const config = parsePublishConfig(files.value[0]?.bytes ?? new Uint8Array());
  if (config.ok) return { ok: true as const, repository: config.value.repository };
  const [first, ...rest] = config.error;
  if (first === undefined) throw new Error('a refusal has a reason');
  return refused(failed(kind, [first, ...rest]));
}

function digest(text: string): Digest {
  const parsed = parseDigest(text);
  if (!parsed.ok)
    throw new InvalidArgumentError('Expected sha256: and 64 lower-case hexadecimal digits.');
  return parsed.value;
}
