// `warder verify`. It loads what it needs and nothing of other commands: its start is what people and CI wait
// for (docs/performance-admission.md).
//
// SPDX-License-Identifier: Apache-2.0

import { resolve } from 'node:path';
import type { Command } from 'commander';
import { formatRepository, parseReference } from '../../core/reference.ts';
import { failure } from '../../core/result.ts';
import { verify } from '../commands/verify.ts';
import { withExamples } from '../examples.ts';
import { failed, type Outcome } from '../outcome.ts';
import { addRegistryOptions, type RegistryOptions, toReach } from '../registry-options.ts';
import type { Session } from '../session.ts';

interface VerifyOptions extends RegistryOptions {
  readonly evidence?: string;
  readonly trust?: string;
  readonly repository?: string;
  readonly channel: string;
}

/** Adds the command to the tree. */
export function addVerify(program: Command, session: Session): void {
  addRegistryOptions(
    withExamples(
      program.command('verify'),
      [
        'warder verify registry.example.com/policies:prod --trust /etc/warder/trust.yaml',
        'what a host with this trust policy would say of the newest bundle',
      ],
      [
        'warder verify oci-layout:/srv/bundles:prod --trust trust.yaml --repository registry.example.com/policies',
        'a bundle in a folder, which is signed for its canonical repository',
      ],
      [
        'warder verify --evidence evidence',
        'repeat a decision of a host from what `warder evidence export` wrote, offline',
      ],
    )
      .description('verify a bundle against a trust policy, without activating anything')
      .argument('[reference]', 'HOST/REPOSITORY:TAG, …@sha256:HEX or oci-layout:/DIR:TAG')
      .option('--trust <file>', 'trust policy; needed with a reference')
      .option('--evidence <dir>', 'repeat the decision of this folder instead')
      .option('--repository <name>', 'canonical repository, when fetched from a mirror or a layout')
      .option('--channel <name>', 'channel that the bundle must be for', 'prod'),
  ).action(async (text: string | undefined, options: VerifyOptions) => {
    session.finish(await runVerify(session, text, options));
  });
}

async function runVerify(session: Session, text: string | undefined, options: VerifyOptions) {
  const { services, io } = session;
  if (text === undefined && options.evidence !== undefined) {
    const evidence = await services.evidence.read(resolve(io.cwd, options.evidence));
    if (!evidence.ok) return failed('Repetition', [evidence.error]);
    const { repeatEvidence } = await import('../commands/evidence.ts');
    return repeatEvidence(evidence.value, await services.verifier());
  }
  if (text === undefined || options.trust === undefined || options.evidence !== undefined) {
    const hints = ['warder verify REFERENCE --trust FILE', 'warder verify --evidence DIR'];
    return failed('Verification', [
      failure('cli/usage', 'a reference with a trust policy is needed, or evidence', { hints }),
    ]);
  }
  const reference = parseReference(text);
  if (!reference.ok) return failed('Verification', [reference.error]);
  const trust = await services.trust(resolve(session.io.cwd, options.trust));
  if (!trust.ok) return failed('Verification', [trust.error]);
  const registry = await services.registryReader(reference.value, toReach(options, session.io.cwd));
  if (!registry.ok) return failed('Verification', [registry.error]);
  const ports = { registry: registry.value, verifier: await services.verifier() };
  const outcome = await verify(reference.value, ports, trust.value, {
    nowMs: services.clock.nowMs(),
    floor: null,
    admitted: [],
    repository: options.repository ?? formatRepository(reference.value.repository),
    channel: options.channel,
    agentVersion: services.version,
    labels: {},
    head: null,
    purpose: 'admit',
  });
  return options.repository === undefined ? withPlaceHint(outcome) : outcome;
}

// A copy is signed for the place it was copied from; only a person knows which that should be.
function withPlaceHint(outcome: Outcome): Outcome {
  const failures = outcome.failures.map((it) =>
    it.code === 'verify/scope-mismatch' ? { ...it, hints: [...it.hints, PLACE_HINT] } : it,
  );
  return { ...outcome, failures };
}

const PLACE_HINT =
  'for a mirror or a folder, name the canonical repository by --repository, and the channel by --channel';
