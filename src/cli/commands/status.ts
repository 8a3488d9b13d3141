// `warder status`: what is enforced, since when, from which commit, signed by whom, and how we know.
// The enforcer speaks for the kernel, the agent's status file for polling. An enforcer that does not
// answer is "unknown", never "enforcing".
//
// SPDX-License-Identifier: Apache-2.0

import { shortDigest } from '../../core/digest.ts';
import type {
  CanaryReport,
  EnforcerStatus,
  ProofStatus,
  SourceStatus,
} from '../../core/enforcement.ts';
import { type Enforcing, judgeEnforcing } from '../../core/enforcer/proof.ts';
import { EXIT, type ExitCode } from '../../core/errors/spec.ts';
import type { Failure, Result } from '../../core/result.ts';
import type { AgentStatus, Condition, PlaceReport } from '../../core/status.ts';
import { escapeText } from '../../core/text.ts';
import type { EnforcerPort } from '../../ports.ts';
import { failed, type Json, type Outcome } from '../outcome.ts';
import { bundleLine, fields, signerList } from '../text-blocks.ts';
import { inUseLine } from './glass.ts';

/** Status of this host. The agent's part is null when it has not written one, and never decides. */
export async function status(
  enforcer: EnforcerPort,
  agent: Agent,
  source?: string,
): Promise<Outcome> {
  const answer = await enforcer.status(source);
  const agentDocument = (agent.ok ? agent.value : { error: agent.error }) as unknown as Json;
  if (!answer.ok) {
    const document = { enforcing: 'unknown', agent: agentDocument };
    return failed('Status', [answer.error], document, unknownText(agent));
  }
  const state = judgeEnforcing(answer.value);
  return {
    exit: exitOf(answer.value, state),
    kind: 'Status',
    document: {
      enforcing: state,
      enforcer: answer.value as unknown as Json,
      agent: agentDocument,
    },
    text: statusText(answer.value, agent, state),
    failures: [],
  };
}

type Agent = Result<AgentStatus | null>;

// What the agent saw last is history, not what is enforced.
function unknownText(agent: Agent): string {
  return ['unknown what is enforced: the enforcer does not answer', fields(agentRows(agent))].join(
    '\n',
  );
}

function agentRows(agent: Agent): readonly Row[] {
  if (!agent.ok) return [['last poll', `unknown: ${agent.error.message}`]];
  if (agent.value === null) return [['last poll', 'the agent has not reported']];
  return [
    ['last poll', pollLine(agent.value)],
    ['last refusal', refusalLine(agent.value.lastRefusal)],
    ...concernRows(agent.value),
    ...(agent.value.places ?? []).map((it) => ['from', placeLine(it)] as const),
  ];
}

function exitOf(it: EnforcerStatus, state: Enforcing): ExitCode {
  if (state !== 'yes') return EXIT.activation;
  const isHeld = it.hold !== null || it.sources.some(({ hold }) => hold !== null);
  const isLess = it.enforced.kind === 'baseline' || it.leftOut.length > 0;
  if (isLess || isHeld || it.breakGlass !== null) {
    return EXIT.lastKnownGood;
  }
  return EXIT.ok;
}

function statusText(it: EnforcerStatus, agent: Agent, state: Enforcing): string {
  return [
    enforcedLine(it, state),
    fields([
      ...proofRows(it.proof),
      ...bundleRows(it),
      ['canary', canaryLine(it.canary)],
      ['held', holdLine(it)],
      ['break-glass', it.breakGlass === null ? null : inUseLine(it.breakGlass)],
      ['version floor', it.highestSeen === null ? 'none yet' : `v${it.highestSeen}`],
      ['channel head', headLine(it.head)],
      ['trust policy', `version ${it.trust.version} (${shortDigest(it.trust.fingerprint)})`],
      ['hooks', hooksLine(it)],
      ['self-protection', selfLine(it)],
      [
        'audit only',
        it.demoted.length === 0 ? null : `${it.demoted.join(', ')} (a hook is missing)`,
      ],
      ['left out', leftOutLine(it.leftOut)],
      [
        'events',
        `${it.totals.denied} denied, ${it.totals.audited} audited, ${it.totals.dropped} lost` +
          `${it.totals.let === 0 ? '' : `, ${it.totals.let} let through by break-glass`}` +
          `${it.totals.suppressed === 0 ? '' : `, ${it.totals.suppressed} counted only`}`,
      ],
      ...agentRows(agent),
      ...it.sources.flatMap(sourceRows),
      ...it.alerts.map((alert) => ['alert', `${alert.code}: ${alert.message}`] as const),
    ]),
  ].join('\n');
}

function leftOutLine([first, ...more]: readonly string[]): string | null {
  if (first === undefined) return null;
  return `${first}${more.length === 0 ? '' : ` and ${more.length} more`}: cannot be resolved now`;
}

function headLine(head: EnforcerStatus['head']): string | null {
  if (head === null) return null;
  const { state, last, maxAgeMs } = head;
  const limit = `at most ${Math.round(maxAgeMs / 360_000) / 10} h old is good`;
  if (last === null) return `none yet: nothing new is admitted (${limit})`;
  return `${state === 'fresh' ? 'fresh' : 'STALE'}, v${last.version} of ${last.issuedAt} (${limit})`;
}

// Good news is no news; that root can end enforcement is not.
function selfLine({ selfProtection: { state, detail } }: EnforcerStatus): string | null {
  return state === 'on' ? null : `OFF (${detail}): root can take enforcement away`;
}

type Row = readonly [string, string | null];

function bundleRows({ enforced, record }: EnforcerStatus): readonly Row[] {
  if (enforced.kind === 'nothing') return [];
  if (enforced.kind === 'baseline') return [['since', enforced.since]];
  const { bundle, since } = enforced;
  return [
    ['since', since],
    ['bundle', bundleLine(bundle)],
    ['commit', `${bundle.commit} of ${bundle.sourceRepository}`],
    ['signed by', signerList(bundle.signers)],
    ['admitted by', record === null ? null : `record ${shortDigest(record)}`],
    ['expires', bundle.expires],
  ];
}

// Each named source in one line, and what is the matter with it in further ones.
function sourceRows(source: SourceStatus): readonly Row[] {
  const { name, repository, channel, enforced, hold, isConfigured, highestSeen } = source;
  const what =
    enforced.kind === 'bundle'
      ? `${bundleLine(enforced.bundle)}, ${enforced.confirmed ? 'confirmed' : 'not confirmed yet'}`
      : `nothing yet of ${repository}, channel ${channel}`;
  const floor = highestSeen === null ? '' : `; version floor v${highestSeen}`;
  const head = headLine(source.head);
  return [
    [`source ${name}`, `${what}${floor}`],
    ['', head === null ? null : `channel head ${head}`],
    ['', hold === null ? null : `held: v${hold.version} stays out since ${hold.at}, by ${hold.by}`],
    ['', isConfigured ? null : 'NOT CONFIGURED any more: it brings nothing new'],
  ];
}

// Ready and SourceVerified are good news, Reconciling is no news; the others are bad when they hold.
const GOOD: readonly Condition['type'][] = ['Ready', 'SourceVerified', 'Reconciling'];

function placeLine({ place, state, code, at }: PlaceReport): string {
  if (at === null) return `${escapeText(place)}: not asked yet`;
  return `${escapeText(place)}: ${state}${code === null ? '' : ` (${code})`} at ${at}`;
}

function concernRows(agent: AgentStatus): readonly Row[] {
  return agent.conditions
    .filter((it) => it.status === 'True' && !GOOD.includes(it.type))
    .map((it) => [
      'attention',
      `${it.type} since ${it.lastTransitionTime}: ${it.reason}${it.message === '' ? '' : `, ${it.message}`}`,
    ]);
}

function enforcedLine(
  { enforced, disabled, proof, breakGlass }: EnforcerStatus,
  state: Enforcing,
): string {
  if (disabled !== null) {
    const { by, reason } = disabled;
    return `NOT enforcing: disabled by ${escapeText(by)}: ${escapeText(reason)}`;
  }
  if (enforced.kind === 'nothing') {
    return proof !== null
      ? 'NOT enforcing: the kernel holds no generation that this host knows'
      : 'NOT enforcing: nothing was activated yet';
  }
  const what =
    enforced.kind === 'baseline'
      ? `the baseline (generation ${enforced.generation})`
      : `v${enforced.bundle.version} (generation ${enforced.generation}, ` +
        `${enforced.confirmed ? 'confirmed' : 'not confirmed yet'})`;
  switch (state) {
    case 'yes':
      return `enforcing ${what}${breakGlass === null ? '' : ', but BREAK-GLASS relaxes rules of it'}`;
    case 'unproven':
      return `loaded ${what}, but nothing has proven it yet`;
    case 'unknown':
      return `UNKNOWN whether ${what} is enforced: the attach proof has no answer`;
    case 'no':
      return `NOT enforcing: the attach proof failed under ${what}`;
  }
}

const PROOF_WORDS = { proven: 'holds', disproven: 'FAILED', unknown: 'has no answer' } as const;

function proofRows(proof: ProofStatus | null): readonly Row[] {
  if (proof === null) return [['proof', 'not made yet']];
  const age = `${Math.round(proof.ageMs / 1000)} s ago, every ${proof.periodMs / 1000} s`;
  return [
    ['proof', `${PROOF_WORDS[proof.state]}, ${age}`],
    ...proof.reasons.flatMap(({ code, message, hints }): readonly Row[] => [
      ['because', `${code}: ${message}`],
      ...hints.map((hint) => ['do', hint] as const),
    ]),
  ];
}

function canaryLine(canary: CanaryReport | null): string {
  if (canary === null) return 'not run yet';
  const denied = canary.results.filter((it) => it.outcome === 'denied').length;
  const bad = canary.results.filter((it) => it.outcome !== 'denied');
  const detail = bad.map((it) => `${it.hook}: ${it.outcome}`).join(', ');
  return (
    `${canary.healthy ? 'healthy' : 'FAILED'}, ${denied} of ${canary.results.length} denied at ` +
    `${canary.at}${detail === '' ? '' : ` (${detail})`}`
  );
}

function holdLine(it: EnforcerStatus): string | null {
  if (it.hold === null) return null;
  const { version, by, reason, at } = it.hold;
  return `v${version} stays out since ${at}, by ${by}: ${reason}`;
}

function hooksLine(it: EnforcerStatus): string {
  const attached = it.hooks.filter((hook) => hook.state === 'attached').length;
  // An idle hook costs nothing and lacks nothing: no policy in force asks for it.
  const expected = ['attached', 'absent', 'idle'];
  const others = it.hooks.filter((hook) => !expected.includes(hook.state));
  const absent = it.hooks.filter((hook) => hook.state === 'absent').length;
  const trouble = others.map((hook) => `${hook.hook} ${hook.state}`).join(', ');
  return (
    `${attached} attached${absent === 0 ? '' : `, ${absent} not on this kernel`}` +
    `${trouble === '' ? '' : `, ${trouble}`}${it.adopted ? ' (adopted)' : ''}`
  );
}

function pollLine(agent: AgentStatus): string {
  const at = agent.lastRequestAt ?? 'never';
  const ready = agent.conditions.find((it) => it.type === 'Ready');
  const is = { True: 'ready', False: 'not ready', Unknown: 'readiness unknown' };
  const next = agent.nextPollAt === null ? '' : `, next ${agent.nextPollAt}`;
  return ready === undefined ? at : `${at}, ${is[ready.status]} (${ready.reason})${next}`;
}

function refusalLine(refusal: AgentStatus['lastRefusal']): string | null {
  if (refusal === null) return 'none';
  const reasons = refusal.failures.map((it: Failure) => it.code).join(', ');
  const version = refusal.version === null ? '' : `v${refusal.version} `;
  return `${refusal.at} ${version}${shortDigest(refusal.digest)}: ${reasons}`;
}
