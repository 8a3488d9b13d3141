// The registry ports over the oras command. Each call has one total deadline, however many runs of
// oras it takes.
//
// SPDX-License-Identifier: Apache-2.0

import type { Candidate } from '../../core/bundle.ts';
import { parseDigest } from '../../core/digest.ts';
import { LIMITS } from '../../core/limits.ts';
import { formatReference, type Reference, type Repository } from '../../core/reference.ts';
import { err, failure, invariant, ok, type Result } from '../../core/result.ts';
import type { RegistryPort, RegistryWritePort } from '../../ports.ts';
import { readAttestations, readBundle } from '../../wire/bundle-reader.ts';
import { attachAttestation, pushContent } from './publish.ts';
import { createRunner, type OrasOptions } from './run.ts';
import { type RemoteRepository, remoteSource, transportFlags } from './source.ts';

const RESOLVE_BYTES_MAX = 4096;

/** Makes the ports of registries that speak the OCI distribution protocol. */
export function createOrasRegistry(options: OrasOptions): RegistryPort & RegistryWritePort {
  const run = createRunner(options);
  const remoteOf = (named: Repository, signal?: AbortSignal): RemoteRepository => {
    const repository = atEndpoint(options, named);
    return {
      run,
      repository,
      flags: transportFlags(options, repository),
      signal: deadline(options.timeoutMs ?? LIMITS.fetchTimeoutMs, signal),
    };
  };
  return {
    resolve: (reference, signal) => resolve(remoteOf(reference.repository, signal), reference),
    fetch: (candidate, signal) => {
      const remote = remoteOf(candidate.reference.repository, signal);
      return readBundle(remoteSource(remote), candidate.digest);
    },
    push: async (repository, tags, manifest, blobs) => {
      const remote = remoteOf(repository);
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
    attach: (repository, subject, attestation, predicateType) => {
      const remote = remoteOf(repository);
      return attachAttestation(remote, remoteSource(remote), subject, attestation, predicateType);
    },
    list: async (repository, subject) => {
      const read = await readAttestations(remoteSource(remoteOf(repository)), subject);
      return read.ok ? ok(read.value.found.map((one) => one.layer.digest)) : read;
    },
  };
}

function atEndpoint(options: OrasOptions, repository: Repository): Repository {
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
