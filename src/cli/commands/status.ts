// `warder status`: what is enforced, since when, from which commit, signed by whom, and how we know.
// The enforcer speaks for the kernel, the agent's status file for polling. An enforcer that does not
// answer is "unknown", never "enforcing".
//
// SPDX-License-Identifier: Apache-2.0

import { shortDigest } from '../../core/digest.ts';
import type { CanaryReport, Enforced, EnforcerStatus } from '../../core/enforcement.ts';
import { EXIT, type ExitCode } from '../../core/errors/spec.ts';
import type { Failure } from '../../core/result.ts';
import type { AgentStatus } from '../../core/status.ts';
import { escapeText } from '../../core/text.ts';
import type { EnforcerPort } from '../../ports.ts';
import { failed, type Json, type Outcome } from '../outcome.ts';
import { bundleLine, fields, signerList } from '../text-blocks.ts';

/** Status of this host. `agent` is null when the agent has not written one. */
export async function status(enforcer: EnforcerPort, agent: AgentStatus | null): Promise<Outcome> {
  const answer = await enforcer.status();
  const agentDocument = agent as unknown as Json;
  if (!answer.ok) {
    return failed('Status', [answer.error], { enforcing: 'unknown', agent: agentDocument });
  }
  const state = enforcing(answer.value);
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

type Enforcing = 'yes' | 'unproven' | 'no';

// Enforcing is only what the canaries of this very generation have shown.
function enforcing(it: EnforcerStatus): Enforcing {
  if (it.enforced.kind === 'nothing') return 'no';
  if (it.canary === null || it.canary.generation !== it.enforced.generation) return 'unproven';
  return it.canary.healthy ? 'yes' : 'no';
}

function exitOf(it: EnforcerStatus, state: Enforcing): ExitCode {
  if (state !== 'yes') return EXIT.activation;
  if (it.enforced.kind === 'baseline' || it.hold !== null) return EXIT.lastKnownGood;
  return EXIT.ok;
}

function statusText(it: EnforcerStatus, agent: AgentStatus | null, state: Enforcing): string {
  const bundle = it.enforced.kind === 'bundle' ? it.enforced.bundle : null;
  return [
    enforcedLine(it.enforced, state),
    fields([
      ['since', it.enforced.kind === 'nothing' ? null : it.enforced.since],
      ['bundle', bundle === null ? null : bundleLine(bundle)],
      [
        'commit',
        bundle === null ? null : `${bundle.commit} of ${escapeText(bundle.sourceRepository)}`,
      ],
      ['signed by', bundle === null ? null : signerList(bundle.signers)],
      ['expires', bundle?.expires ?? null],
      ['canary', canaryLine(it.canary)],
      ['held', holdLine(it)],
      ['version floor', it.highestSeen === null ? 'none yet' : `v${it.highestSeen}`],
      ['hooks', hooksLine(it)],
      [
        'events',
        `${it.totals.denied} denied, ${it.totals.audited} audited, ${it.totals.dropped} lost`,
      ],
      ['last poll', agent === null ? 'the agent has not reported' : pollLine(agent)],
      ['last refusal', agent === null ? null : refusalLine(agent.lastRefusal)],
    ]),
  ].join('\n');
}

function enforcedLine(enforced: Enforced, state: Enforcing): string {
  const proof = {
    yes: 'enforcing',
    unproven: 'loaded, not proven by a canary yet:',
    no: 'NOT enforcing:',
  }[state];
  switch (enforced.kind) {
    case 'nothing':
      return 'NOT enforcing: nothing was activated yet, or enforcement was disabled';
    case 'baseline':
      return `${proof} the baseline (generation ${enforced.generation})`;
    case 'bundle':
      return (
        `${proof} v${enforced.bundle.version} (generation ${enforced.generation}` +
        `${enforced.confirmed ? ', confirmed' : ', waiting for confirmation'})`
      );
  }
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
  return `v${version} stays out since ${at}, by ${escapeText(by)}: ${escapeText(reason)}`;
}

function hooksLine(it: EnforcerStatus): string {
  const attached = it.hooks.filter((hook) => hook.state === 'attached').length;
  const others = it.hooks.filter((hook) => hook.state !== 'attached' && hook.state !== 'absent');
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
  return ready === undefined ? at : `${at}, ${ready.reason}`;
}

function refusalLine(refusal: AgentStatus['lastRefusal']): string | null {
  if (refusal === null) return 'none';
  const reasons = refusal.failures.map((it: Failure) => it.code).join(', ');
  return `${refusal.at} ${shortDigest(refusal.digest)}: ${reasons}`;
}
