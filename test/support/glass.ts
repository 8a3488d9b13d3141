// Break-glass in tests: keys that a trust policy names for it, and orders as they travel.
//
// SPDX-License-Identifier: Apache-2.0

import type { GlassOrder, GlassRequest } from '../../src/core/glass.ts';
import type { BreakGlassTrust } from '../../src/core/verify/trust.ts';
import type { EnforcerPort } from '../../src/ports.ts';
import { encodeGlassStatement } from '../../src/wire/glass.ts';
import { expectOk } from './enforcer.ts';
import { encodeJson, signBundle, type TestSigner } from './signed-bundle.ts';
import { rootsOf } from './trust.ts';

/** These may sign orders, together. */
export function glassOf(threshold: number, ...signers: readonly TestSigner[]): BreakGlassTrust {
  return { ...rootsOf(threshold, ...signers), maxMinutes: 60 };
}

/** An order, signed by each of these. */
export function signOrder(
  order: GlassOrder,
  ...by: readonly TestSigner[]
): Promise<readonly Uint8Array[]> {
  const statement = encodeGlassStatement(order);
  return Promise.all(by.map(async (it) => encodeJson(await signBundle(statement, it))));
}

/** The place that a request speaks of. */
export const placeOf = ({ host, boot, nonce }: GlassRequest) => ({ host, boot, nonce });

/** Ends enforcement as an operator does: asks, has it signed, hands it over. */
export async function disableBy(enforcer: EnforcerPort, ...by: readonly TestSigner[]) {
  const place = placeOf(expectOk(await enforcer.askGlass()));
  const order = await signOrder({ action: 'disable', ...place, reason: 'a test' }, ...by);
  return enforcer.disable('root', 'a test', order);
}
