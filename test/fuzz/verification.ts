// What a verifier says, changed by chance after it was signed: as if the verifier itself were careless.
//
// SPDX-License-Identifier: Apache-2.0

import type { Digest } from '../../src/core/digest.ts';
import { judge } from '../../src/core/verify/judge.ts';
import { parseStatement } from '../../src/wire/statement.ts';
import { parseVsaPredicate } from '../../src/wire/summary.ts';
import { encodeVsa } from '../support/summaries.ts';
import {
  KEY_A,
  KEY_V,
  makeContext,
  makeEvidence,
  makeScope,
  makeTrust,
  makeVerification,
  releaseBy,
  VERIFIER,
} from '../support/verify.ts';
import { type Target, word } from './target.ts';

/** Admits only while it says what was demanded. */
export function verification(digest: Digest): Target {
  const policies = [makeScope({ provenance: null, verification: makeVerification() })];
  const trust = makeTrust({ policies });
  return {
    name: 'verification',
    form: 'json',
    seeds: [encodeVsa(digest), encodeVsa(digest, { verificationResult: 'FAILED' })],
    run: (input) => {
      const read = parseStatement(input);
      if (!read.ok) return word(read);
      const { predicate, predicateType, subjects } = read.value;
      const summary = parseVsaPredicate(predicate);
      if (!summary.ok) return word(summary);
      const claim = { kind: 'summary', summary: summary.value } as const;
      const fact = { kind: 'signed', predicateType, subjects, claim, keys: [KEY_V] } as const;
      const attestations = [releaseBy(KEY_A, { subjects: [digest] }), fact];
      const verdict = judge(makeEvidence({ digest, attestations }), trust, makeContext());
      if (verdict.kind === 'refused') return verdict.failures[0].code;
      const said = predicate as { verificationResult: string; verifiedLevels: string[] };
      if (said.verificationResult !== 'PASSED') throw new Error('admitted by a failure');
      if (summary.value.verifier !== VERIFIER) throw new Error('admitted by another verifier');
      return 'accepted';
    },
  };
}
