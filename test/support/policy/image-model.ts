// The kernel's decision over an image, written again in TypeScript from the algebra (not from decide()
// and not from decide.h): sets of rules from lookups by identity and by name. It is the bridge of the
// property tests: decide(rules) = lookup(build(rules)).
//
// SPDX-License-Identifier: Apache-2.0

import type {
  GenerationImage,
  GroupRow,
  ImageObject,
  RuleSet,
} from '../../../src/core/image/image.ts';
import type { Identity } from '../../../src/core/image/resolution.ts';
import { OPERATIONS } from '../../../src/core/policy/document.ts';
import type { PolicyIr } from '../../../src/core/policy/ir.ts';
import type { Request, Verdict } from '../../../src/core/policy/request.ts';
import type { Step, SyntheticProgram, SyntheticRequest } from './synthetic-host.ts';

interface Cover {
  own: RuleSet;
  name: RuleSet;
  chain: RuleSet;
}

const key = ({ dev, ino, sub, gen }: Identity) => `${dev}/${ino}/${sub}/${gen}`;
// `use` is followed by its two halves.
const ACCESSES = ['none', 'read', 'write'];
const CREATE = 3;
const DELETE = 4;
const ROOT_NODE = 1;
const UNITS_NODE = 2;

/** An image with its tables indexed as the kernel's maps are. */
export class ImageModel {
  readonly #image: GenerationImage;
  readonly #ir: PolicyIr;
  readonly #objects: ReadonlyMap<string, ImageObject>;
  readonly #names: ReadonlyMap<string, ImageObject>;
  readonly #exempt: ReadonlyMap<string, number>;
  readonly #groups: ReadonlyMap<string, GroupRow>;

  constructor(ir: PolicyIr, image: GenerationImage) {
    this.#ir = ir;
    this.#image = image;
    this.#objects = new Map(image.objects.map((row) => [key(row.identity), row.object]));
    this.#names = new Map(
      image.names.map((row) => [
        `${key(row.parent)}:${Buffer.from(row.name).toString('utf8')}`,
        row.object,
      ]),
    );
    this.#exempt = new Map(
      image.exempt.map((row) => [`${row.exe}:${row.parent}:${row.group}:${row.uid}`, row.label]),
    );
    this.#groups = new Map(image.groups.map((row) => [`${row.node}/${row.name}`, row]));
  }

  /** Judges one request by lookups alone. */
  judge(request: Request, seen: SyntheticRequest): Verdict {
    const { enforce } = this.#image;
    const op =
      OPERATIONS.indexOf(request.operation) + 1 + ACCESSES.indexOf(request.access ?? 'none');
    const losing = ['rename', 'delete', 'mount'].includes(request.operation);
    const held = ~this.#exemptOf(seen, request.uid ?? 0);
    const from = this.#cover(seen.from, losing && seen.isDir);
    const to = this.#cover(seen.to, seen.isDir);
    let terms = (from.own | from.name | from.chain) & this.#op(op);
    let refer = 0n;
    if (request.operation === 'rename' || request.operation === 'link') {
      terms |= (to.name | to.chain) & this.#op(CREATE);
      if (request.replaces === true) terms |= (to.own | to.name | to.chain) & this.#op(DELETE);
      refer =
        (this.#uncarried(to.chain & held & enforce) & enforce) |
        (this.#uncarried(to.chain & held) & ~enforce);
      refer &= from.chain & held;
    }
    terms &= held;
    const deny = (terms | refer) & enforce;
    const audit = (terms | refer) & ~enforce;
    const deciding = deny !== 0n ? deny : audit;
    if (deciding === 0n) return { verdict: 'allow', rule: null, reason: null, errno: null };
    const bit = lowest(deciding);
    return {
      verdict: deny !== 0n ? 'deny' : 'audit',
      rule: this.#ir.rules[bit]?.id ?? null,
      reason: ((terms >> BigInt(bit)) & 1n) === 1n ? 'rule' : 'refer',
      errno: deny !== 0n ? 'EACCES' : null,
    };
  }

  #op(op: number): RuleSet {
    return this.#image.op[op] ?? 0n;
  }

  #label(label: number | undefined): RuleSet {
    return this.#image.labels[label ?? 0] ?? 0n;
  }

  #uncarried(carriers: RuleSet): RuleSet {
    let rules = 0n;
    for (let op = 1; op <= OPERATIONS.length; op += 1) {
      if ((carriers & this.#op(op)) === 0n) rules |= this.#op(op);
    }
    return rules;
  }

  #cover(chain: readonly Step[], withAncestor: boolean): Cover {
    const cover: Cover = { own: 0n, name: 0n, chain: 0n };
    for (const [index, step] of chain.entries()) {
      const object = step.identity === null ? undefined : this.#objects.get(key(step.identity));
      if (index === 0) {
        cover.own |= this.#label(object?.self) | this.#label(object?.tree);
        if (withAncestor) cover.own |= this.#label(object?.ancestor);
        continue;
      }
      cover.chain |= this.#label(object?.tree);
      if (object?.hasNames !== true || step.identity === null) continue;
      const name = this.#names.get(`${key(step.identity)}:${chain[index - 1]?.name}`);
      if (index === 1) cover.name |= this.#label(name?.self) | this.#label(name?.tree);
      else cover.chain |= this.#label(name?.tree);
    }
    return cover;
  }

  #exemptOf(seen: SyntheticRequest, uid: number): RuleSet {
    const groups = this.#groupsOf(seen.groups);
    let outside = this.#image.scoped;
    let set = 0n;
    for (const { scope } of groups) outside &= ~this.#label(scope);
    const numbers = groups.map(({ group }) => group).filter((group) => group !== 0);
    for (const exe of [null, ...this.#classesOf(seen.exe)]) {
      for (const parent of [null, ...this.#classesOf(seen.parentExe)]) {
        for (const group of [null, ...numbers]) {
          for (const user of [null, uid]) {
            set |= this.#label(this.#exempt.get(`${exe}:${parent}:${group}:${user}`));
          }
        }
      }
    }
    return set | outside;
  }

  #classesOf(program: SyntheticProgram | null): readonly number[] {
    if (program === null) return [];
    const parent = this.#objects.get(key(program.parent));
    return [
      this.#objects.get(key(program.identity))?.exe ?? 0,
      parent?.hasNames === true
        ? (this.#names.get(`${key(program.parent)}:${program.name}`)?.exe ?? 0)
        : 0,
    ].filter((it) => it !== 0);
  }

  #groupsOf(names: readonly string[]): readonly GroupRow[] {
    const met: GroupRow[] = [];
    let node = ROOT_NODE;
    let mayBeUnit = true;
    for (const name of names) {
      const group = this.#groups.get(`${node}/${name}`);
      const unit = mayBeUnit ? this.#groups.get(`${UNITS_NODE}/${name}`) : undefined;
      for (const row of [group, unit]) if (row !== undefined) met.push(row);
      node = group?.next ?? 0;
      mayBeUnit &&= name.endsWith('.slice') && name !== '.slice';
    }
    return met;
  }
}

function lowest(set: RuleSet): number {
  let bit = 0;
  while (((set >> BigInt(bit)) & 1n) === 0n) bit += 1;
  return bit;
}
