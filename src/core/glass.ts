// Break-glass as people and the enforcer speak of it: a host asks for an order, keys that the trust policy
// names for it sign one, and the host uses it once. Ending enforcement altogether is an order too.
//
// Times that decide are boot times: nobody can set that clock, and it runs while the host sleeps.
//
// SPDX-License-Identifier: Apache-2.0

/** What a host says of itself, for whoever signs. */
export interface GlassRequest {
  /** The host's own id, made when it first asked. */
  readonly host: string;
  readonly boot: string;
  /** Known to this host only, and good for one order. */
  readonly nonce: string;
  /** For people; no decision depends on it. */
  readonly askedAt: string;
}

/** Which host and which request an order answers. */
export interface GlassPlace {
  readonly host: string;
  readonly boot: string;
  readonly nonce: string;
}

/** Lets go of rules for a while. */
export interface RelaxOrder extends GlassPlace {
  readonly action: 'relax';
  /** Ids, `policy/rule`; empty with a control group: every rule of the bundle. */
  readonly rules: readonly string[];
  /** Only for processes in it or below it; null: for every process. */
  readonly cgroup: string | null;
  readonly minutes: number;
  readonly reason: string;
}

/** Ends enforcement on the host. */
export interface DisableOrder extends GlassPlace {
  readonly action: 'disable';
  readonly reason: string;
}

export type GlassOrder = RelaxOrder | DisableOrder;

/** An order that was used here. */
export interface GlassRecord {
  /** Names it in events. */
  readonly id: string;
  readonly order: GlassOrder;
  /** Ids of the keys that counted. */
  readonly signers: readonly string[];
  /** Who handed it over. */
  readonly by: string;
  readonly usedAt: string;
  /** Boot time in milliseconds; 0 for an order to disable. */
  readonly untilMs: number;
  /** Somebody ended it before its time. */
  readonly ended: { readonly by: string; readonly at: string } | null;
}

/** One that is in use now. */
export interface GlassInUse extends GlassRecord {
  readonly leftMs: number;
}

/** Requests that wait for their order; the oldest make room. */
export const GLASS_REQUESTS_MAX = 16;
/** How long an order may take, from the request on, in boot time. */
export const GLASS_REQUEST_AGE_MS = 24 * 3_600_000;
/** The most that a trust policy may grant, and what it grants without a number. */
export const GLASS_MINUTES_MAX = 1440;
export const GLASS_MINUTES_DEFAULT = 60;
