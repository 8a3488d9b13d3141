// `warder break-glass`: ask for an order, sign it, use it, end it, and see what was used. The enforcer
// decides; signing needs neither a host nor a network.
//
// SPDX-License-Identifier: Apache-2.0

import type { GlassInUse, GlassOrder, GlassRecord, GlassRequest } from '../../core/glass.ts';
import { err, failure, ok, type Result } from '../../core/result.ts';
import { escapeText } from '../../core/text.ts';
import type { EnforcerPort, SignerPort } from '../../ports.ts';
import {
  checkOrder,
  encodeGlassFile,
  encodeGlassRequest,
  encodeGlassStatement,
  parseGlassFile,
  parseGlassRequest,
  readGlassOrder,
} from '../../wire/glass.ts';
import { done, failed, type Json, type Outcome } from '../outcome.ts';
import type { Services } from '../services.ts';
import { counted, fields } from '../text-blocks.ts';

type Files = Pick<Services, 'readBytes' | 'writeBytes'>;

/** Asks the enforcer what an order must name; writes it to a file, or prints it. */
export async function request(
  enforcer: EnforcerPort,
  out: string | null,
  files: Files,
): Promise<Outcome> {
  const asked = await enforcer.askGlass();
  if (!asked.ok) return failed('BreakGlassRequest', [asked.error]);
  const bytes = encodeGlassRequest(asked.value);
  const document = { request: asked.value as unknown as Json };
  if (out === null) return done('BreakGlassRequest', document, new TextDecoder().decode(bytes));
  const written = files.writeBytes(out, bytes);
  if (!written.ok) return failed('BreakGlassRequest', [written.error]);
  const text = `wrote ${escapeText(out)}: have it signed on another machine within 24 hours`;
  return done('BreakGlassRequest', { ...document, file: out }, text);
}

/** What somebody wants to have signed. */
export interface Wish {
  readonly action: 'relax' | 'disable';
  readonly rules: readonly string[];
  readonly cgroup: string | null;
  readonly minutes: number | null;
  readonly reason: string | null;
}

/** Signs an order for a request, or adds a signature to an order that others have signed. */
export async function sign(
  file: string,
  out: string,
  wish: Wish,
  signer: SignerPort,
  files: Files,
): Promise<Outcome> {
  const bytes = files.readBytes(file);
  if (!bytes.ok) return failed('BreakGlassSignature', [bytes.error]);
  const before = parseGlassFile(bytes.value);
  const order = before.ok ? takeOver(before.value, wish) : compose(bytes.value, wish);
  if (!order.ok) return failed('BreakGlassSignature', [order.error]);
  const statement = await signer.sign(encodeGlassStatement(order.value));
  if (!statement.ok) return failed('BreakGlassSignature', [statement.error]);
  // The same key twice is one signature.
  const others = before.ok ? before.value.filter((it) => signer.open(it) === null) : [];
  const statements = [...others, statement.value];
  const written = files.writeBytes(out, encodeGlassFile(statements));
  if (!written.ok) return failed('BreakGlassSignature', [written.error]);
  const text = [
    'signed an order of break-glass',
    fields([
      ['file', escapeText(out)],
      ...orderRows(order.value),
      ['signatures', String(statements.length)],
    ]),
  ].join('\n');
  const document = {
    file: out,
    order: order.value as unknown as Json,
    signatures: statements.length,
  };
  return done('BreakGlassSignature', document, text);
}

function compose(bytes: Uint8Array, wish: Wish): Result<GlassOrder> {
  const asked = parseGlassRequest(bytes);
  if (!asked.ok) return asked;
  const { host, boot, nonce }: GlassRequest = asked.value;
  const { action, rules, cgroup, minutes, reason } = wish;
  if (reason === null) return err(usage('an order needs a --reason'));
  const place = { host, boot, nonce, reason };
  if (action === 'disable') {
    if (rules.length > 0 || cgroup !== null || minutes !== null) {
      return err(usage('--disable ends everything: it goes with no rule, group or time'));
    }
    return checkOrder({ action, ...place });
  }
  if (minutes === null) return err(usage('an order needs --minutes'));
  if (rules.length === 0 && cgroup === null) return err(usage('an order needs --rule or --cgroup'));
  return checkOrder({ action, ...place, rules, cgroup, minutes });
}

// Whoever signs after another signs what is there.
function takeOver(statements: readonly Uint8Array[], wish: Wish): Result<GlassOrder> {
  const { rules, cgroup, minutes, reason } = wish;
  const isSilent = rules.length === 0 && cgroup === null && minutes === null && reason === null;
  if (isSilent && wish.action === 'relax') return readGlassOrder(statements);
  return err(usage('the file is an order already: sign it as it is, without further options'));
}

function usage(message: string) {
  return failure('cli/usage', message, { hints: ['warder break-glass sign --help'] });
}

/** Hands an order to the enforcer. */
export async function use(
  file: string,
  enforcer: EnforcerPort,
  by: string,
  files: Files,
): Promise<Outcome> {
  const order = readOrderFile(file, files);
  const used = order.ok ? await enforcer.useGlass(order.value, by) : order;
  if (!used.ok) return failed('BreakGlass', [used.error]);
  const text = ['break-glass is in use', fields(inUseRows(used.value))].join('\n');
  return done('BreakGlass', { inUse: used.value as unknown as Json }, text);
}

/** The statements of an order in a file. */
export function readOrderFile(file: string, files: Files): Result<readonly Uint8Array[]> {
  const bytes = files.readBytes(file);
  return bytes.ok ? parseGlassFile(bytes.value) : bytes;
}

/** Ends what is in use. */
export async function end(enforcer: EnforcerPort, by: string): Promise<Outcome> {
  const ended = await enforcer.endGlass(by);
  if (!ended.ok) return failed('BreakGlassEnd', [ended.error]);
  return done(
    'BreakGlassEnd',
    { ended: ended.value as unknown as Json },
    `ended order ${ended.value.id}: its rules hold again`,
  );
}

/** Lists what was used on this host. */
export async function list(enforcer: EnforcerPort): Promise<Outcome> {
  const found = await enforcer.listGlass();
  if (!found.ok) return failed('BreakGlassRecords', [found.error]);
  const blocks = found.value.map((it) => [it.id, fields(recordRows(it))].join('\n'));
  const text = [...blocks, `${counted(found.value.length, 'order')} used`].join('\n');
  return done('BreakGlassRecords', { records: found.value as unknown as Json }, text);
}

type Row = readonly [string, string | null];

function orderRows(order: GlassOrder): readonly Row[] {
  const { host, boot, reason } = order;
  return [
    ['does', order.action === 'disable' ? 'ENDS ENFORCEMENT' : `relaxes ${scopeText(order)}`],
    ['for', order.action === 'disable' ? null : `${order.minutes} minutes from its use`],
    ['reason', escapeText(reason)],
    ['on host', `${host}, boot ${boot}`],
  ];
}

function scopeText({ rules, cgroup }: Extract<GlassOrder, { action: 'relax' }>): string {
  const what = rules.length === 0 ? 'every rule of the bundle' : rules.join(', ');
  return cgroup === null ? what : `${what} for ${escapeText(cgroup)}`;
}

function recordRows({ order, signers, by, usedAt, ended }: GlassRecord): readonly Row[] {
  return [
    ...orderRows(order),
    ['signed by', signers.join(', ')],
    ['used', `${usedAt} by ${escapeText(by)}`],
    ['ended', ended === null ? null : `${ended.at} by ${escapeText(ended.by)}`],
  ];
}

function inUseRows(it: GlassInUse): readonly Row[] {
  return [['order', it.id], ...recordRows(it), ['left', minutesLeft(it)]];
}

/** One line of status. */
export function inUseLine(it: GlassInUse): string {
  const scope = it.order.action === 'disable' ? 'everything' : scopeText(it.order);
  return (
    `IN USE, order ${it.id} relaxes ${scope}, ${minutesLeft(it)} left, signed by ` +
    `${it.signers.join(', ')}: ${escapeText(it.order.reason)}`
  );
}

function minutesLeft({ leftMs }: GlassInUse): string {
  return `${Math.ceil(leftMs / 60_000)} min`;
}

/** Reads nothing when no file is named. */
export function readOptionalOrder(
  file: string | null,
  files: Files,
): Result<readonly Uint8Array[] | null> {
  return file === null ? ok(null) : readOrderFile(file, files);
}
