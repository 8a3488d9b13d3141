// Channel heads: the statement that is signed; carrier.ts is what it stands in. What is written is read
// back equal.
//
// SPDX-License-Identifier: Apache-2.0

import * as z from 'zod';
import { PREDICATE } from '../core/bundle.ts';
import { type Digest, digestHex, parseDigest } from '../core/digest.ts';
import type { ChannelHead } from '../core/head.ts';
import { err, failure, ok, type Result } from '../core/result.ts';
import { type BundleVersion, toBundleVersion } from '../core/version.ts';
import { toCanonicalJson } from './canonical-json.ts';
import { parseCarrier } from './carrier.ts';
import { channelSchema, repositorySchema, timeSchema } from './descriptor.ts';
import { zodCauses } from './zod-causes.ts';
import { fitShape } from './zod-words.ts';

const predicateSchema = z.strictObject({
  repository: repositorySchema,
  channel: channelSchema,
  version: z.int().transform((value, context): BundleVersion => {
    const version = toBundleVersion(value);
    if (version !== null) return version;
    context.addIssue('not a version');
    return z.NEVER;
  }),
  digest: z.string().transform((text, context): Digest => {
    const digest = parseDigest(text);
    if (digest.ok) return digest.value;
    context.addIssue('not a digest');
    return z.NEVER;
  }),
  sequence: z.int().min(1),
  issuedAt: timeSchema,
  expires: timeSchema,
});

/** Reads the predicate of a head statement. */
export function parseHeadPredicate(predicate: unknown): Result<ChannelHead> {
  const parsed = fitShape(predicateSchema, predicate);
  if (parsed.success) return ok(parsed.data);
  return err(
    failure('verify/head-invalid', 'the head statement does not fit its schema', {
      causes: zodCauses(parsed.error),
    }),
  );
}

/** The statement of a head, about the digest that it names. */
export function encodeHeadStatement(head: ChannelHead): Uint8Array {
  return toCanonicalJson({
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: head.repository, digest: { sha256: digestHex(head.digest) } }],
    predicateType: PREDICATE.head,
    predicate: head,
  });
}

/** The statements under a head tag, from what a registry answered; no such tag is a missing head. */
export function readHead(fetched: Result<Uint8Array>): Result<readonly Uint8Array[]> {
  if (fetched.ok) return parseCarrier('head', fetched.value);
  if (fetched.error.code !== 'resolve/not-found') return fetched;
  const { causes } = fetched.error;
  const hints = ['run `warder head` after publishing, and on a schedule'];
  return err(failure('verify/head-missing', 'the channel has no head', { causes, hints }));
}
