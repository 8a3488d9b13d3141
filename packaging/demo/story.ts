// What the demo shows, in order. Every chapter does something and says what it saw, or throws
// NotObserved; none believes what another one has seen.
//
// SPDX-License-Identifier: Apache-2.0

import type { AgentStatus, Outcome } from '../../src/core/status.ts';
import type { Lab } from '../../test/support/lab/lab.ts';
import type { PolicyFiles, Publication } from '../../test/support/lab/origin.ts';
import { append, appendSlowly, hardLink, kernelObjects, renameOver, watch } from './attempts.ts';
import { describe, generationOf, isEnforced, reason } from './evidence.ts';
import { OF_A_STRANGER, PATHS, VERSION_1, VERSION_2, VERSION_3 } from './policies.ts';
import { expect, type Observation } from './show.ts';

/** One line of the demo. */
export interface Chapter {
  readonly title: string;
  run(): Promise<Observation>;
}

/** The chapters, over one laboratory. */
export function tell(lab: Lab): readonly Chapter[] {
  const story = new Story(lab);
  const chapter = (title: string, run: () => Promise<Observation>) => ({ title, run });
  return [
    chapter('this host can enforce', () => story.canEnforce()),
    chapter('push v1 -> enforced', () => story.pushFirst()),
    chapter('root writes a protected file -> denied and explained', () => story.denied()),
    chapter('replaced by rename, reached by hard link -> denied', () => story.noWayAround()),
    chapter('push v2 -> swapped with no gap', () => story.swapped()),
    chapter('v3 with a flipped byte -> refused', () => story.flipped()),
    chapter('v4 signed by a stranger -> refused', () => story.stranger()),
    chapter('v1 published again as the newest -> refused', () => story.replayed()),
    chapter('v3, well signed, fails its activation check -> back to v2', () => story.restored()),
    chapter('all Warder processes killed -> still denied', () => story.killed()),
    chapter('Warder started again -> adopted, nothing made again', () => story.adopted()),
  ];
}

class Story {
  readonly #lab: Lab;
  readonly #published = new Map<number, Publication>();
  readonly #codes = new Set<string>();

  constructor(lab: Lab) {
    this.#lab = lab;
  }

  async canEnforce(): Promise<Observation> {
    const kernel = (await this.#guest.get('/proc/sys/kernel/osrelease')).toString().trim();
    const lsm = (await this.#guest.get('/sys/kernel/security/lsm')).toString().trim();
    const status = await this.#host.waitUntil(
      'the baseline is enforced',
      (it) => it.enforced?.kind === 'baseline',
    );
    const allowed = await append(this.#guest, PATHS.secrets);
    expect(allowed, 'root to change the secrets while no policy says no', { allowed });
    const generation = status.enforced?.kind === 'baseline' ? status.enforced.generation : 0;
    return {
      evidence: [`kernel ${kernel}`, `lsm=${lsm}`, `baseline in force, generation ${generation}`],
    };
  }

  async pushFirst(): Promise<Observation> {
    const { publication, status, seconds } = await this.#pushAndWait(
      1,
      VERSION_1,
      'Protect the secrets',
    );
    return {
      title: `push v1 -> enforced in ${seconds} s`,
      evidence: describe(publication, status),
    };
  }

  async denied(): Promise<Observation> {
    const allowed = await appendSlowly(this.#guest, PATHS.secrets);
    expect(!allowed, `tee -a ${PATHS.secrets} to be denied`, 'it was allowed');
    const explained = await this.#host.explain('last');
    const line = this.#published.get(1)?.commit.slice(0, 12) ?? '';
    expect(
      explained.includes('app-secrets/secrets') && explained.includes(line),
      `an explanation that names the rule and commit ${line}`,
      explained,
    );
    return {
      evidence: [`tee -a ${PATHS.secrets}: Permission denied`, 'warder explain last:'],
      details: explained.split('\n'),
    };
  }

  async noWayAround(): Promise<Observation> {
    const { secrets, replacement, oldLink, newLink, unprotected } = PATHS;
    const attempts = {
      'mv over it': await renameOver(this.#guest, replacement, secrets),
      'a link made before': await append(this.#guest, oldLink),
      'a new link': await hardLink(this.#guest, secrets, newLink),
    };
    const through = Object.entries(attempts).filter(([, allowed]) => allowed);
    expect(through.length === 0, 'every way to be denied', { allowed: through });
    const control = await append(this.#guest, unprotected);
    expect(control, 'the file beside it to stay writable', { allowed: control });
    const denials = Object.keys(attempts).map((it) => `${it}: denied`);
    return { evidence: [...denials, 'the file beside it: allowed'] };
  }

  async swapped(): Promise<Observation> {
    const before = generationOf(await this.#host.agentStatus());
    const free = await append(this.#guest, PATHS.settings);
    expect(free, 'the settings to be writable under v1', { allowed: free });
    const watcher = await watch(this.#guest, PATHS.secrets);
    const { publication, status, seconds } = await this.#pushAndWait(
      2,
      VERSION_2,
      'Protect the settings',
    );
    const { attempts, allowed } = await watcher.stop();
    expect(attempts > 0 && allowed === 0, 'no attempt to be allowed', { attempts, allowed });
    const settings = await append(this.#guest, PATHS.settings);
    expect(!settings, 'the settings to be protected by v2', 'they could be changed');
    return {
      title: `push v2 -> swapped in ${seconds} s with no gap`,
      evidence: [
        `generation ${before} -> ${generationOf(status)}`,
        `${attempts} attempts during the swap, 0 allowed`,
        ...describe(publication, status),
      ],
    };
  }

  async flipped(): Promise<Observation> {
    // Nobody knows the digest before the push, and the host may not see v3 as it is.
    this.#lab.lieAbout('everything');
    const publication = await this.#push(3, VERSION_3, 'Hide the folder');
    const outcome = await this.#refused(publication.digest, 'fetch/digest-mismatch');
    expect(this.#lab.proxy.flipped > 0, 'the registry to have lied', this.#lab.proxy.flipped);
    this.#lab.lieAbout(publication.digest);
    return { evidence: [...reason(outcome), 'v2 still enforced'] };
  }

  async stranger(): Promise<Observation> {
    const publication = await this.#lab.publishAsStranger(OF_A_STRANGER);
    const outcome = await this.#refused(publication.digest, 'verify/');
    return { evidence: [...reason(outcome), 'v2 still enforced'] };
  }

  async replayed(): Promise<Observation> {
    const { digest } = this.#publication(1);
    await this.#lab.moveChannel(digest);
    const outcome = await this.#refused(digest, 'verify/rollback');
    expect(this.#codes.size === 3, 'three different reasons', [...this.#codes]);
    return { evidence: [...reason(outcome), 'v2 still enforced'] };
  }

  async restored(): Promise<Observation> {
    const { digest } = this.#publication(3);
    this.#lab.lieAbout(null);
    await this.#lab.moveChannel(digest);
    const status = await this.#host.waitUntil(
      'v3 was tried and taken back',
      (it) => it.lastOutcome?.kind === 'restored' && it.lastOutcome.digest === digest,
    );
    this.#expectSecond(status);
    const health = await this.#guest.run(['cat', PATHS.health], { uid: 990 });
    expect(health.exitCode === 0, 'the health file to be readable again', health.stderr);
    const codes = (status.lastOutcome?.failures ?? []).map((it) => it.code);
    expect(codes.includes('confirm/health-failed'), 'confirm/health-failed', status.lastOutcome);
    return {
      evidence: [
        ...codes,
        ...(status.lastOutcome?.failures[0]?.causes ?? []),
        `version floor v${status.floor?.highestSeen}`,
        `v2 enforced again, generation ${generationOf(status)}`,
      ],
    };
  }

  async killed(): Promise<Observation> {
    const left = await this.#host.killAll();
    expect(left === 0, 'no process of Warder to be left', { left });
    const attempts = {
      secrets: await append(this.#guest, PATHS.secrets),
      settings: await append(this.#guest, PATHS.settings),
    };
    expect(!attempts.secrets && !attempts.settings, 'both files to stay protected', attempts);
    return { evidence: ['kill -9', '0 processes left', 'tee -a: Permission denied'] };
  }

  async adopted(): Promise<Observation> {
    const before = await kernelObjects(this.#guest);
    const last = await this.#host.agentStatus();
    await this.#host.start();
    const [status, { enforcing, enforcer }] = await Promise.all([
      this.#host.waitUntil(
        'the agent has polled again',
        (it) => it.lastOutcome?.digest != null && it.at > (last?.at ?? ''),
      ),
      this.#host.status(),
    ]);
    this.#expectSecond(status);
    const after = await kernelObjects(this.#guest);
    const same = JSON.stringify(before) === JSON.stringify(after);
    expect(same && before.links.length > 0, 'the same programs and links', { before, after });
    expect(enforcer?.adopted === true, 'the enforcer to have adopted', enforcer);
    expect(enforcing === 'yes', 'warder status to say that v2 is enforced', enforcer);
    const canaries = enforcer.canary?.results ?? [];
    const denied = canaries.filter((it) => it.outcome === 'denied').length;
    expect(
      generationOf(status) === generationOf(last),
      `generation ${generationOf(last)}`,
      status.enforced,
    );
    return {
      evidence: [
        `the same ${after.programs.length} programs and ${after.links.length} links`,
        `generation ${generationOf(status)}`,
        `v2 enforced, canary ${denied}/${canaries.length}`,
      ],
    };
  }

  async #pushAndWait(version: number, files: PolicyFiles, message: string) {
    const publication = await this.#push(version, files, message);
    const status = await this.#host.waitUntil(
      `v${version} is enforced`,
      (it) => isEnforced(it, publication.digest) && it.lastOutcome?.kind === 'activated',
    );
    const seconds = ((Date.now() - publication.pushedAtMs) / 1000).toFixed(1);
    return { publication, status, seconds };
  }

  async #push(version: number, files: PolicyFiles, message: string) {
    const publication = await this.#lab.origin.push(files, message);
    expect(publication.version === version, `version ${version}`, publication);
    this.#published.set(version, publication);
    return publication;
  }

  /** Waits until a bundle was refused for a reason, and checks that v2 is still enforced. */
  async #refused(digest: string, code: string): Promise<Outcome> {
    const status = await this.#host.waitUntil(
      `${digest} is refused with ${code}`,
      ({ lastOutcome: it }) =>
        it !== null && it.digest === digest && it.failures.some((one) => one.code.startsWith(code)),
    );
    this.#expectSecond(status);
    expect(status.lastOutcome !== null, 'an outcome', status);
    this.#codes.add(status.lastOutcome.failures[0]?.code ?? '');
    return status.lastOutcome;
  }

  #expectSecond(status: AgentStatus): void {
    expect(isEnforced(status, this.#publication(2).digest), 'v2 to be enforced', status.enforced);
  }

  #publication(version: number): Publication {
    const publication = this.#published.get(version);
    expect(publication !== undefined, `v${version} to be published`, [...this.#published.keys()]);
    return publication;
  }

  get #host() {
    return this.#lab.host;
  }

  get #guest() {
    return this.#lab.host.guest;
  }
}
