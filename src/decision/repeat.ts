// Repeats a recorded decision from its bytes, at the clock of then, with the code that decides today, and
// compares check by check. Durations and the words for people are not compared.
//
// SPDX-License-Identifier: Apache-2.0

import type { BundleBytes } from '../core/bundle.ts';
import type { BundleInput, Decided, DecisionRecord } from '../core/decision/record.ts';
import type { Digest } from '../core/digest.ts';
import { err, type Failure, failure, ok, type Result, unreachable } from '../core/result.ts';
import { sameJson } from '../core/verify/same-json.ts';
import type { TrustPolicy } from '../core/verify/trust.ts';
import type { CheckRecord } from '../core/verify/verdict.ts';
import type { VerifierPort } from '../ports.ts';
import { digestOf } from '../wire/content.ts';
import { parseTrustDocument } from '../wire/signed-trust.ts';
import { decideBytes, decideStatements } from './bytes.ts';
import { type ActiveBundle, decideTrust, type NextTrust } from './trust.ts';

/** One difference between then and now. */
export interface Difference {
  readonly check: string;
  readonly recorded: string;
  readonly now: string;
}

/** What came of repeating a decision. */
export interface Comparison {
  readonly decided: Decided;
  /** Empty: the same. */
  readonly differences: readonly Difference[];
}

/** Repeats a decision; `blobs` are what is kept, whatever their names said. */
export async function repeatDecision(
  record: DecisionRecord,
  blobs: readonly Uint8Array[],
  verifier: VerifierPort,
): Promise<Result<Comparison>> {
  const shelf = new Shelf(blobs);
  const trust = shelf.trust(record.trust.document);
  if (trust === null) return err(shelf.complain());
  const decided = await decideAgain(record, trust, shelf, verifier);
  if (!decided.ok) return decided;
  if (shelf.missing.length > 0) return err(shelf.complain());
  return ok({ decided: decided.value, differences: compare(record, trust, decided.value) });
}

async function decideAgain(
  { question, input }: DecisionRecord,
  trust: TrustPolicy,
  shelf: Shelf,
  verifier: VerifierPort,
): Promise<Result<Decided>> {
  const means = { verifier, stopwatch: null };
  switch (question.kind) {
    case 'bundle': {
      const [bundle] = input.bundles;
      const bytes = bundle === undefined ? null : shelf.bundle(bundle);
      if (bytes === null) return err(shelf.complain());
      return ok(await decideBytes(bytes, trust, question, means));
    }
    case 'head': {
      const statements = input.statements.map((it) => shelf.take(it));
      return ok(await decideStatements(statements, trust, question, means));
    }
    case 'trust': {
      const next = nextOf(input, shelf);
      if (next === null) return err(shelf.complain());
      const { isForced, context, others = [] } = question;
      const active = input.bundles.map((it) => toActive(it, shelf));
      return ok(
        await decideTrust(next, { current: trust, active, isForced, context, others }, verifier),
      );
    }
    case 'fetch':
      return err(
        failure('state/evidence-incomplete', 'the bytes never arrived: nothing was verified', {
          causes: ['the record says why they did not'],
        }),
      );
    default:
      return unreachable(question);
  }
}

function nextOf(input: DecisionRecord['input'], shelf: Shelf): NextTrust | null {
  if (input.document === null) {
    return { kind: 'statements', statements: input.statements.map((it) => shelf.take(it)) };
  }
  const policy = shelf.trust(input.document);
  return policy === null ? null : { kind: 'file', policy };
}

// Bytes that were damaged then are damaged in the record too: that is what was judged.
function toActive(input: BundleInput, shelf: Shelf): ActiveBundle {
  const bytes = shelf.bundle(input);
  const { digest } = input;
  const gone = failure('restore/evidence-corrupt', `the stored evidence of ${digest} is damaged`);
  return { digest, name: digest, bytes: bytes === null ? err(gone) : ok(bytes) };
}

function compare(record: DecisionRecord, trust: TrustPolicy, now: Decided): readonly Difference[] {
  const differences: Difference[] = [];
  const note = (check: string, then: unknown, today: unknown) => {
    if (sameJson(then, today)) return;
    differences.push({ check, recorded: JSON.stringify(then), now: JSON.stringify(today) });
  };
  note('trust-policy', record.trust.fingerprint, trust.fingerprint);
  note('trusted-root', record.trust.root, trust.trustedRoot?.digest ?? null);
  const count = Math.max(record.checks.length, now.checks.length);
  for (let at = 0; at < count; at += 1) {
    const [then, today] = [record.checks[at], now.checks[at]];
    note(then?.check ?? today?.check ?? '', toCompared(then), toCompared(today));
  }
  note('outcome', record.outcome, now.failures.length === 0 ? 'accepted' : 'refused');
  note('reasons', codesOf(record), codesOf(now));
  return differences;
}

const codesOf = ({ failures }: Pick<Decided, 'failures'>) => failures.map((it) => it.code);

function toCompared(check: CheckRecord | undefined) {
  if (check === undefined) return null;
  const { outcome, inputs, codes } = check;
  return { check: check.check, outcome, inputs, codes };
}

/** The kept bytes by what they are; a name that was given to them counts for nothing. */
class Shelf {
  readonly missing: Digest[] = [];
  readonly #blobs: ReadonlyMap<Digest, Uint8Array>;

  constructor(blobs: readonly Uint8Array[]) {
    this.#blobs = new Map(blobs.map((it) => [digestOf(it), it]));
  }

  take(digest: Digest): Uint8Array {
    const found = this.#blobs.get(digest);
    if (found === undefined) this.missing.push(digest);
    return found ?? new Uint8Array();
  }

  trust(digest: Digest): TrustPolicy | null {
    const document = this.#blobs.get(digest);
    if (document === undefined) this.missing.push(digest);
    const parsed = document === undefined ? null : parseTrustDocument(document);
    return parsed?.ok ? parsed.value : null;
  }

  bundle({ digest, parts, skipped }: BundleInput): BundleBytes | null {
    if (parts === null) return null;
    return {
      digest,
      manifest: this.take(parts.manifest),
      config: this.take(parts.config),
      files: parts.files.map(({ said, bytes }) => ({ digest: said, bytes: this.take(bytes) })),
      attestations: parts.attestations.map((it) => this.take(it)),
      skipped,
    };
  }

  complain(): Failure {
    const causes = this.missing.map((it) => `nothing hashes to ${it}`);
    return failure('state/evidence-incomplete', 'bytes of the decision are not there', { causes });
  }
}
