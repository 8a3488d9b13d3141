// `warder build` and `warder publish`: the bundle of a commit, and its way into a registry.
//
// SPDX-License-Identifier: Apache-2.0

import { shortDigest } from '../../core/digest.ts';
import { formatRepository } from '../../core/reference.ts';
import type { Failure } from '../../core/result.ts';
import { escapeText } from '../../core/text.ts';
import { type BuildRequest, type BuiltBundle, buildBundle } from '../../publisher/build.ts';
import { type PublishEvent, type PublishRequest, publish } from '../../publisher/publish.ts';
import type { Io } from '../io.ts';
import { done, failed, type Json, type Outcome } from '../outcome.ts';
import { fields } from '../text-blocks.ts';

/** Builds without pushing: what would be published, and its digest. */
export async function build(request: BuildRequest, dirty: boolean): Promise<Outcome> {
  const built = await buildBundle(request);
  if (!built.ok) return failedAll('Build', built.error);
  const note = dirty
    ? '\nnote: uncommitted changes are not in it; a bundle holds what is committed'
    : '';
  return done('Build', bundleDocument(built.value), `${bundleText(built.value)}${note}`);
}

/** Builds, pushes, signs, attaches, lists back and tags; progress goes to standard error. */
export async function publishBundle(
  request: Omit<PublishRequest, 'onEvent'>,
  io: Io,
): Promise<Outcome> {
  const onEvent = (event: PublishEvent) => io.err(`${progressLine(event)}\n`);
  const published = await publish({ ...request, onEvent });
  if (!published.ok) return failedAll('Publication', published.error);
  const { bundle, repository, tags, signedBy, changed } = published.value;
  const document = {
    ...bundleDocument(bundle),
    publishedTo: formatRepository(repository),
    tags,
    signedBy,
    changed,
  };
  const text = [
    changed
      ? `published v${bundle.descriptor.version}`
      : `v${bundle.descriptor.version} was published before`,
    fields([
      ['reference', `${formatRepository(repository)}@${bundle.digest}`],
      ['tags', tags.join(', ')],
      ['commit', bundle.facts.commit],
      ['signed by', signedBy],
    ]),
  ].join('\n');
  return done('Publication', document, text);
}

function failedAll(kind: string, failures: readonly Failure[]): Outcome {
  const [first, ...rest] = failures;
  if (first === undefined) throw new Error('a failure has at least one reason');
  return failed(kind, [first, ...rest]);
}

function bundleDocument(bundle: BuiltBundle): { readonly [key: string]: Json } {
  return {
    digest: bundle.digest,
    version: bundle.descriptor.version,
    channel: bundle.descriptor.channel,
    repository: bundle.descriptor.repository,
    commit: bundle.facts.commit,
    rules: bundle.ir.rules.length,
    tests: bundle.report.results.length,
    expires: bundle.descriptor.expires,
    requires: bundle.descriptor.requires,
    warnings: bundle.findings as unknown as Json,
  };
}

function bundleText(bundle: BuiltBundle): string {
  const { descriptor } = bundle;
  return [
    `built v${descriptor.version} ${bundle.digest}`,
    fields([
      ['for', `${escapeText(descriptor.repository)}, channel ${escapeText(descriptor.channel)}`],
      ['commit', `${bundle.facts.commit} of ${escapeText(descriptor.source.repository)}`],
      ['rules', String(bundle.ir.rules.length)],
      ['policy tests', `${bundle.report.results.length} passed`],
      ['expires', descriptor.expires],
      ['needs kernel', `${descriptor.requires.kernel} or newer`],
      ['needs hooks', descriptor.requires.hooks.join(', ') || 'none'],
      ['warnings', String(bundle.findings.length)],
    ]),
  ].join('\n');
}

function progressLine(event: PublishEvent): string {
  switch (event.kind) {
    case 'built':
      return `built v${event.bundle.descriptor.version} ${shortDigest(event.bundle.digest)}, ${event.bundle.report.results.length} policy tests passed`;
    case 'pushed':
      return `pushed to ${event.repository}`;
    case 'attached':
      return `${event.existed ? 'found' : 'signed and attached'} ${event.predicateType}`;
    case 'listed':
      return `listed back ${event.attestations} attestations`;
    case 'tagged':
      return `tagged ${event.tags.join(', ')}`;
  }
}
