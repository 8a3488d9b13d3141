// `warder explain EVENT|last`: from the kernel event down to the Git line and its signer.
//
// SPDX-License-Identifier: Apache-2.0

import { type Digest, shortDigest } from '../../core/digest.ts';
import type { DecisionEvent } from '../../core/enforcement.ts';
import type { Operation } from '../../core/policy/document.ts';
import { MAIN_SOURCE, sourceOfRule } from '../../core/policy/sources.ts';
import { failure } from '../../core/result.ts';
import { escapeText } from '../../core/text.ts';
import type { EnforcerPort } from '../../ports.ts';
import { done, failed, type Json, type Outcome } from '../outcome.ts';
import { bundleLine, fields, signerList } from '../text-blocks.ts';

/** Explains the event with this id, or the newest one for `last`. */
export async function explain(enforcer: EnforcerPort, id: string): Promise<Outcome> {
  const found = id === 'last' ? await newest(enforcer) : await enforcer.event(id);
  if (!found.ok) return failed('Explanation', [found.error]);
  if (found.value === null) return failed('Explanation', [notFound(id)]);
  const record = await admissionOf(enforcer, found.value);
  const document = { event: found.value as unknown as Json, record };
  return done('Explanation', document, explainText(found.value, record));
}

// Only what is enforced still is linked to its record; the rest is in `warder evidence list`.
async function admissionOf(enforcer: EnforcerPort, { bundle, rule }: DecisionEvent) {
  const source = sourceOfRule(rule ?? MAIN_SOURCE);
  const named = source === MAIN_SOURCE ? undefined : source;
  const status = bundle === null ? null : await enforcer.status(named);
  if (bundle === null || !status?.ok || status.value.enforced.kind !== 'bundle') return null;
  return status.value.enforced.bundle.digest === bundle.digest ? status.value.record : null;
}

async function newest(enforcer: EnforcerPort) {
  const events = await enforcer.events({ limit: 1 });
  return events.ok ? { ok: true as const, value: events.value.at(-1) ?? null } : events;
}

function notFound(id: string) {
  return failure(
    'cli/event-not-found',
    id === 'last' ? 'nothing was denied yet' : `no event ${escapeText(id)}`,
    {
      hints: ['`warder events` lists what is kept; the oldest make room for new ones'],
    },
  );
}

const VERDICTS = {
  deny: 'denied',
  audit: 'would be denied (audit)',
  let: 'let through by break-glass',
} as const;

/** The explanation for people. */
export function explainText(event: DecisionEvent, record: Digest | null = null): string {
  const { process, object } = event;
  const verb = VERDICTS[event.action];
  const head =
    `${verb}: ${escapeText(process.comm)} (pid ${process.tgid}, uid ${process.uid}) tried to ` +
    `${attempt(event)}${object.pathCut ? ' (path cut)' : ''}`;
  return [
    head,
    fields([
      ['at', event.at],
      ['rule', ruleLine(event)],
      ['let through by', event.breakGlass === null ? null : `token ${event.breakGlass}`],
      ['because', event.ruleReason ?? reasonWithoutRule(event)],
      [
        'leaving',
        event.reason === 'refer' ? 'a move or link there would take it out of its tree' : null,
      ],
      ['written in', originLine(event)],
      [
        'bundle',
        event.bundle === null ? 'baseline, shipped with Warder' : bundleLine(event.bundle),
      ],
      ['signed by', event.bundle === null ? null : signerList(event.bundle.signers)],
      ['admitted by', record === null ? null : `record ${shortDigest(record)}`],
      [
        'kernel',
        `hook ${event.hook}, ${event.errno ?? 'allowed'}, generation ${event.generation}, event ${event.id}`,
      ],
      [
        'process',
        `${process.exe ?? 'executable gone'} (${process.exeIdentity}), ` +
          `parent ${process.ppid}, cgroup ${process.cgroupId}, started ${process.startedAt}`,
      ],
      ['object', object.identity],
      ['stacks', stacksLine(event)],
    ]),
  ].join('\n');
}

// Names of operations as things that one does to an object.
const VERBS: Partial<Record<Operation, string>> = {
  setattr: 'change attributes of',
  link: 'make a hard link to',
};

function attempt({ operation, object, hook }: DecisionEvent): string {
  // What no operation names changes the process itself (LIVE-4 of POLICY_SEMANTICS.md).
  if (operation === null) return `change which program it is said to run (${hook})`;
  return `${VERBS[operation] ?? operation} ${escapeText(object.path)}`;
}

function ruleLine({ rule, mode }: DecisionEvent): string {
  if (rule === null) return 'none';
  return `${rule}${mode === null ? '' : ` (mode ${mode})`}`;
}

function reasonWithoutRule(event: DecisionEvent): string {
  return event.reason === 'self'
    ? 'it would change whom exemptions apply to'
    : 'the decision could not be completed, and what cannot be decided is denied';
}

function stacksLine({ stacks: { kernel, user } }: DecisionEvent): string | null {
  if (kernel === null && user === null) return null;
  return `kernel ${kernel ?? 'not recorded'}, user ${user ?? 'not recorded'}`;
}

function originLine(event: DecisionEvent): string | null {
  const { origin, bundle } = event;
  if (origin === null) return null;
  const place = `${escapeText(origin.file)}:${origin.line}:${origin.column}`;
  if (bundle === null) return place;
  return `${place}, commit ${bundle.commit.slice(0, 12)} of ${escapeText(bundle.sourceRepository)}`;
}
