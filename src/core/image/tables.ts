// The tables while they grow: sets of rules per identity and per name, turned into rows with labels at
// the end. Rows come out in the order of their keys' text; wire/abi.ts sorts by packed bytes.
//
// SPDX-License-Identifier: Apache-2.0

import type { ImageObject, NameRow, ObjectRow, RuleSet } from './image.ts';
import type { Identity } from './resolution.ts';

interface Draft {
  self: RuleSet;
  tree: RuleSet;
  ancestor: RuleSet;
  exe: number;
  hasNames: boolean;
}

/** Text that is equal exactly when the identities are. */
export function identityKey({ dev, ino, sub, gen }: Identity): string {
  return `${dev}:${ino}:${sub}:${gen}`;
}

/** Text that is equal exactly when parent and name are. */
export function nameKey(parent: Identity, name: Uint8Array): string {
  return `${identityKey(parent)}/${Array.from(name, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

/** Collects rules per identity, per name and per label. */
export class Tables {
  readonly #objects = new Map<string, { identity: Identity; draft: Draft }>();
  readonly #names = new Map<string, { parent: Identity; name: Uint8Array; draft: Draft }>();
  readonly #labels = new Map<RuleSet, number>([[0n, 0]]);

  /** The draft of an identity, made when missing. */
  objectAt(identity: Identity): Draft {
    const key = identityKey(identity);
    let row = this.#objects.get(key);
    if (row === undefined) {
      row = { identity, draft: emptyDraft() };
      this.#objects.set(key, row);
    }
    return row.draft;
  }

  /** The draft of a name, made when missing; its directory is told that it has names. */
  nameAt(parent: Identity, name: Uint8Array): Draft {
    const key = nameKey(parent, name);
    let row = this.#names.get(key);
    if (row === undefined) {
      row = { parent, name, draft: emptyDraft() };
      this.#names.set(key, row);
      this.objectAt(parent).hasNames = true;
    }
    return row.draft;
  }

  /** The label of a set, the same for equal sets. */
  labelOf(set: RuleSet): number {
    let label = this.#labels.get(set);
    if (label === undefined) {
      label = this.#labels.size;
      this.#labels.set(set, label);
    }
    return label;
  }

  /** Gives the rows. */
  toRows(): { objects: ObjectRow[]; names: NameRow[]; labels: RuleSet[] } {
    const objects = sortedByKey(this.#objects).map(({ identity, draft }) => ({
      identity,
      object: this.#toObject(draft),
    }));
    const names = sortedByKey(this.#names).map(({ parent, name, draft }) => ({
      parent,
      name,
      object: this.#toObject(draft),
    }));
    return { objects, names, labels: [...this.#labels.keys()] };
  }

  #toObject(draft: Draft): ImageObject {
    return {
      self: this.labelOf(draft.self),
      tree: this.labelOf(draft.tree),
      ancestor: this.labelOf(draft.ancestor),
      exe: draft.exe,
      hasNames: draft.hasNames,
    };
  }
}

function emptyDraft(): Draft {
  return { self: 0n, tree: 0n, ancestor: 0n, exe: 0, hasNames: false };
}

// Label numbers depend on the order of rows, so that order must not depend on the order of facts.
function sortedByKey<T>(rows: ReadonlyMap<string, T>): T[] {
  return [...rows].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, row]) => row);
}
