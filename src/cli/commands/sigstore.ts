// `warder sigstore verify-bundle`: one sigstore bundle of any client against one identity or key, and one
// artifact. Criteria are printed first, then what the bundle proved.
//
// SPDX-License-Identifier: Apache-2.0

import type { Digest } from '../../core/digest.ts';
import type { Result } from '../../core/result.ts';
import { escapeText } from '../../core/text.ts';
import { type ClientFact, type Demand, judgeClient } from '../../core/verify/client.ts';
import { done, failed, type Outcome } from '../outcome.ts';
import { fields } from '../text-blocks.ts';

/** Judges what a bundle proved. */
export function verifyBundle(
  collected: Result<{ readonly fact: ClientFact; readonly artifact: Digest }>,
  demand: Demand,
): Outcome {
  const criteria = describeDemand(demand);
  if (!collected.ok) return failed('BundleVerification', [collected.error], { criteria });
  const { fact, artifact } = collected.value;
  const judged = judgeClient(fact, demand, artifact);
  const proved = describeFact(fact);
  const document = { criteria, proved, artifact };
  const text = [
    `criteria\n${table({ ...criteria, artifact })}`,
    `the bundle proves\n${table(proved)}`,
  ].join('\n');
  if (!judged.ok) return failed('BundleVerification', [judged.error], document, text);
  return done('BundleVerification', document, `${text}\nverified`);
}

function table(of: Readonly<Record<string, string>>): string {
  return fields(Object.entries(of).map(([name, value]) => [name, escapeText(value)] as const));
}

function describeDemand(demand: Demand): Readonly<Record<string, string>> {
  if (demand.kind === 'identity') return { identity: demand.subject, issuer: demand.issuer };
  return { key: 'the given one' };
}

function describeFact({ signer, logs, about }: ClientFact): Readonly<Record<string, string>> {
  const who: Readonly<Record<string, string>> =
    signer.kind === 'key'
      ? { key: signer.fingerprint }
      : { identity: signer.certificate.subject, issuer: signer.certificate.issuer };
  const what: Readonly<Record<string, string>> =
    about.kind === 'file'
      ? { file: about.digest }
      : { statement: about.predicateType, subjects: about.subjects.join(', ') };
  return { ...who, logs: String(logs), ...what };
}
