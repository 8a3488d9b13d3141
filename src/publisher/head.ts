// Signs and pushes the head of a channel: which bundle is the newest, and since when that is known.
//
// Invariants: the bundle that a head names is built from Git, never taken from the registry, so a
// registry that lies gets no signature for its lie; it is named only when the registry serves it under
// the channel's tag; the sequence is time, so the publisher keeps no state.
//
// SPDX-License-Identifier: Apache-2.0

import { type ChannelHead, headTag, sequenceAt } from '../core/head.ts';
import { formatReference } from '../core/reference.ts';
import { err, type Failure, failure, ok, type Result } from '../core/result.ts';
import { encodeCarrier } from '../wire/carrier.ts';
import { encodeHeadStatement } from '../wire/head.ts';
import { type BuiltBundle, buildBundle } from './build.ts';
import type { PublishRequest } from './publish.ts';

/** What to sign, as whom, and for how long. */
export interface HeadRequest extends Omit<PublishRequest, 'onEvent'> {
  readonly nowMs: number;
  readonly lifetimeMs: number;
}

/** What is now under the head tag. */
export interface SignedHead {
  readonly head: ChannelHead;
  readonly reference: string;
  readonly signedBy: string;
}

/** Builds, compares with what is published, signs, pushes, reads back. */
export async function publishHead(
  request: HeadRequest,
): Promise<Result<SignedHead, readonly Failure[]>> {
  const built = await buildBundle(request);
  if (!built.ok) return built;
  const signed = await signAndPush(request, built.value);
  return signed.ok ? signed : err([signed.error]);
}

async function signAndPush(request: HeadRequest, bundle: BuiltBundle): Promise<Result<SignedHead>> {
  const { registry, signer } = request;
  const repository = request.destination ?? bundle.config.repository;
  const { channel } = bundle.descriptor;
  const published = await registry.resolve({ repository, tag: channel, digest: null });
  if (!published.ok) return published;
  if (published.value.digest !== bundle.digest) {
    return err(
      failure('publish/head-not-published', `${channel} is not the bundle of this commit`, {
        causes: [`it is ${published.value.digest}; this commit builds ${bundle.digest}`],
        hints: ['publish this commit first, or check out the one that was published last'],
      }),
    );
  }
  const head = toHead(bundle, request);
  const signed = await signer.sign(encodeHeadStatement(head));
  if (!signed.ok) return signed;
  const { manifest, blobs } = encodeCarrier('head', [signed.value]);
  const tag = headTag(channel);
  const pushed = await registry.push(repository, [tag], manifest, blobs);
  if (!pushed.ok) return pushed;
  const reference = formatReference({ repository, tag, digest: null });
  return ok({ head, reference, signedBy: signer.signedBy });
}

function toHead({ descriptor, digest }: BuiltBundle, request: HeadRequest): ChannelHead {
  const { nowMs, lifetimeMs } = request;
  return {
    repository: descriptor.repository,
    channel: descriptor.channel,
    version: descriptor.version,
    digest,
    sequence: sequenceAt(nowMs),
    issuedAt: toTime(nowMs),
    expires: toTime(nowMs + lifetimeMs),
  };
}

function toTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
