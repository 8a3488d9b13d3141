// The registry ports over the oras command. Each call has one total deadline, however many runs of
// oras it takes.
//
// SPDX-License-Identifier: Apache-2.0

import type { Candidate } from '../../core/bundle.ts';
import { parseDigest } from '../../core/digest.ts';
import { headTag } from '../../core/head.ts';
import { LIMITS } from '../../core/limits.ts';
import { formatReference, type Reference, type Repository } from '../../core/reference.ts';
import { err, failure, invariant, ok, type Result } from '../../core/result.ts';
import type { RegistryPort, RegistryWritePort, SnapshotPort } from '../../ports.ts';
import { readAttestations, readBundle } from '../../wire/bundle-reader.ts';
import { readHead } from '../../wire/head.ts';
import { readTrust, trustTag } from '../../wire/signed-trust.ts';
import { readSnapshot, resolveTags } from '../../wire/snapshot.ts';
import { createGates } from './gated.ts';
import { attachAttestation, pushContent } from './publish.ts';
import { createRunner, type OrasOptions } from './run.ts';
import { fetchTagged, type RemoteRepository, remoteSource, transportFlags } from './source.ts';

const RESOLVE_BYTES_MAX = 4096;

/** Makes the ports of registries that speak the OCI distribution protocol. */
export function createOrasRegistry(
  options: OrasOptions,
): RegistryPort & RegistryWritePort & SnapshotPort {
  const remoteOf = createRemotes(options);
  return {
    resolve: async (reference, signal) => {
      const remote = await remoteOf(reference.repository, signal);
      return remote.ok ? resolve(remote.value, reference) : remote;
    },
    fetch: async (candidate, signal) => {
      const remote = await remoteOf(candidate.reference.repository, signal);
      if (!remote.ok) return remote;
      return readBundle(remoteSource(remote.value), candidate.digest);
    },
    head: async (repository, channel, signal) => {
      const remote = await remoteOf(repository, signal);
      if (!remote.ok) return remote;
      return readHead(await fetchTagged(remote.value, headTag(channel), LIMITS.headBytesMax));
    },
    trust: async (repository, channel, version, signal) => {
      const remote = await remoteOf(repository, signal);
      if (!remote.ok) return remote;
      const tag = trustTag(channel, version);
      return readTrust(await fetchTagged(remote.value, tag, LIMITS.trustBytesMax));
    },
    push: async (repository, tags, manifest, blobs) => {
      const found = await remoteOf(repository);
      if (!found.ok) return found;
      const remote = found.value;
      const pushed = await pushContent(remote, tags, manifest, blobs);
      if (!pushed.ok) return pushed;
      for (const tag of tags) {
        const reference = { repository, tag, digest: null };
        const resolved = await resolve(remote, reference);
        if (!resolved.ok) return resolved;
        if (resolved.value.digest !== pushed.value) {
          const what = `${formatReference(reference)} names something else than was pushed`;
          return err(failure('publish/readback-mismatch', what));
        }
      }
      return pushed;
    },
    attach: async (repository, subject, attestation, predicateType) => {
      const remote = await remoteOf(repository);
      if (!remote.ok) return remote;
      const source = remoteSource(remote.value);
      return attachAttestation(remote.value, source, subject, attestation, predicateType);
    },
    list: async (repository, subject) => {
      const remote = await remoteOf(repository);
      if (!remote.ok) return remote;
      const read = await readAttestations(remoteSource(remote.value), subject);
      return read.ok ? ok(read.value.found.map((one) => one.layer.digest)) : read;
    },
    snapshot: async (repository, tags) => {
      const remote = await remoteOf(repository);
      if (!remote.ok) return remote;
      const named = await resolveTags(tags, (tag) =>
        resolve(remote.value, { repository, tag, digest: null }),
      );
      return named.ok ? readSnapshot(remoteSource(remote.value), named.value) : named;
    },
  };
}

type RegistryRepository = Extract<Repository, { kind: 'registry' }>;
type FindRemote = (named: Repository, signal?: AbortSignal) => Promise<Result<RemoteRepository>>;

/** Where a repository is really spoken to: directly, or through the gate that has its credentials. */
function createRemotes(options: OrasOptions): FindRemote {
  const run = createRunner(options);
  const gateOf = createGates(options);
  return async (named, caller) => {
    const repository = atEndpoint(options, named);
    const signal = deadline(options.timeoutMs ?? LIMITS.fetchTimeoutMs, caller);
    const gate = await gateOf(repository.host);
    if (!gate.ok) return gate;
    if (gate.value === null) {
      return ok({ run, repository, flags: transportFlags(options, repository), signal });
    }
    const { host, configDir } = gate.value;
    return ok({
      run: (one) => run({ ...one, configDir }),
      repository: { ...repository, host },
      flags: ['--plain-http=true'],
      signal,
    });
  };
}

function atEndpoint(options: OrasOptions, repository: Repository): RegistryRepository {
  invariant(repository.kind === 'registry', 'oras serves registries only; see oci-layout');
  return { ...repository, host: options.endpoints?.get(repository.host) ?? repository.host };
}

function deadline(timeoutMs: number, signal: AbortSignal | undefined): AbortSignal {
  const total = AbortSignal.timeout(timeoutMs);
  return signal === undefined ? total : AbortSignal.any([total, signal]);
}

async function resolve(remote: RemoteRepository, reference: Reference): Promise<Result<Candidate>> {
  if (reference.digest !== null) return ok({ reference, digest: reference.digest });
  const name = formatReference({ ...reference, repository: remote.repository });
  if (reference.tag === null) {
    return err(failure('resolve/reference-invalid', `${name} has neither a tag nor a digest`));
  }
  const printed = await remote.run({
    what: `resolving ${name}`,
    args: ['resolve', ...remote.flags, '--', name],
    bytesMax: RESOLVE_BYTES_MAX,
    tooMuch: 'fetch/registry-unavailable',
    signal: remote.signal,
  });
  if (!printed.ok) return printed;
  const digest = parseDigest(new TextDecoder().decode(printed.value).trim());
  return digest.ok ? ok({ reference, digest: digest.value }) : digest;
}
