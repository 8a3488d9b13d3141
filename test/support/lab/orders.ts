// Orders of break-glass for a host in a guest: the host asks, this machine signs, the file goes back.
//
// SPDX-License-Identifier: Apache-2.0

import type { GlassOrder, RelaxOrder } from '../../../src/core/glass.ts';
import { encodeGlassFile, parseGlassRequest } from '../../../src/wire/glass.ts';
import { expectOk } from '../enforcer.ts';
import { placeOf, signOrder } from '../glass.ts';
import type { Guest } from '../guest/guest.ts';
import type { TestSigner } from '../signed-bundle.ts';

/** What an order is to do; the place comes from the request. */
export type Wanted = 'disable' | Partial<Omit<RelaxOrder, 'action'>>;

const REQUEST = '/tmp/glass-request.json';

/** Has an order made for the guest, and puts it there. */
export async function orderFor(
  guest: Guest,
  wanted: Wanted,
  file: string,
  ...by: readonly TestSigner[]
): Promise<void> {
  const asked = await guest.run(['warder', 'break-glass', 'request', '--out', REQUEST]);
  if (asked.exitCode !== 0) throw new Error(asked.stderr);
  const request = expectOk(parseGlassRequest(await guest.get(REQUEST)));
  const statements = await signOrder(compose(placeOf(request), wanted), ...by);
  await guest.put(file, encodeGlassFile(statements));
}

function compose(place: ReturnType<typeof placeOf>, wanted: Wanted): GlassOrder {
  const reason = 'a test';
  if (wanted === 'disable') return { action: 'disable', ...place, reason };
  return { action: 'relax', rules: [], cgroup: null, minutes: 10, reason, ...place, ...wanted };
}

/** Ends enforcement on a guest by an order. */
export async function disableGuest(guest: Guest, by: TestSigner, timeoutMs = 180_000) {
  await orderFor(guest, 'disable', '/tmp/off.json', by);
  const args = ['warder', 'disable', '--yes', '--reason', 'a test', '--order', '/tmp/off.json'];
  return guest.run(args, { timeoutMs });
}
