// A kernel for the tests of the enforcer, by this contract:
//
//  - Pins outlive the process: `open` adopts them, `close` and a crash leave them, `reboot` and
//    `disable` end them.
//  - A bank that is committed is never filled or cleared (code `committed` of the loader). A bank holds
//    exactly the bytes it was filled with until it is filled again or cleared.
//  - `commit` of a bank that holds nothing is refused; otherwise it is one step.
//  - Identities are those of the real file system, in another numbering than stat's, so that a stat
//    number that is used by mistake is noticed.
//  - `scan` answers the regular files below a directory that have more than one link, each name of them
//    once; it counts names, refuses more than it may visit, follows no link and enters no other device.
//    Nothing that is committed keeps it from listing. It goes by path: trees of the tests are shallow.
//  - A canary is denied with EACCES when the committed `objects` have the identity of the directory it
//    is in with a tree label; then one event of the committed generation is emitted and counted.
//  - Break-glass is kept as it was set, and relaxes nothing here.
//  - Faults are set by the test through `faults`, and each says how often it fired.
//
// SPDX-License-Identifier: Apache-2.0

import { lstatSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type {
  CanaryTry,
  HostFacts,
  KernelGlass,
  KernelProgram,
  PackedImage,
  PathFact,
  TreeScan,
} from '../../src/core/enforcer/kernel.ts';
import type { Identity } from '../../src/core/image/resolution.ts';
import { OPERATIONS, type Operation } from '../../src/core/policy/document.ts';
import { err, failure, ok, type Result } from '../../src/core/result.ts';
import type { KernelPort } from '../../src/enforcer/kernel-port.ts';
import { packIdentity, unpackHeader } from '../../src/wire/abi.ts';

const EACCES = 13;
const BANKS = 4;
const OBJECT_ROW_BYTES = 48;
const TREE_OFFSET = 28;
const EVENT_BYTES = 1192;

interface Attempt {
  readonly hook: string;
  readonly hookId: number;
  readonly operation: Operation;
}

const ATTEMPTS: Readonly<Record<string, Attempt>> = {
  'open-read': { hook: 'file_open', hookId: 1, operation: 'read' },
  'open-write': { hook: 'file_open', hookId: 1, operation: 'write' },
  create: { hook: 'inode_create', hookId: 8, operation: 'create' },
  link: { hook: 'inode_link', hookId: 9, operation: 'link' },
  unlink: { hook: 'inode_unlink', hookId: 10, operation: 'delete' },
  symlink: { hook: 'inode_symlink', hookId: 11, operation: 'create' },
  mkdir: { hook: 'inode_mkdir', hookId: 12, operation: 'create' },
  rmdir: { hook: 'inode_rmdir', hookId: 13, operation: 'delete' },
  mknod: { hook: 'inode_mknod', hookId: 14, operation: 'create' },
  rename: { hook: 'inode_rename', hookId: 15, operation: 'rename' },
  chmod: { hook: 'inode_setattr', hookId: 16, operation: 'setattr' },
  truncate: { hook: 'inode_setattr', hookId: 16, operation: 'write' },
  setxattr: { hook: 'inode_setxattr', hookId: 17, operation: 'setattr' },
  removexattr: { hook: 'inode_removexattr', hookId: 18, operation: 'setattr' },
};

/** What a test can make go wrong. */
export interface Faults {
  /** The next calls of these names fail. */
  readonly failing: Set<keyof KernelPort>;
  /** Errno by canary op, in place of what the committed image says; -1 is no answer. */
  readonly errnos: Map<string, number>;
  /** Hooks whose link is gone. */
  readonly unpinned: Set<string>;
  /** Links that somebody else holds when the pins are taken away. */
  linksAlive: number;
  loseEvents: boolean;
  eventGeneration: number | null;
  repeatEvents: boolean;
  countDenials: boolean;
  /** A bit of what is filled changes on its way. */
  corruptFill: boolean;
  fired: number;
}

/** The programs that this kernel has. */
export function fakePrograms(change: Partial<Record<string, KernelProgram['state']>> = {}) {
  const hooks = new Map<string, number>();
  for (const { hook, operation } of Object.values(ATTEMPTS)) {
    const bit = 1 << (OPERATIONS.indexOf(operation) + 1);
    hooks.set(hook, (hooks.get(hook) ?? 0) | bit);
  }
  hooks.set('bprm_check_security', 1 << (OPERATIONS.indexOf('execute') + 1));
  return [...hooks].map(
    ([hook, ops], index): KernelProgram => ({
      program: hook,
      hook,
      hookId: index + 1,
      ops,
      onlyIfPresent: false,
      state: change[hook] ?? 'attached',
      detail: '',
    }),
  );
}

/** The fake; it survives the process that uses it. */
export class FakeKernel implements KernelPort {
  readonly faults: Faults = {
    failing: new Set(),
    errnos: new Map(),
    unpinned: new Set(),
    linksAlive: 0,
    loseEvents: false,
    eventGeneration: null,
    repeatEvents: false,
    countDenials: true,
    corruptFill: false,
    fired: 0,
  };
  readonly calls: string[] = [];
  programs: readonly KernelProgram[] = fakePrograms();
  release = '6.1.0-fake';
  childPpid = process.pid;
  /** fs-verity digests by path. */
  readonly verity = new Map<string, string>();
  #pinned = false;
  #isOpen = false;
  #banks: (PackedImage | null)[] = Array.from({ length: BANKS }, () => null);
  #committed: number | null = null;
  #mapId = 100;
  #glass: KernelGlass | null = null;
  #ring: Uint8Array[] = [];
  #counters = { sequence: 0, emitted: 0, dropped: 0, denied: 0, audited: 0, incomplete: 0, let: 0 };

  /** A new boot: nothing is pinned, numbers start again. */
  reboot(): void {
    this.#unload();
  }

  /** Is anything enforced, whoever runs? */
  get enforces(): number | null {
    const image = this.#committed === null ? null : this.#banks[this.#committed];
    return image == null ? null : (unpackHeader(image.header)?.generation ?? null);
  }

  /** Somebody puts another map with the same content in the place of the committed one. */
  swapMap(): void {
    this.#mapId += 1;
  }

  /** The bank of the current generation. */
  get committedBank(): number | null {
    return this.#committed;
  }

  /** Somebody else's denial, for the event path. */
  emit(operation: Operation, change: { rule: number; tgid?: number; names?: string[] }): void {
    this.#deny({ hook: 'file_open', hookId: 1, operation }, this.enforces ?? 0, {
      rule: change.rule,
      ppid: 1,
      tgid: change.tgid ?? 4_000_000,
      names: change.names ?? ['shadow', 'etc', '/'],
    });
  }

  /** Events that nobody has read yet. */
  get waiting(): number {
    return this.#ring.length;
  }

  probeHost(): HostFacts {
    return {
      release: this.release,
      btf: true,
      lsm: ['lockdown', 'bpf'],
      bpffs: true,
      capabilities: ['CAP_BPF', 'CAP_PERFMON', 'CAP_SYS_ADMIN', 'CAP_DAC_READ_SEARCH'],
      lockdown: 'none',
      preemption: 'voluntary',
      hooks: this.programs.map(({ hook, program, ops, onlyIfPresent }) => ({
        ...{ hook, program, ops, onlyIfPresent },
        nargs: 1,
      })),
    };
  }

  open(): Result<{ adopted: boolean; programs: readonly KernelProgram[] }> {
    return this.#call('open', () => {
      const adopted = this.#pinned;
      this.#pinned = true;
      this.#isOpen = true;
      return ok({ adopted, programs: this.programs });
    });
  }

  resolve(path: string, follow: boolean): Result<PathFact | null> {
    return this.#call('resolve', () => {
      const options = { bigint: true, throwIfNoEntry: false } as const;
      const stat = follow ? statSync(path, options) : lstatSync(path, options);
      if (stat === undefined) return ok(null);
      return ok({
        dev: Number(stat.dev % 65_536n) + 1,
        ino: stat.ino + 1_000_000n,
        gen: 7,
        sub: 0n,
        nlink: Number(stat.nlink),
        mode: Number(stat.mode),
        magic: 1n,
        folds: false,
      });
    });
  }

  measureVerity(path: string): Result<string | null> {
    return ok(this.verity.get(path) ?? null);
  }

  scan(root: string, entriesMax: number): Result<TreeScan> {
    return this.#call('scan', () => {
      const identities: Identity[] = [];
      const device = lstatSync(root).dev;
      const waiting = [root];
      let entries = 0;
      for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
        const stat = lstatSync(at);
        if (!stat.isDirectory() || stat.dev !== device) continue;
        for (const entry of readdirSync(at, { withFileTypes: true })) {
          entries += 1;
          const path = join(at, entry.name);
          if (entry.isDirectory()) waiting.push(path);
          const fact = entry.isFile() ? this.resolve(path, false) : ok(null);
          if (fact.ok && fact.value !== null && fact.value.nlink > 1) identities.push(fact.value);
        }
        if (entries > entriesMax) return err(failure('stage/tree-too-large', 'too many entries'));
      }
      return ok({ identities, entries });
    });
  }

  fill(bank: number, image: PackedImage): Result<void> {
    return this.#call('fill', () => {
      if (bank === this.#committed) return refuse('committed');
      const header = image.header.slice();
      if (this.faults.corruptFill) header[100] = (header[100] ?? 0) ^ 1;
      const { objects, names, labels, exempt, groups } = image;
      this.#banks[bank] = {
        header,
        objects: objects.slice(),
        names: names.slice(),
        labels: labels.slice(),
        exempt: exempt.slice(),
        groups: groups.slice(),
      };
      return ok(undefined);
    });
  }

  readBack(bank: number): Result<PackedImage | null> {
    return this.#call('readBack', () => ok(this.#banks[bank] ?? null));
  }

  commit(bank: number): Result<void> {
    return this.#call('commit', () => {
      if (this.#banks[bank] == null) return refuse('bank-empty');
      this.#committed = bank;
      this.#mapId += 1;
      return ok(undefined);
    });
  }

  committed() {
    return this.#call('committed', () => {
      const image = this.#committed === null ? null : this.#banks[this.#committed];
      const header = image == null ? null : unpackHeader(image.header);
      if (header === null) return ok(null);
      const { bank, generation, digest } = header;
      return ok({ bank, generation, imageDigest: digest, mapIds: [this.#mapId] });
    });
  }

  clear(bank: number): Result<void> {
    return this.#call('clear', () => {
      if (bank === this.#committed) return refuse('committed');
      this.#banks[bank] = null;
      return ok(undefined);
    });
  }

  setGlass(glass: KernelGlass | null): Result<void> {
    return this.#call('setGlass', () => {
      this.#glass = glass;
      return ok(undefined);
    });
  }

  glass(): Result<KernelGlass | null> {
    return this.#call('glass', () => ok(this.#glass));
  }

  counters() {
    return this.#call('counters', () => ok({ ...this.#counters }));
  }

  drainEvents(max: number): Result<readonly Uint8Array[]> {
    return this.#call('drainEvents', () => ok(this.#ring.splice(0, max)));
  }

  tryAll(tries: readonly CanaryTry[]): Result<readonly number[]> {
    return this.#call('tryAll', () => ok(tries.map((it) => this.#try(it))));
  }

  proof() {
    return this.#call('proof', () =>
      ok({
        maps: [{ map: 'committed', pinned: true }],
        programs: this.programs.map(({ program, hook, state }) => ({
          program,
          hook,
          attached: state === 'attached',
          pinned: !this.faults.unpinned.has(hook),
          idle: state === 'idle',
          attachedTo: `bpf_lsm_${hook}`,
          tag: 'a',
          expectedTag: 'a',
          recursionMisses: 0,
          own: true,
          lsm: true,
          maps: true,
        })),
      }),
    );
  }

  protect(): Result<void> {
    return this.#call('protect', () => ok(undefined));
  }

  unprotect(): Result<void> {
    return this.#call('unprotect', () => ok(undefined));
  }

  retireOther(): Result<void> {
    return this.#call('retireOther', () => ok(undefined));
  }

  disable(): Result<number> {
    return this.#call('disable', () => {
      this.#unload();
      return ok(this.faults.linksAlive);
    });
  }

  peerCredentials() {
    return ok({ pid: process.pid, uid: 0, gid: 0 });
  }

  notify(): void {}

  close(): void {
    this.#isOpen = false;
  }

  /** Nothing is pinned, so the next maps are new ones, and count from 0. */
  #unload(): void {
    this.#pinned = false;
    this.#isOpen = false;
    this.#banks = this.#banks.map(() => null);
    this.#committed = null;
    this.#glass = null;
    this.#ring = [];
    this.#counters = { ...this.#counters, sequence: 0, emitted: 0, dropped: 0, denied: 0 };
  }

  #call<T>(name: keyof KernelPort, body: () => Result<T>): Result<T> {
    this.calls.push(name);
    if (this.faults.failing.has(name)) {
      this.faults.fired += 1;
      return refuse(`fault in ${name}`);
    }
    const needsNone = name === 'open' || name === 'disable';
    if (!this.#isOpen && !needsNone) throw new Error(`${name} before open`);
    return body();
  }

  #try({ op, path }: CanaryTry): number {
    const attempt = ATTEMPTS[op];
    if (attempt === undefined) throw new Error(`no canary is called ${op}`);
    const forced = this.faults.errnos.get(op);
    if (forced !== undefined) {
      this.faults.fired += 1;
      return forced;
    }
    const generation = this.enforces;
    if (generation === null || !this.#isTreeProtected(dirname(path))) return 0;
    this.#deny(attempt, this.faults.eventGeneration ?? generation, {
      rule: this.#canaryRule(),
      ppid: this.childPpid,
      tgid: 4_000_001,
      names: ['file', 'canary', '/'],
    });
    return EACCES;
  }

  // The canary's rule is the one whose label the directory has; the tests have few rules.
  #canaryRule(): number {
    const image = this.#committed === null ? null : this.#banks[this.#committed];
    if (image == null) return 0;
    const rules = unpackHeader(image.header)?.rules ?? 0;
    return this.canaryRuleOf(rules);
  }

  /** `warder-baseline/canary` sorts after the tests' rules, which begin with a to v. */
  canaryRuleOf(rules: number): number {
    return rules - 1;
  }

  #isTreeProtected(directory: string): boolean {
    const image = this.#committed === null ? null : this.#banks[this.#committed];
    const fact = this.resolve(directory, true);
    if (image == null || !fact.ok || fact.value === null) return false;
    const key = packIdentity(fact.value);
    for (let at = 0; at < image.objects.length; at += OBJECT_ROW_BYTES) {
      const row = image.objects.subarray(at, at + OBJECT_ROW_BYTES);
      if (Buffer.compare(row.subarray(0, key.length), key) !== 0) continue;
      return new DataView(row.buffer, row.byteOffset).getUint32(TREE_OFFSET, true) !== 0;
    }
    return false;
  }

  #deny(
    { hookId, operation }: Attempt,
    generation: number,
    more: { rule: number; ppid: number; tgid: number; names: readonly string[] },
  ): void {
    const counters = this.#counters;
    counters.sequence += 1;
    if (this.faults.countDenials) counters.denied += 1;
    if (this.faults.loseEvents) {
      counters.dropped += 1;
      this.faults.fired += 1;
      return;
    }
    const event = packEvent({
      ...more,
      sequence: counters.sequence,
      generation,
      hookId,
      operation,
    });
    counters.emitted += 1;
    this.#ring.push(event);
    if (this.faults.repeatEvents) this.#ring.push(event);
  }
}

function packEvent(fields: {
  readonly sequence: number;
  readonly generation: number;
  readonly hookId: number;
  readonly operation: Operation;
  readonly rule: number;
  readonly ppid: number;
  readonly tgid: number;
  readonly names: readonly string[];
}): Uint8Array {
  const bytes = new Uint8Array(EVENT_BYTES);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(fields.sequence), true);
  view.setBigUint64(8, BigInt(fields.generation), true);
  view.setBigUint64(16, 5_000_000_000n, true);
  view.setUint32(92, fields.rule, true);
  view.setUint16(96, fields.hookId, true);
  view.setUint16(98, OPERATIONS.indexOf(fields.operation) + 1, true);
  bytes[100] = 3; // deny
  bytes[101] = 1; // rule
  const path = Buffer.from(fields.names.map((it) => `${it}\0`).join(''), 'utf8');
  view.setUint16(102, path.length, true);
  view.setInt32(104, -EACCES, true);
  view.setUint32(108, fields.tgid, true);
  view.setUint32(112, fields.tgid, true);
  view.setUint32(116, fields.ppid, true);
  bytes.set(Buffer.from('canary'), 152);
  bytes.set(path, 168);
  return bytes;
}

function refuse(why: string): Result<never> {
  return err(failure('activate/kernel-refused', `the kernel refused: ${why}`));
}
