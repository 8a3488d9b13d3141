// Checks that are not part of the verdict over a bundle, in the shape of those that are.
//
// SPDX-License-Identifier: Apache-2.0

import type { Digest } from '../digest.ts';
import type { Failure } from '../result.ts';
import { say } from './check.ts';
import type { AttestationFact } from './evidence.ts';
import type { CheckRecord } from './verdict.ts';

/** One check by what it found wrong; null: it could not be made because an earlier one failed. */
export function toCheck(
  check: string,
  inputs: CheckRecord['inputs'],
  failures: readonly Failure[] | null,
  durationMs?: number,
): CheckRecord {
  const took = durationMs === undefined ? {} : { durationMs };
  if (failures === null) {
    return { check, outcome: 'not-run', detail: 'an earlier check refused', inputs, codes: [] };
  }
  const [first] = failures;
  const codes = [...new Set(failures.map((it) => it.code))];
  const outcome = first === undefined ? 'passed' : 'refused';
  return { check, outcome, detail: first?.message ?? '', inputs, codes, ...took };
}

/** What became of each statement. One that does not hold is skipped: it refuses nothing by itself. */
export function toStatementChecks(
  facts: readonly AttestationFact[],
  digests: readonly Digest[],
): readonly CheckRecord[] {
  return facts.map((fact, at): CheckRecord => {
    const inputs = { digest: digests[at] ?? null };
    const check = 'attestation';
    if (fact.kind === 'signed') {
      const by = fact.certificate?.subject ?? fact.keys.join(', ');
      const detail = `${say(fact.predicateType)}, signed by ${say(by)}`;
      return { check, outcome: 'passed', detail, inputs, codes: [] };
    }
    const { code, message } = fact.failure;
    return { check, outcome: 'skipped', detail: message, inputs, codes: [code] };
  });
}
