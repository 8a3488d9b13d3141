// Generations in the kernel: fill aside, read back, swap by one update. The only place that commits.
//
// Invariants: the row of a generation is on the disk before its bank is filled; what the kernel read
// back has the digest that was packed, or nothing is committed; the banks of the committed generation,
// of the last-known-good and of its predecessor are never filled again while they are that.
//
// SPDX-License-Identifier: Apache-2.0

import type { Digest } from '../core/digest.ts';
import { BANKS, type Committed } from '../core/enforcer/kernel.ts';
import { chooseBank, type GenerationRow, isSame } from '../core/enforcer/startup.ts';
import { err, failure, ok, type Result } from '../core/result.ts';
import type { ClockPort } from '../ports.ts';
import { digestPacked, packImage } from '../wire/abi.ts';
import type { CompiledGeneration } from './compile-generation.ts';
import type { KernelPort } from './kernel-port.ts';
import type { EnforcerStore } from './store/store.ts';

/** Names of the moments between two effects; the crash tests cut at each. */
export type Step =
  | 'verified'
  | 'floor-raised'
  | 'admitted'
  | 'compiled'
  | 'announced'
  | 'filled'
  | 'read-back'
  | 'committed'
  | 'recorded'
  | 'hold-written'
  | 'confirmed';

/** What swapping needs. */
export interface GenerationsOptions {
  readonly kernel: KernelPort;
  readonly store: EnforcerStore;
  readonly clock: Pick<ClockPort, 'nowMs'>;
  readonly bootId: string;
  /** What is in force for a while has to follow. */
  readonly onCommit: (row: GenerationRow) => void;
  /** Contents that a fallback may want at once, the most wanted first. */
  readonly wanted: () => readonly (readonly Digest[])[];
  /** Called between effects; does nothing outside tests. */
  readonly step: (step: Step) => void;
}

/** The generations of this boot. */
export class Generations {
  readonly #options: GenerationsOptions;

  constructor(options: GenerationsOptions) {
    this.#options = options;
  }

  /** What is enforced, by the kernel's word; null when it is nothing that this store knows. */
  current(): Result<GenerationRow | null> {
    const committed = this.#options.kernel.committed();
    if (!committed.ok) return committed;
    return ok(committed.value === null ? null : this.rowOf(committed.value));
  }

  /** The row of a committed header, when it is the same in every respect. */
  rowOf(committed: Committed): GenerationRow | null {
    const row = this.#options.store.generations.get(committed.generation);
    return row !== null && isSame(row, committed, this.#options.bootId) ? row : null;
  }

  /** Makes new content current. */
  bringUp(
    { content, changed }: Pick<GenerationRow, 'content' | 'changed'>,
    canaryDir: string,
    compiled: CompiledGeneration,
  ): Result<GenerationRow> {
    const { kernel, store, bootId, step } = this.#options;
    const committed = kernel.committed();
    if (!committed.ok) return committed;
    const bank = chooseBank(this.#kept(committed.value), store.generations.ofBoot(bootId));
    const generation = Math.max(store.generations.highest(), committed.value?.generation ?? 0) + 1;
    const packed = packImage(compiled.image, { generation, bank });
    const row: GenerationRow = {
      generation,
      content,
      changed,
      bank,
      imageDigest: packed.digest,
      mapIds: null,
      bootId,
      canaryDir,
      rules: compiled.rules,
      demoted: compiled.demoted,
      leftOut: compiled.gaps.map(({ path }) => path),
      programs: compiled.programs,
      committedAt: null,
      confirmed: false,
    };
    const announced = store.generations.announce(row);
    if (!announced.ok) return announced;
    step('announced');
    const filled = kernel.fill(bank, packed);
    if (!filled.ok) return filled;
    step('filled');
    return this.commit(row);
  }

  /** One update makes a filled generation current: a new one, or one that stayed pinned. */
  commit(row: GenerationRow): Result<GenerationRow> {
    const { kernel, store, clock, onCommit, step } = this.#options;
    const intact = this.#checkBank(row);
    if (!intact.ok) return intact;
    step('read-back');
    const swapped = kernel.commit(row.bank);
    if (!swapped.ok) return swapped;
    step('committed');
    onCommit(row);
    const committed = kernel.committed();
    if (!committed.ok) return committed;
    const at = new Date(clock.nowMs()).toISOString();
    // Past the commit point: what is enforced is a fact whatever the disk answers. The row is known,
    // so a restart adopts it; only the time and the map's id are missing then.
    const recorded = store.generations.committed(row.generation, committed.value?.mapIds ?? [], at);
    if (!recorded.ok) return recorded;
    const known = this.recordCurrent(row);
    step('recorded');
    return known.ok ? ok({ ...row, committedAt: at }) : known;
  }

  /** The generation that was put in force last in this boot; null before the first. */
  recorded(): number | null {
    const current = this.#options.store.read('current');
    return current?.bootId === this.#options.bootId ? current.generation : null;
  }

  /** Records what is in force. */
  recordCurrent({ generation }: GenerationRow): Result<void> {
    const { store, bootId } = this.#options;
    return store.write({ current: { bootId, generation } });
  }

  /** Has the kernel the maps that were committed for this row, and what was filled into them? */
  isIntact(row: GenerationRow, committed: Committed): boolean {
    const sameMaps = row.mapIds === null || row.mapIds.join() === committed.mapIds.join();
    return sameMaps && this.#checkBank(row).ok;
  }

  /** A generation of exactly this content that is still pinned and intact, the newest first. */
  pinned(content: readonly Digest[]): GenerationRow | null {
    const { store, bootId } = this.#options;
    const seen = new Set<number>();
    for (const row of store.generations.ofBoot(bootId)) {
      // A younger row of the same bank has overwritten this one, or has begun to.
      const overwritten = seen.has(row.bank);
      seen.add(row.bank);
      if (overwritten || !isSameContent(row.content, content)) continue;
      if (this.#checkBank(row).ok) return row;
    }
    return null;
  }

  #checkBank(row: GenerationRow): Result<void> {
    const held = this.#options.kernel.readBack(row.bank);
    if (!held.ok) return held;
    if (held.value !== null && digestPacked(held.value) === row.imageDigest) return ok(undefined);
    return err(
      failure('activate/read-back-mismatch', `bank ${row.bank} does not hold what was filled`, {
        causes: [`generation ${row.generation}`],
      }),
    );
  }

  #kept(committed: Committed | null): ReadonlySet<number> {
    const { store, bootId, wanted } = this.#options;
    const keep = new Set(committed === null ? [] : [committed.bank]);
    const rows = store.generations.ofBoot(bootId);
    for (const content of wanted()) {
      const row = rows.find((it) => it.confirmed && isSameContent(it.content, content));
      // One bank is always free to be filled; what is not kept can be built again.
      if (row !== undefined && keep.size < BANKS - 1) keep.add(row.bank);
    }
    return keep;
  }
}

function isSameContent(a: readonly Digest[], b: readonly Digest[]): boolean {
  return a.length === b.length && a.every((it, index) => it === b[index]);
}
