// Break-glass on this host: asks, takes an order, and tells the kernel. It works with no network and
// without the agent: everything it needs is the trust policy in force and this process.
//
// Invariants: a nonce is spent on the disk before the kernel hears of the order; the end stands in the
// kernel (wd_glass.until_ns) and nobody has to live for it; one order at a time; rules of the baseline are
// never among the bits. Nothing here depends on how many denials there are.
//
// SPDX-License-Identifier: Apache-2.0

import { randomBytes, randomUUID } from 'node:crypto';
import { tokenId } from '../core/enforcer/explain.ts';
import type { KernelGlass } from '../core/enforcer/kernel.ts';
import type { GenerationRow } from '../core/enforcer/startup.ts';
import type { GlassInUse, GlassOrder, GlassRecord, GlassRequest } from '../core/glass.ts';
import { err, failure, ok, type Result } from '../core/result.ts';
import {
  asRelax,
  checkMinutes,
  checkOrderSigners,
  checkPlace,
  chooseRules,
  notConfigured,
  rulesMeant,
} from '../core/verify/glass.ts';
import { glassToken, parseOrder } from '../wire/glass.ts';
import type { AdmissionOptions } from './admission.ts';
import type { Alerts } from './alerts.ts';
import type { KernelPort } from './kernel-port.ts';

const MINUTE_MS = 60_000;
const NS_PER_MS = 1_000_000n;
const LISTED = 100;

/** What break-glass needs. */
export interface BreakGlassOptions {
  readonly kernel: Pick<KernelPort, 'setGlass'>;
  readonly admission: Pick<AdmissionOptions, 'store' | 'verifier' | 'trust' | 'clock'>;
  readonly alerts: Alerts;
  readonly bootId: string;
  /** Boot time, sleep included. */
  readonly uptimeMs: () => number;
  /** A control group of the unified hierarchy as the kernel knows it; null: there is none. */
  readonly findGroup: (path: string) => KernelGlass['cgroup'];
}

/** An order that is good here and now; its nonce is not spent yet. */
interface GoodOrder {
  readonly order: GlassOrder;
  readonly token: bigint;
  readonly signers: readonly string[];
}

/** Requests, orders, and what is in use. */
export class BreakGlass {
  readonly #options: BreakGlassOptions;

  constructor(options: BreakGlassOptions) {
    this.#options = options;
  }

  /** A new request: what somebody signs an order for. */
  ask(): Result<GlassRequest> {
    const { bootId, uptimeMs, admission } = this.#options;
    const { trust } = admission;
    if (trust.breakGlass === null) return err(notConfigured(trust.version));
    const known = this.#store.read('hostId');
    const host = known ?? randomUUID();
    const named = known === null ? this.#store.write({ hostId: host }) : ok(undefined);
    if (!named.ok) return named;
    const nonce = randomBytes(16).toString('hex');
    const asked = this.#store.glass.ask(nonce, bootId, uptimeMs());
    return asked.ok ? ok({ host, boot: bootId, nonce, askedAt: this.#now() }) : asked;
  }

  /** Uses an order for the generation in force. */
  async use(
    statements: readonly Uint8Array[],
    by: string,
    row: GenerationRow | null,
  ): Promise<Result<GlassInUse>> {
    const good = await this.#judge(statements);
    const relax = good.ok ? asRelax(good.value.order) : good;
    if (!good.ok || !relax.ok) return relax as Result<never>;
    const order = relax.value;
    const long = checkMinutes(order, this.#options.admission.trust);
    if (long !== null) return err(long);
    const rules = chooseRules(order, row?.rules ?? []);
    if (!rules.ok) return rules;
    if (order.cgroup !== null && this.#options.findGroup(order.cgroup) === null) {
      return err(failure('glass/cgroup-unknown', `there is no control group ${order.cgroup}`));
    }
    const other = this.inUse();
    if (other !== null) {
      const hints = ['warder break-glass end'];
      return err(failure('glass/in-use', `order ${other.id} is in use`, { hints }));
    }
    const untilMs = this.#options.uptimeMs() + order.minutes * MINUTE_MS;
    const spent = this.#spend(good.value, by, untilMs);
    if (!spent.ok) return spent;
    const applied = this.#apply(row);
    if (!applied.ok) return applied;
    return ok({ ...spent.value, leftMs: order.minutes * MINUTE_MS });
  }

  /** Spends an order to disable. */
  async takeDisable(statements: readonly Uint8Array[], by: string): Promise<Result<GlassRecord>> {
    const good = await this.#judge(statements);
    if (!good.ok) return good;
    if (good.value.order.action === 'disable') return this.#spend(good.value, by, 0);
    return err(
      failure('glass/wrong-action', 'the order relaxes rules', {
        hints: ['warder break-glass use FILE'],
      }),
    );
  }

  /** Ends what is in use, before its time. */
  end(by: string): Result<GlassInUse> {
    const now = this.inUse();
    if (now === null) return err(failure('glass/not-in-use', 'no break-glass is in use'));
    // First the kernel: what cannot be recorded must end all the same.
    const cleared = this.#options.kernel.setGlass(null);
    if (!cleared.ok) return cleared;
    this.#options.alerts.clear('glass/in-use');
    const { leftMs: _leftMs, ...record } = now;
    const recorded = this.#store.glass.put({ ...record, ended: { by, at: this.#now() } });
    return recorded.ok ? ok(now) : recorded;
  }

  /** Goes over to this generation: the bits of rules are its own. What cannot be written relaxes nothing. */
  follow(row: GenerationRow): void {
    const applied = this.#apply(row);
    if (!applied.ok) this.#options.alerts.raise(applied.error);
  }

  #apply(row: GenerationRow | null): Result<void> {
    const { kernel, alerts, findGroup } = this.#options;
    const now = this.inUse();
    if (now === null || now.order.action !== 'relax' || row === null) {
      alerts.clear('glass/in-use');
      return kernel.setGlass(null);
    }
    const { order } = now;
    const cgroup = order.cgroup === null ? null : findGroup(order.cgroup);
    // A control group that is gone has nobody in it.
    if (order.cgroup !== null && cgroup === null) return kernel.setGlass(null);
    alerts.raise(
      failure('glass/in-use', `order ${now.id} relaxes rules: ${order.reason}`, {
        causes: [`signed by ${now.signers.join(', ')}`, `used by ${now.by} at ${now.usedAt}`],
        hints: ['warder break-glass end'],
      }),
    );
    return kernel.setGlass({
      token: BigInt(`0x${now.id}`),
      untilNs: BigInt(Math.floor(now.untilMs)) * NS_PER_MS,
      generation: row.generation,
      cgroup,
      rules: rulesMeant(order, row.rules),
    });
  }

  /** What is in use at this moment, or null. */
  inUse(): GlassInUse | null {
    const { bootId, uptimeMs, alerts } = this.#options;
    const now = uptimeMs();
    const found = this.list().find(
      ({ order, ended, untilMs }) => order.boot === bootId && ended === null && untilMs > now,
    );
    if (found !== undefined) return { ...found, leftMs: Math.ceil(found.untilMs - now) };
    alerts.clear('glass/in-use');
    return null;
  }

  /** What was used on this host, the newest first. */
  list(): readonly GlassRecord[] {
    return this.#store.glass.list(LISTED);
  }

  async #judge(statements: readonly Uint8Array[]): Promise<Result<GoodOrder>> {
    const { admission, bootId, uptimeMs } = this.#options;
    const { trust, verifier } = admission;
    if (trust.breakGlass === null) return err(notConfigured(trust.version));
    const facts = await verifier.read(statements, trust);
    if (!facts.ok) return facts;
    const signed = checkOrderSigners(facts.value, trust);
    if (!signed.ok) return signed;
    const { document, signers } = signed.value;
    const order = parseOrder(new TextEncoder().encode(document));
    if (!order.ok) return order;
    const here = { host: this.#store.read('hostId'), boot: bootId, nowMs: uptimeMs() };
    const wrong = checkPlace(order.value, here, this.#store.glass.find(order.value.nonce));
    if (wrong !== null) return err(wrong);
    return ok({ order: order.value, token: glassToken(document), signers });
  }

  #spend({ order, token, signers }: GoodOrder, by: string, untilMs: number): Result<GlassRecord> {
    const id = tokenId(token);
    const record = { id, order, signers, by, usedAt: this.#now(), untilMs, ended: null };
    const put = this.#store.glass.put(record);
    return put.ok ? ok(record) : put;
  }

  #now(): string {
    return new Date(this.#options.admission.clock.nowMs()).toISOString();
  }

  get #store() {
    return this.#options.admission.store;
  }
}
