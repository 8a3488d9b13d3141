// `warder head`: says, signed, which bundle of a channel is the newest.
//
// SPDX-License-Identifier: Apache-2.0

import { type HeadRequest, publishHead } from '../../publisher/head.ts';
import { done, failed, type Json, type Outcome } from '../outcome.ts';
import { fields } from '../text-blocks.ts';

/** Signs and pushes the head of the channel that the commit publishes. */
export async function signHead(request: HeadRequest): Promise<Outcome> {
  const signed = await publishHead(request);
  if (!signed.ok) {
    const [first, ...rest] = signed.error;
    if (first === undefined) throw new Error('a failure has at least one reason');
    return failed('Head', [first, ...rest]);
  }
  const { head, reference, signedBy } = signed.value;
  const text = [
    `v${head.version} is the newest of ${head.channel}`,
    fields([
      ['head', reference],
      ['bundle', head.digest],
      ['issued', head.issuedAt],
      ['expires', head.expires],
      ['signed by', signedBy],
    ]),
  ].join('\n');
  return done('Head', { head: head as unknown as Json, reference, signedBy }, text);
}
