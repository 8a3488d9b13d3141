// `warder export` and `warder import`: artifacts over an air gap, in one file. Import verifies as a host does,
// and writes only what was accepted; hosts verify again when they read the folder.
//
// SPDX-License-Identifier: Apache-2.0

import { headTag } from '../../core/head.ts';
import type { Reference, Repository } from '../../core/reference.ts';
import { formatReference } from '../../core/reference.ts';
import { failure, type Result } from '../../core/result.ts';
import type { Snapshot } from '../../core/snapshot.ts';
import { escapeText } from '../../core/text.ts';
import type { TrustPolicy } from '../../core/verify/trust.ts';
import type { VerifyContext } from '../../core/verify/verdict.ts';
import type { RegistryPort, SnapshotPort, VerifierPort } from '../../ports.ts';
import { trustTag } from '../../wire/signed-trust.ts';
import { done, failed, type Outcome } from '../outcome.ts';
import { fields } from '../text-blocks.ts';
import { verify } from './verify.ts';

// A registry is not asked for its tags: versions of the trust policy are looked for by their names.
const TRUST_VERSIONS_MAX = 16;

/** What goes with a bundle under tags of its own, where it is there. */
const companionsOf = (channel: string): readonly string[] => [
  headTag(channel),
  ...Array.from({ length: TRUST_VERSIONS_MAX }, (_, at) => trustTag(channel, at + 1)),
];

/** Whether a tag belongs to a channel: itself, or one of its companions. */
export function isTagOf(channelTag: string): (tag: string) => boolean {
  return (tag) => tag === channelTag || tag.startsWith(`${channelTag}.`);
}

/** Collects the bundle of a tag with everything that belongs to it, and writes it to one file. */
export async function exportBundle(
  reference: Reference,
  more: readonly string[],
  port: SnapshotPort,
  write: (snapshot: Snapshot) => Promise<Result<number>>,
): Promise<Outcome> {
  const { repository, tag, digest } = reference;
  if (tag === null || digest !== null) return failed('Export', [untagged(reference)]);
  const companions = companionsOf(tag).filter((it) => !more.includes(it));
  const snapshot = await port.snapshot(repository, [
    ...[tag, ...more].map((it) => ({ tag: it, isOptional: false })),
    ...companions.map((it) => ({ tag: it, isOptional: true })),
  ]);
  if (!snapshot.ok) return failed('Export', [snapshot.error]);
  const size = await write(snapshot.value);
  if (!size.ok) return failed('Export', [size.error]);
  const counted = { ...count(snapshot.value), bytes: size.value };
  return done('Export', counted, `exported\n${table(counted)}`);
}

/** Verifies what an archive holds under the tag, and writes all of it into a layout when accepted. */
export async function importArchive(
  snapshot: Snapshot,
  to: Reference,
  ports: {
    readonly registry: RegistryPort;
    readonly verifier: VerifierPort;
    readonly restore: (repository: Repository, snapshot: Snapshot) => Promise<Result<void>>;
  },
  trust: TrustPolicy,
  context: VerifyContext,
): Promise<Outcome> {
  const verdict = await verify(to, ports, trust, context);
  if (verdict.failures.length > 0) return { ...verdict, kind: 'Import' };
  const written = await ports.restore(to.repository, snapshot);
  if (!written.ok) return failed('Import', [written.error], verdict.document, verdict.text);
  const counted = count(snapshot);
  const text = `${verdict.text}\nimported\n${table({ ...counted, to: formatReference(to) })}`;
  return done('Import', { ...verdict.document, ...counted }, text);
}

/** A reference that does not name a tag, where one is needed. */
export function untagged(reference: Reference) {
  const what = `${formatReference(reference)} does not name a tag alone`;
  return failure('resolve/reference-invalid', what, { hints: ['append :TAG, without a digest'] });
}

function count({ tags, manifests, blobs }: Snapshot) {
  return {
    tags: tags.map((it) => it.tag),
    artifacts: manifests.length,
    blobs: blobs.length,
  };
}

function table(of: Readonly<Record<string, number | string | readonly string[]>>): string {
  return fields(
    Object.entries(of).map(([name, value]) => [
      name,
      escapeText(typeof value === 'object' ? value.join(', ') : String(value)),
    ]),
  );
}
