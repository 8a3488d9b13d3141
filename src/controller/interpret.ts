// Turns a command into one port call and its answer into one event. Every call has a deadline; a port
// that does not answer in time is a failure like any other, and its late answer is not listened to.
//
// SPDX-License-Identifier: Apache-2.0

import type { ErrorCode } from '../core/errors.ts';
import type { Generation } from '../core/machine/contents.ts';
import type { Admitted, Command, EventBody } from '../core/machine/state.ts';
import { err, failure, ok, type Result, unreachable } from '../core/result.ts';
import type { TrustPolicy } from '../core/verify/trust.ts';
import type {
  ClockPort,
  EnforcerPort,
  ProbePort,
  RegistryPort,
  ReporterPort,
  StorePort,
  VerifierPort,
} from '../ports.ts';
import { toRecord } from './notes.ts';

/** Everything that the agent acts through. */
export interface AgentPorts {
  readonly registry: RegistryPort;
  readonly verifier: VerifierPort;
  readonly store: StorePort;
  readonly enforcer: EnforcerPort;
  readonly probes: ProbePort;
  readonly reporters: readonly ReporterPort[];
  readonly clock: ClockPort;
  readonly trust: TrustPolicy;
}

/** Runs one command other than `wait`; null when it has no answer. */
export async function interpret(
  ports: AgentPorts,
  command: Exclude<Command, { kind: 'wait' }>,
  stop: AbortSignal,
): Promise<EventBody | null> {
  switch (command.kind) {
    case 'find-head':
    case 'read-head':
      return await interpretHead(ports, command, stop);
    case 'resolve':
    case 'fetch':
    case 'collect':
      return await interpretReading(ports, command, stop);
    case 'load':
    case 'raise-floor':
    case 'stage':
    case 'record':
    case 'quarantine':
      return await interpretWriting(ports, command);
    case 'prune':
      // What could not be removed is removed next time.
      await ports.store.prune();
      return null;
    case 'note':
      await ports.store.note(toRecord(command.note, ports.trust));
      return null;
    case 'report':
      for (const reporter of ports.reporters) {
        await reporter.report(command.status, command.outcome);
      }
      return null;
    default:
      return await interpretEnforcing(ports, command);
  }
}

async function interpretReading(
  ports: AgentPorts,
  command: Extract<Command, { kind: 'resolve' | 'fetch' | 'collect' }>,
  stop: AbortSignal,
): Promise<EventBody> {
  const { clock, registry, verifier, trust } = ports;
  switch (command.kind) {
    case 'resolve': {
      const answer = await within(clock, command, 'fetch/timeout', stop, (signal) =>
        registry.resolve(command.reference, signal),
      );
      return toEvent(command, answer, (candidate) => ({ kind: 'discovered', candidate }));
    }
    case 'fetch': {
      const answer = await within(clock, command, 'fetch/timeout', stop, (signal) =>
        registry.fetch(command.candidate, signal),
      );
      return toEvent(command, answer, (bundle) => ({ kind: 'fetched', bundle }));
    }
    case 'collect': {
      const answer = await within(clock, command, 'verify/timeout', stop, () =>
        verifier.collect(command.bundle, trust),
      );
      return toEvent(command, answer, (evidence) => ({ kind: 'collected', evidence }));
    }
  }
}

async function interpretHead(
  { clock, registry, verifier, trust }: AgentPorts,
  command: Extract<Command, { kind: 'find-head' | 'read-head' }>,
  stop: AbortSignal,
): Promise<EventBody> {
  if (command.kind === 'find-head') {
    const answer = await within(clock, command, 'fetch/timeout', stop, (signal) =>
      registry.head(command.reference.repository, command.channel, signal),
    );
    return toEvent(command, answer, (statements) => ({ kind: 'head-found', statements }));
  }
  const answer = await within(clock, command, 'verify/timeout', stop, () =>
    verifier.read(command.statements, trust),
  );
  return toEvent(command, answer, (facts) => ({ kind: 'head-read', facts }));
}

// The disk has no deadline: an answer that came after one would leave memory behind the disk.
async function interpretWriting(
  { store }: AgentPorts,
  command: Extract<Command, { kind: 'load' | 'raise-floor' | 'stage' | 'record' | 'quarantine' }>,
): Promise<EventBody> {
  switch (command.kind) {
    case 'load':
      return toEvent(command, await store.load(), (contents) => ({ kind: 'loaded', contents }));
    case 'raise-floor': {
      const { floor } = command;
      const answer = await store.raiseFloor(floor);
      return toEvent(command, answer, () => ({ kind: 'floor-raised', floor }));
    }
    case 'stage': {
      const { bundle, admission, checks } = command.admitted;
      const answer = await store.stage(bundle, admission, checks);
      const generation = toGeneration(command.admitted);
      return toEvent(command, answer, () => ({ kind: 'staged', generation }));
    }
    case 'record':
      return toEvent(command, await store.commit(command.bundle, command.at), () => ({
        kind: 'recorded',
      }));
    case 'quarantine':
      return toEvent(command, await store.quarantine(command.entry), () => ({
        kind: 'quarantined',
      }));
  }
}

// Effects on the kernel are never aborted, not even by a stop: the machine waits for what they did.
async function interpretEnforcing(
  ports: AgentPorts,
  command: Extract<
    Command,
    { kind: 'ask' | 'tell-head' | 'activate' | 'probe' | 'confirm' | 'restore' }
  >,
): Promise<EventBody> {
  const { clock, enforcer } = ports;
  const call = <T>(work: (signal: AbortSignal) => Promise<Result<T>>) =>
    within(clock, command, 'host/enforcer-unavailable', null, work);
  switch (command.kind) {
    case 'ask':
      return toEvent(command, await call(() => enforcer.status()), (status) => ({
        kind: 'asked',
        status,
      }));
    case 'tell-head':
      return toEvent(command, await call(() => enforcer.head(command.statements)), (status) => ({
        kind: 'head-told',
        status,
      }));
    case 'activate':
      return toEvent(command, await call(() => enforcer.activate(command.bundle)), (enforced) => ({
        kind: 'activated',
        enforced,
      }));
    case 'probe':
      return toEvent(command, await call((signal) => probeAll(ports, signal)), (seen) => ({
        kind: 'probed',
        ...seen,
      }));
    case 'confirm':
      return toEvent(command, await call(() => enforcer.confirm(command.digest)), (enforced) => ({
        kind: 'confirmed',
        enforced,
      }));
    case 'restore':
      return toEvent(command, await call(() => enforcer.restore(command.reason)), (enforced) => ({
        kind: 'restored',
        enforced,
      }));
    default:
      return unreachable(command);
  }
}

async function probeAll({ enforcer, probes }: AgentPorts, signal: AbortSignal) {
  const canary = await enforcer.probe();
  if (!canary.ok) return canary;
  return ok({ canary: canary.value, probes: await probes.run(signal) });
}

function toGeneration({ admission }: Admitted): Generation {
  const { digest, descriptor, trustFingerprint } = admission;
  return { digest, version: descriptor.version, trustFingerprint };
}

function toEvent<T>(
  command: Command,
  answer: Result<T>,
  toBody: (value: T) => EventBody,
): EventBody {
  if (answer.ok) return toBody(answer.value);
  return { kind: 'failed', of: command.kind, failure: answer.error };
}

// A reason of our own: the default one is an exception with a stack, made for every call.
const ANSWERED = 'answered';

/** Runs a call until it answers or its deadline passes, whichever is first. */
async function within<T>(
  clock: ClockPort,
  command: { readonly kind: string; readonly timeoutMs: number },
  code: ErrorCode,
  stop: AbortSignal | null,
  work: (signal: AbortSignal) => Promise<Result<T>>,
): Promise<Result<T>> {
  const deadline = new AbortController();
  const answered = new AbortController();
  const signal = stop === null ? deadline.signal : AbortSignal.any([stop, deadline.signal]);
  const late = clock.sleep(command.timeoutMs, answered.signal).then(() => {
    deadline.abort();
    return err(failure(code, `${command.kind} took over ${command.timeoutMs} ms`));
  });
  try {
    return await Promise.race([work(signal), late]);
  } finally {
    answered.abort(ANSWERED);
  }
}
