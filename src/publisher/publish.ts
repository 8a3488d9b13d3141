// Publishes the bundle of a commit: push by digest, sign and attach, list back, and only then tag, so
// that a host that polls never finds a bundle without its attestations.
//
// Invariants: a version tag never moves; the channel tag never goes back; publishing a commit again
// changes nothing and ends well; what is reported as attached was read back and verified with the key.
//
// SPDX-License-Identifier: Apache-2.0

import { type Descriptor, MEDIA, PREDICATE } from '../core/bundle.ts';
import type { Digest } from '../core/digest.ts';
import { planProvenance, versionTag } from '../core/publish/plan.ts';
import { formatRepository, type Repository } from '../core/reference.ts';
import { err, type Failure, failure, ok, type Result } from '../core/result.ts';
import type { BundleVersion } from '../core/version.ts';
import type { RegistryPort, RegistryWritePort, SignerPort } from '../ports.ts';
import { parseDescriptor } from '../wire/descriptor.ts';
import {
  encodeCosignStatement,
  encodeProvenance,
  encodeReleaseStatement,
} from '../wire/statement.ts';
import { type BuildRequest, type BuiltBundle, buildBundle } from './build.ts';

/** What to publish, where and as whom. */
export interface PublishRequest extends BuildRequest {
  readonly registry: RegistryPort & RegistryWritePort;
  readonly signer: SignerPort;
  /** Another place than the one that is signed, such as a layout to carry away. */
  readonly destination?: Repository;
  readonly onEvent: (event: PublishEvent) => void;
}

/** Progress, in the order in which it happens. */
export type PublishEvent =
  | { readonly kind: 'built'; readonly bundle: BuiltBundle }
  | { readonly kind: 'pushed'; readonly repository: string; readonly digest: Digest }
  | {
      readonly kind: 'attached';
      readonly predicateType: string;
      /** It was there already, signed by this key. */
      readonly existed: boolean;
    }
  | { readonly kind: 'listed'; readonly attestations: number }
  | { readonly kind: 'tagged'; readonly tags: readonly string[] };

/** What is now in the registry. */
export interface Published {
  readonly bundle: BuiltBundle;
  readonly repository: Repository;
  readonly tags: readonly string[];
  readonly signedBy: string;
  /** False when everything was there already. */
  readonly changed: boolean;
}

interface Statement {
  readonly predicateType: string;
  readonly bytes: Uint8Array;
}

/** Builds, pushes, signs, attaches, reads back and tags. */
export async function publish(
  request: PublishRequest,
): Promise<Result<Published, readonly Failure[]>> {
  const built = await buildBundle(request);
  if (!built.ok) return built;
  request.onEvent({ kind: 'built', bundle: built.value });
  const published = await publishBuilt(request, built.value);
  return published.ok ? published : err([published.error]);
}

async function publishBuilt(
  request: PublishRequest,
  bundle: BuiltBundle,
): Promise<Result<Published>> {
  const { registry, signer } = request;
  const repository = request.destination ?? bundle.config.repository;
  const { channel, version } = bundle.descriptor;
  const tags = [versionTag(channel, version), channel];
  const tagged = await checkTags(registry, repository, bundle);
  if (!tagged.ok) return tagged;
  const pushed = await registry.push(repository, [], bundle.manifest, bundle.blobs);
  if (!pushed.ok) return pushed;
  if (pushed.value !== bundle.digest) return unlike(repository);
  const { digest } = bundle;
  request.onEvent({ kind: 'pushed', repository: formatRepository(repository), digest });
  const attached = await attachMissing(request, repository, bundle);
  if (!attached.ok) return attached;
  if (!tagged.value) {
    // Its blobs are there: they were pushed before it was signed.
    const named = await registry.push(repository, tags, bundle.manifest, []);
    if (!named.ok) return named;
  }
  request.onEvent({ kind: 'tagged', tags });
  const changed = !tagged.value || attached.value > 0;
  return ok({ bundle, repository, tags, signedBy: signer.signedBy, changed });
}

/** True when both tags already name this bundle. */
async function checkTags(
  registry: RegistryPort,
  repository: Repository,
  bundle: BuiltBundle,
): Promise<Result<boolean>> {
  const { channel, version } = bundle.descriptor;
  const tag = versionTag(channel, version);
  const byVersion = await resolveTag(registry, repository, tag);
  if (!byVersion.ok) return byVersion;
  if (byVersion.value !== null && byVersion.value !== bundle.digest) {
    return err(
      failure('publish/version-taken', `${tag} was published before with other content`, {
        causes: [`it is ${byVersion.value}; this commit builds ${bundle.digest}`],
        hints: ['commit on top, or tag the commit with a higher version'],
      }),
    );
  }
  const byChannel = await resolveTag(registry, repository, channel);
  if (!byChannel.ok) return byChannel;
  if (byChannel.value === null) return ok(false);
  if (byChannel.value === bundle.digest) return ok(byVersion.value !== null);
  const current = await channelVersion(registry, repository, channel, byChannel.value);
  if (current === null || current < version) return ok(false);
  return err(
    failure('publish/older-than-channel', `${channel} is at v${current} already`, {
      causes: [`this commit is v${version}; hosts refuse to go back`],
      hints: ['revert by a new commit'],
    }),
  );
}

async function resolveTag(
  registry: RegistryPort,
  repository: Repository,
  tag: string,
): Promise<Result<Digest | null>> {
  const resolved = await registry.resolve({ repository, tag, digest: null });
  if (resolved.ok) return ok(resolved.value.digest);
  return resolved.error.code === 'resolve/not-found' ? ok(null) : resolved;
}

// Only keeps an honest publisher from a mistake: hosts hold their own floor and believe no tag.
async function channelVersion(
  registry: RegistryPort,
  repository: Repository,
  channel: string,
  digest: Digest,
): Promise<BundleVersion | null> {
  const fetched = await registry.fetch({ reference: { repository, tag: channel, digest }, digest });
  if (!fetched.ok) return null;
  const descriptor = parseDescriptor(fetched.value.config);
  return descriptor.ok ? descriptor.value.version : null;
}

function statementsOf(bundle: BuiltBundle): readonly Statement[] {
  const { descriptor, digest, config } = bundle;
  const provenance = encodeProvenance(descriptor, digest, planProvenance(config, descriptor));
  return [
    { predicateType: PREDICATE.release, bytes: encodeReleaseStatement(descriptor, digest) },
    { predicateType: PREDICATE.provenance, bytes: provenance },
    { predicateType: PREDICATE.cosignSign, bytes: encodeCosignStatement(descriptor, digest) },
  ];
}

/** Attaches what is not there yet, one after the other, and reads all of it back. */
async function attachMissing(
  request: PublishRequest,
  repository: Repository,
  bundle: BuiltBundle,
): Promise<Result<number>> {
  const { registry, signer } = request;
  const size = bundle.manifest.length;
  const subject: Descriptor = { mediaType: MEDIA.manifest, digest: bundle.digest, size };
  const before = await ownStatements(request, repository, bundle.digest);
  if (!before.ok) return before;
  const statements = statementsOf(bundle);
  let added = 0;
  for (const { predicateType, bytes } of statements) {
    const existed = before.value.has(toKey(bytes));
    if (!existed) {
      const signed = await signer.sign(bytes);
      if (!signed.ok) return signed;
      const attached = await registry.attach(repository, subject, signed.value, predicateType);
      if (!attached.ok) return attached;
      added += 1;
    }
    request.onEvent({ kind: 'attached', predicateType, existed });
  }
  const after = await ownStatements(request, repository, bundle.digest);
  if (!after.ok) return after;
  const lost = statements.filter(({ bytes }) => !after.value.has(toKey(bytes)));
  if (lost.length > 0) {
    return err(
      failure('publish/attestation-lost', 'the registry does not list all attestations', {
        causes: lost.map((one) => `missing: ${one.predicateType}`),
        hints: ['publish again: what is there already is kept'],
      }),
    );
  }
  request.onEvent({ kind: 'listed', attestations: statements.length });
  return ok(added);
}

/** The statements about a bundle that this key has signed, as they are in the registry. */
async function ownStatements(
  request: PublishRequest,
  repository: Repository,
  digest: Digest,
): Promise<Result<ReadonlySet<string>>> {
  const reference = { repository, tag: null, digest };
  const fetched = await request.registry.fetch({ reference, digest });
  if (!fetched.ok) return fetched;
  const own = fetched.value.attestations.flatMap((attestation) => {
    const statement = request.signer.open(attestation);
    return statement === null ? [] : [toKey(statement)];
  });
  return ok(new Set(own));
}

function toKey(statement: Uint8Array): string {
  return new TextDecoder().decode(statement);
}

function unlike(repository: Repository): Result<never> {
  const what = `${formatRepository(repository)} names something else than was pushed`;
  return err(failure('publish/readback-mismatch', what));
}
