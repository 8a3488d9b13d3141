// `warder evidence list|show|export` and `warder verify --evidence`: what was decided, by what, and whether
// it comes out the same when it is decided again.
//
// SPDX-License-Identifier: Apache-2.0

import type { DecisionRecord, RecordBytes, RecordLine } from '../../core/decision/record.ts';
import { type Digest, parseDigest, shortDigest } from '../../core/digest.ts';
import { err, failure, ok, type Result } from '../../core/result.ts';
import { escapeText } from '../../core/text.ts';
import { type Comparison, repeatDecision } from '../../decision/repeat.ts';
import type { RecordsPort, VerifierPort } from '../../ports.ts';
import { parseRecord } from '../../wire/decision-record.ts';
import { done, failed, type Json, type Outcome } from '../outcome.ts';
import { checksText, fields } from '../text-blocks.ts';

/** More are never kept. */
const RECORDS_MAX = 1000;
const PREFIX = /^(?:sha256:)?[0-9a-f]{6,64}$/;

/** The newest decisions. */
export async function listEvidence(port: RecordsPort, limit: number): Promise<Outcome> {
  const found = await port.records(limit);
  if (!found.ok) return failed('Evidence', [found.error]);
  const lines = found.value.map(recordLine);
  const document = { records: found.value as unknown as Json };
  return done('Evidence', document, lines.length === 0 ? 'no decisions' : lines.join('\n'));
}

function recordLine(it: RecordLine): string {
  const about = it.subject === null ? '' : ` ${shortDigest(it.subject)}`;
  const why = it.code === null ? '' : `, ${it.code}`;
  const times = it.count === 1 ? '' : `, ${it.count} times, last ${it.lastAt}`;
  const bytes = it.hasBytes ? '' : ', without its bytes';
  const who = `${it.outcome} by the ${it.by}`;
  return `${it.at} ${shortDigest(it.id)} ${it.kind}${about} ${who}${why}${times}${bytes}`;
}

/** One record: criteria first, then every check. */
export async function showEvidence(port: RecordsPort, id: Digest): Promise<Outcome> {
  const found = await readRecord(port, id);
  if (!found.ok) return failed('Decision', [found.error]);
  const { record } = found.value;
  const document = { id, record: record as unknown as Json };
  return done('Decision', document, recordText(id, record));
}

/** Writes a record with its bytes into a new folder. */
export async function exportEvidence(
  port: RecordsPort,
  id: Digest,
  write: (evidence: RecordBytes & { readonly id: Digest }) => Promise<Result<void>>,
  dir: string,
): Promise<Outcome> {
  const found = await readRecord(port, id);
  if (!found.ok) return failed('EvidenceExport', [found.error]);
  const { bytes } = found.value;
  const written = await write({ id, ...bytes });
  if (!written.ok) return failed('EvidenceExport', [written.error]);
  const count = bytes.blobs.length;
  const text = `wrote ${id} with ${count} blobs\nrepeat it: warder verify --evidence ${escapeText(dir)}`;
  return done('EvidenceExport', { id, blobs: count, dir }, text);
}

async function readRecord(port: RecordsPort, id: Digest) {
  const found = await port.record(id);
  if (!found.ok) return found;
  if (found.value === null) return err(notFound(id));
  const record = parseRecord(found.value.record, id);
  return record.ok ? ok({ record: record.value, bytes: found.value }) : record;
}

/** Finds the id of a record: `last`, the beginning of an id, or what `active` answers. */
export async function findRecord(
  port: RecordsPort,
  name: string,
  active: () => Promise<Result<Digest | null>>,
): Promise<Result<Digest>> {
  if (name === 'active') {
    const found = await active();
    if (!found.ok) return found;
    return found.value === null ? err(notFound(name)) : ok(found.value);
  }
  const whole = parseDigest(name);
  if (whole.ok) return whole;
  const found = await port.records(RECORDS_MAX);
  if (!found.ok) return found;
  const prefix = name.startsWith('sha256:') ? name : `sha256:${name}`;
  const fits = found.value.filter((it) =>
    name === 'last' ? it === found.value.at(-1) : PREFIX.test(name) && it.id.startsWith(prefix),
  );
  const [only, other] = fits;
  return only === undefined || other !== undefined ? err(notFound(name)) : ok(only.id);
}

function notFound(name: string) {
  return failure('cli/record-not-found', `no decision is called ${escapeText(name)}`, {
    hints: ['`warder evidence list` names what is kept'],
  });
}

/** Repeats the decision of a folder and compares it with what was recorded. */
export async function repeatEvidence(
  evidence: RecordBytes & { readonly id: Digest },
  verifier: VerifierPort,
): Promise<Outcome> {
  const { id, blobs } = evidence;
  const record = parseRecord(evidence.record, id);
  if (!record.ok) return failed('Repetition', [record.error], { id });
  const repeated = await repeatDecision(record.value, blobs, verifier);
  if (!repeated.ok) return failed('Repetition', [repeated.error], { id });
  const { decided, differences } = repeated.value;
  const { by, at, program, outcome } = record.value;
  const document = {
    ...{ id, by, at, program, outcome },
    reasons: record.value.failures.map((it) => it.code),
    comparison: differences.length === 0 ? 'same' : 'different',
    differences: differences as unknown as Json,
    checks: decided.checks as unknown as Json,
  };
  const text = `${recordText(id, record.value)}\n${comparisonText(repeated.value)}`;
  if (differences.length === 0) return done('Repetition', document, text);
  const causes = differences.map((it) => `${it.check}: ${it.recorded}, now ${it.now}`);
  const failures = failure('verify/decision-differs', 'the decision comes out differently', {
    causes,
    hints: [`it was made by version ${escapeText(program)}; compare with that version`],
  });
  return failed('Repetition', [failures], document, text);
}

function comparisonText({ differences }: Comparison): string {
  if (differences.length === 0) return 'the same: every check came out as it was recorded';
  return `different: ${differences.map((it) => it.check).join(', ')}`;
}

function recordText(id: Digest, record: DecisionRecord): string {
  const { by, program, at, trust, question, input, outcome, failures, durationMs } = record;
  const took = durationMs === null ? '' : `, in ${Math.round(durationMs)} ms`;
  const title = `${outcome} by the ${by} (${program}) ${at}${took}`;
  const reasons = failures.map((it) => `  ${it.code}: ${escapeText(it.message)}`);
  return [
    'criteria',
    fields([
      ['record', id],
      ['trust policy', `version ${trust.version}, ${trust.fingerprint}`],
      ['trusted root', trust.root ?? 'none'],
      ...placeRows(question),
      ['about', input.subject ?? 'nothing that could be read'],
      ['asked for', input.reference],
    ]),
    checksText(record.checks),
    title,
    ...reasons,
  ].join('\n');
}

function placeRows(question: DecisionRecord['question']): readonly (readonly [string, string])[] {
  if (question.kind === 'fetch') return [];
  const { repository, channel, nowMs, floor } = question.context;
  return [
    ['repository', repository],
    ['channel', channel],
    ['at', new Date(nowMs).toISOString()],
    ['version floor', floor === null ? 'none' : `v${floor.highestSeen}`],
  ];
}
