// Records of what the agent decided, from the notes of its machine, without durations. The agent is not the authority: what
// could not be written down is missing here and changes nothing.
//
// SPDX-License-Identifier: Apache-2.0

import { decideBundle, toDecided } from '../core/decision/bundle.ts';
import { decideHead } from '../core/decision/head.ts';
import type { Note } from '../core/decision/note.ts';
import type { RecordWithBytes } from '../core/decision/record.ts';
import { VERSION } from '../core/product.ts';
import type { TrustPolicy } from '../core/verify/trust.ts';
import { makeRecord, narrow } from '../decision/record.ts';
import { digestOf } from '../wire/content.ts';

/** Makes the record of a note. */
export function toRecord(note: Note, trust: TrustPolicy): RecordWithBytes {
  const draft = { by: 'agent', program: VERSION, reference: note.reference, trust } as const;
  switch (note.kind) {
    case 'bundle': {
      const { bundle, judged } = note;
      const context = narrow(note.context, [bundle.digest]);
      const facts = { context, privileged: null };
      const attestations = bundle.attestations.map(digestOf);
      const collected = { digest: bundle.digest, attestations };
      const decided = judged.ok
        ? toDecided([], collected, judged.value.evidence, judged.value.verdict, facts)
        : decideBundle({ ...collected, answer: judged }, trust, facts);
      const question = { kind: 'bundle', ...facts } as const;
      const subject = bundle.digest;
      return makeRecord({
        ...draft,
        question,
        subject,
        bundles: [bundle],
        decided,
        durationMs: null,
      });
    }
    case 'head': {
      const { statements, answer, context } = note;
      const facts = { context, timeFloorMs: null };
      const digests = statements.map(digestOf);
      const decided = decideHead({ answer, digests }, trust, facts);
      const question = { kind: 'head', ...facts } as const;
      const subject = decided.accepted?.head.digest ?? null;
      return makeRecord({ ...draft, question, subject, statements, decided, durationMs: null });
    }
    case 'fetch': {
      const { digest, failure, nowMs } = note;
      const decided = { checks: [], failures: [failure] };
      const question = { kind: 'fetch', nowMs } as const;
      return makeRecord({ ...draft, question, subject: digest, decided, durationMs: null });
    }
  }
}
