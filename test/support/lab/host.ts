// A Linux host that Warder protects: a guest with the enforcer (root) and the agent (user `warder`),
// configured as an administrator would.
//
// What the agent knows is read from its status file: starting a command in an emulated guest takes
// seconds, reading a file does not.
//
// SPDX-License-Identifier: Apache-2.0

import { setTimeout as delay } from 'node:timers/promises';
import type { DecisionEvent, EnforcerStatus } from '../../../src/core/enforcement.ts';
import type { AgentStatus } from '../../../src/core/status.ts';
import { bootGuest, type Guest, type GuestOptions, PATIENCE } from '../guest/guest.ts';
import type { GuestProcess } from '../guest/process.ts';

const AGENT_UID = 990;
const CONFIG_DIR = '/etc/warder';
const AGENT_STATUS = '/run/warder/agent/status.json';
const LOOK_EVERY_MS = 50;
// On an emulated kernel of the 7 series the verifier alone takes minutes.
const START_TIMEOUT_MS = 600_000;
const INSTALL_TIMEOUT_MS = 300_000;
const WAIT_TIMEOUT_MS = 120_000 * PATIENCE;
const LOG_LINES = 20;

/** Text of the three files in /etc/warder. */
export interface HostConfiguration {
  readonly trust: string;
  readonly enforcer: string;
  readonly agent: string;
}

/** What `warder status` answers. */
export interface HostStatus {
  readonly enforcing: 'yes' | 'unproven' | 'no' | 'unknown';
  readonly enforcer?: EnforcerStatus;
  readonly agent: AgentStatus | null;
}

/** Boots a host on which nothing of Warder runs yet. An ext4 `disk` is mounted at /disk. */
export async function bootHost(
  disk: string,
  options: Pick<GuestOptions, 'series' | 'disks'> = {},
): Promise<LabHost> {
  return new LabHost(await bootGuest({ disk, ...options }));
}

/** A host and the two processes on it. */
export class LabHost {
  readonly guest: Guest;
  #enforcer: GuestProcess | null = null;
  #agent: GuestProcess | null = null;
  #logs = '';

  constructor(guest: Guest) {
    this.guest = guest;
  }

  /** Writes the configuration, and makes the folders that a package would make. */
  async configure(files: HostConfiguration, stateDir: string): Promise<void> {
    await this.guest.sh(
      `mkdir -p ${CONFIG_DIR} ${stateDir}/agent /run/warder/agent
       chown 0:0 ${stateDir}; chmod 755 ${stateDir}
       chown ${AGENT_UID}:${AGENT_UID} ${stateDir}/agent /run/warder/agent`,
    );
    for (const [name, text] of Object.entries(files)) {
      await this.guest.put(`${CONFIG_DIR}/${name}.yaml`, text);
    }
  }

  /** Runs a shell script as root that must end well. */
  async install(script: string): Promise<void> {
    // As a file: a script may be longer than an argument.
    const file = '/run/install.sh';
    await this.guest.put(file, script);
    const run = await this.guest.run(['sh', '-e', file], { timeoutMs: INSTALL_TIMEOUT_MS });
    const { exitCode, stderr, timedOut } = run;
    if (exitCode !== 0)
      throw new Error(`the host could not be prepared${timedOut ? ' in time' : ''}: ${stderr}`);
  }

  /** Starts both, and waits until the enforcer has said what it enforces; the agent waits for it too. */
  async start(): Promise<string> {
    const [enforced] = await Promise.all([this.startEnforcer(), this.startAgent()]);
    return enforced;
  }

  /** Starts the enforcer, and waits until it has said what it enforces. */
  async startEnforcer(config = 'enforcer.yaml'): Promise<string> {
    const args = ['warder-enforcer', '--config', `${CONFIG_DIR}/${config}`];
    this.#enforcer = await this.guest.spawn(args);
    const started = await this.#enforcer.waitFor(/"enforcing: (\w+)"/, START_TIMEOUT_MS);
    return started[1] ?? '';
  }

  /** Starts the agent; what it does is seen in its status. */
  async startAgent(): Promise<void> {
    const args = ['warder', 'agent', '--config', `${CONFIG_DIR}/agent.yaml`];
    this.#agent = await this.guest.spawn(args, { uid: AGENT_UID });
  }

  /** Sends a signal to the enforcer; with SIGKILL it is gone when this answers. */
  async signalEnforcer(signal: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): Promise<void> {
    await this.#enforcer?.kill(signal);
    if (signal === 'SIGKILL') await this.#enforcer?.done;
  }

  /** Kills both at once, as a crash or an attacker would; answers how many processes were left. */
  async killAll(): Promise<number> {
    for (const process of [this.#enforcer, this.#agent]) {
      await process?.kill('SIGKILL');
      await process?.done;
    }
    this.#logs = this.logs;
    const left = await this.guest.run(['pgrep', '-f', '/opt/warder/']);
    return left.stdout.split('\n').filter((it) => it !== '').length;
  }

  /** The agent's status file; null before it has written one. */
  async agentStatus(): Promise<AgentStatus | null> {
    try {
      return JSON.parse((await this.guest.get(AGENT_STATUS)).toString()) as AgentStatus;
    } catch (cause) {
      // Not there yet.
      if (cause instanceof Error && /No such file/.test(cause.message)) return null;
      throw cause;
    }
  }

  /** Waits for what the agent reports; fails with what it reported last. */
  async waitUntil(
    what: string,
    condition: (status: AgentStatus) => boolean,
    timeoutMs = WAIT_TIMEOUT_MS,
  ): Promise<AgentStatus> {
    const endMs = performance.now() + timeoutMs;
    for (;;) {
      const status = await this.agentStatus();
      if (status !== null && condition(status)) return status;
      if (performance.now() > endMs) {
        throw new Error(
          `not seen within ${timeoutMs / 1000} s: ${what}\n${describe(status)}\n${this.logs}`,
        );
      }
      await delay(LOOK_EVERY_MS);
    }
  }

  /** `warder status`. */
  async status(): Promise<HostStatus> {
    return (await this.#warder(['status'])) as HostStatus;
  }

  /** `warder events`: the newest, newest last. */
  async events(limit: number): Promise<readonly DecisionEvent[]> {
    const document = (await this.#warder(['events', '-n', String(limit)])) as {
      readonly events: readonly DecisionEvent[];
    };
    return document.events;
  }

  /** `warder explain EVENT|last`, as a person reads it. */
  async explain(event: string): Promise<string> {
    const { exitCode, stdout, stderr } = await this.guest.run(['warder', 'explain', event]);
    if (exitCode !== 0) throw new Error(`warder explain ended with ${exitCode}: ${stderr}`);
    return stdout.trimEnd();
  }

  /** The last lines that enforcer and agent have written. */
  get logs(): string {
    const tail = (name: string, process: GuestProcess | null) =>
      `${process?.stdout ?? ''}${process?.stderr ?? ''}`
        .split('\n')
        .filter((it) => it !== '')
        .slice(-LOG_LINES)
        .map((it) => `${name}: ${it}\n`)
        .join('');
    return `${this.#logs}${tail('enforcer', this.#enforcer)}${tail('agent', this.#agent)}`;
  }

  async #warder(args: readonly string[]): Promise<unknown> {
    const { stdout, stderr } = await this.guest.run(['warder', ...args, '-o', 'json']);
    if (stdout === '') throw new Error(`warder ${args.join(' ')} printed nothing: ${stderr}`);
    return JSON.parse(stdout);
  }
}

function describe(status: AgentStatus | null): string {
  if (status === null) return 'the agent has not written a status';
  const { enforced, lastOutcome, lastRefusal } = status;
  return `the agent's status: ${JSON.stringify({ enforced, lastOutcome, lastRefusal }, null, 2)}`;
}
