// The invariants of src/core/machine/step.ts, looked at from outside: by what the agent does to the
// world, not by what it remembers. Each method names the invariant that it guards.
//
// SPDX-License-Identifier: Apache-2.0

import type { Machine } from '../../src/controller/run.ts';
import type { Digest } from '../../src/core/digest.ts';
import { isFresh } from '../../src/core/head.ts';
import type { Event, State } from '../../src/core/machine/state.ts';
import type { Result } from '../../src/core/result.ts';
import type { Outcome } from '../../src/core/status.ts';
import { demandsHead } from '../../src/core/verify/head.ts';
import { Violation, type World } from './fakes.ts';

export class Checker {
  readonly #world: World;
  #floor = 0;
  #highest = 0;
  #sequence = 0;
  #asked = false;
  #outcomes = 0;
  #polls = false;
  #started = false;
  #inFlight = 0;
  /** Generation numbers whose canary and probes were all seen to pass, and those seen to fail. */
  readonly #canaryPassed = new Set<number>();
  readonly #passed = new Set<number>();
  readonly #failed = new Set<number>();

  constructor(world: World) {
    this.#world = world;
    world.onCall = (name, digest) => this.#before(name, digest);
    world.onReport = (outcome) => this.#reports(outcome);
    world.onDone = (name, _digest, answer) => this.#after(name, answer);
  }

  /** Checks the state after every step of the machine. */
  watch(machine: Machine): Machine {
    return {
      ...machine,
      step: (state, event) => {
        const next = machine.step(state, event);
        this.#memory(state, next.state, event);
        return next;
      },
    };
  }

  begin(): void {
    this.#asked = false;
    this.#outcomes = 0;
    this.#polls = false;
    this.#started = true;
    this.#inFlight = 0;
  }

  // Memory of what was seen dies with the process.
  crashed(): void {
    this.#passed.clear();
    this.#canaryPassed.clear();
    this.#failed.clear();
  }

  // I9: a poll that ended was reported, once. The start reports no outcome.
  waits(): void {
    if (this.#polls && this.#outcomes !== 1) fail('I9', `${this.#outcomes} outcomes of one poll`);
    this.#polls = true;
    this.#started = false;
    this.#outcomes = 0;
    this.#asked = false;
  }

  // Counts what the agent tried to tell; whether it could is another matter.
  #reports(outcome: Outcome | null): void {
    if (outcome !== null) this.#outcomes += 1;
  }

  #before(name: string, digest: Digest | null): void {
    const world = this.#world;
    this.#inFlight += 1;
    if (this.#inFlight > 1) fail('I9', `${name} while another call runs`);
    if (name === 'enforcer.status') this.#asked = true;
    const acts = /^(registry\.|enforcer\.(activate|probe|confirm|restore)|store\.(stage|commit))/;
    if (acts.test(name) && !this.#asked) fail('I7', `${name} before asking what is enforced`);
    if (name === 'registry.fetch' && digest !== null) this.#fetch(digest);
    if (name === 'enforcer.activate' && digest !== null) this.#activate(digest);
    if (name === 'enforcer.confirm') this.#confirm();
    if (name === 'enforcer.restore') {
      const { enforced } = world;
      if (enforced.kind !== 'bundle' || enforced.confirmed)
        fail('I6', 'restored what is confirmed');
    }
    if (name === 'store.commit' && digest !== null) {
      if (!world.disk.generations.some((it) => it.digest === digest)) {
        fail('I2', 'active became a digest that was never admitted');
      }
      const { enforced } = world;
      const is = enforced.kind === 'bundle' && enforced.confirmed ? enforced.bundle.digest : null;
      if (is !== digest) fail('I4', 'recorded what is not enforced');
    }
  }

  #fetch(digest: Digest): void {
    const { disk, enforced, hold, nowMs } = this.#world;
    if (disk.quarantine.some((it) => it.digest === digest && it.retryAfterMs > nowMs)) {
      fail('C11', 'fetched a digest in quarantine');
    }
    if (hold?.digest === digest) fail('I8', 'fetched what was rolled away from');
    const known = disk.generations.some((it) => it.digest === digest);
    if (enforced.kind === 'bundle' && enforced.confirmed && enforced.bundle.digest === digest) {
      if (known) fail('C13', 'fetched what is enforced and admitted');
    }
  }

  #activate(digest: Digest): void {
    const world = this.#world;
    const bundle = world.bundle(digest);
    if (!bundle.signed) fail('I1', 'activated what has no good signature');
    if ((world.disk.floor?.highestSeen ?? 0) < bundle.version) fail('I3', 'floor after the kernel');
    if (!world.evidence.has(digest)) fail('I3', 'kernel before the evidence');
    if (world.hold !== null && bundle.version <= world.hold.version) fail('I8', 'hold broken');
    const demanded = demandsHead(world.trust, { repository: 'r/p', channel: 'c' });
    if (demanded === null) return;
    const { seenHead: head, nowMs } = world;
    if (head?.digest !== digest) fail('I10', 'activated what no head names');
    if (!isFresh(head, demanded.freshness.maxAgeMs, nowMs)) fail('I10', 'went by an old head');
  }

  #confirm(): void {
    const { generation } = this.#world;
    if (this.#failed.has(generation)) fail('I5', 'confirmed what failed its health');
    if (!this.#passed.has(generation)) fail('I5', 'confirmed what was not probed');
  }

  #after(name: string, answer: Result<unknown>): void {
    const world = this.#world;
    this.#inFlight -= 1;
    this.#levels();
    if (name === 'enforcer.probe') this.#seenCanary(world, answer);
    if (name === 'probes.run') this.#seenProbes(world, answer);
  }

  #seenCanary(world: World, answer: Result<unknown>): void {
    const report = answer as Result<{ healthy: boolean }>;
    const healthy = report.ok && report.value.healthy;
    if (healthy) this.#canaryPassed.add(world.generation);
    else this.#failed.add(world.generation);
  }

  #seenProbes(world: World, answer: Result<unknown>): void {
    const reports = answer as Result<readonly { outcome: string }[]>;
    const passed = reports.ok && reports.value.every((it) => it.outcome === 'passed');
    if (!passed) this.#failed.add(world.generation);
    else if (this.#canaryPassed.has(world.generation)) this.#passed.add(world.generation);
  }

  // I1, I2: what survives a crash, after every call.
  #levels(): void {
    const { disk, highestSeen, enforced } = this.#world;
    const floor = disk.floor?.highestSeen ?? 0;
    if (floor < this.#floor) fail('I2', 'the floor on the disk fell');
    if ((highestSeen ?? 0) < this.#highest) fail('I2', 'highestSeen fell');
    this.#floor = floor;
    this.#highest = highestSeen ?? 0;
    const sequence = this.#world.seenHead?.sequence ?? 0;
    if (sequence < this.#sequence) fail('I10', 'the head went back');
    this.#sequence = sequence;
    if (enforced.kind === 'bundle' && !this.#world.evidence.has(enforced.bundle.digest)) {
      fail('I1', 'what is enforced was never admitted');
    }
  }

  // I4: memory is never ahead of the disk.
  #memory(before: State, after: State, event: Event): void {
    const { disk } = this.#world;
    const floor = after.store?.floor?.highestSeen ?? 0;
    if (floor > (disk.floor?.highestSeen ?? 0)) fail('I4', `floor in memory only, ${event.kind}`);
    const active = after.store?.active ?? null;
    if (active !== (before.store?.active ?? null) && active !== disk.active) {
      fail('I4', `active in memory only, ${event.kind}`);
    }
  }

  /** Without faults the newest good bundle is enforced, confirmed, recorded and admitted. */
  converged(): void {
    if (this.#started) fail('end', 'the agent never got past its start');
    const why = this.#notConverged();
    if (why !== null) fail('end', why);
  }

  isConverged(): boolean {
    return this.#notConverged() === null;
  }

  #notConverged(): string | null {
    const { enforced, disk, offered } = this.#world;
    if (enforced.kind !== 'bundle') return `enforced is ${enforced.kind}`;
    if (!enforced.confirmed) return 'what is enforced was never confirmed';
    if (enforced.bundle.digest !== offered) return 'the newest good bundle is not enforced';
    return disk.active === offered ? null : 'what is enforced is not recorded';
  }
}

function fail(id: string, what: string): never {
  throw new Violation(`${id}: ${what}`);
}
