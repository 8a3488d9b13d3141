// A host that exists only on paper: every path has an identity of its own, every directory exists, no
// symlinks, no mounts. Contract with the kernel: a request's chain begins with the object and ends with
// the filesystem's root, and files with several links are what an enforcer's scan would find.
//
// SPDX-License-Identifier: Apache-2.0

import {
  type Identity,
  type NameFact,
  planResolution,
  type Resolution,
} from '../../../src/core/image/resolution.ts';
import type { PolicyIr } from '../../../src/core/policy/ir.ts';
import { basenameOf, isBelow, parentOf } from '../../../src/core/policy/path.ts';
import type { Request } from '../../../src/core/policy/request.ts';

/** One place of a chain: an identity (null: a name without a file) under a name. */
export interface Step {
  readonly identity: Identity | null;
  readonly name: string;
}

/** An executable: what it is, and where its name is. */
export interface SyntheticProgram {
  readonly identity: Identity;
  readonly parent: Identity;
  readonly name: string;
}

/** A request as the kernel sees it. */
export interface SyntheticRequest {
  readonly from: readonly Step[];
  readonly to: readonly Step[];
  readonly exe: SyntheticProgram | null;
  readonly parentExe: SyntheticProgram | null;
  /** Names of the control group, from the root down. */
  readonly groups: readonly string[];
  readonly isDir: boolean;
}

export class SyntheticHost {
  readonly #identities = new Map<string, Identity>();

  /** The identity of a path; always the same for the same path. */
  identityOf(path: string): Identity {
    let identity = this.#identities.get(path);
    if (identity === undefined) {
      const number = this.#identities.size + 1;
      identity = { ino: BigInt(1000 + number), sub: 0n, dev: 0x800001, gen: 7 * number };
      this.#identities.set(path, identity);
    }
    return identity;
  }

  /** What an enforcer would find out; `requests` say which files have links elsewhere. */
  resolve(ir: PolicyIr, requests: readonly Request[]): Resolution {
    const linked = requests.flatMap(({ identity }) => (identity === undefined ? [] : [identity]));
    return new Map(
      planResolution(ir).map(({ path, scan }) => [
        path,
        {
          kind: 'found',
          names: [this.#nameFact(path)],
          linked: scan
            ? [...new Set(linked)]
                .filter((it) => isBelow(it, path))
                .map((it) => this.identityOf(it))
            : [],
          mountRoots: [],
          verity: digestAt(ir, path),
          earlier: [],
          unknown: null,
        },
      ]),
    );
  }

  /** The request with chains in place of paths. */
  observe(ir: PolicyIr, request: Request): SyntheticRequest {
    const { operation, path, to, exe, exeDigest, parentExe, cgroup } = request;
    const identity = operation === 'create' ? null : this.identityOf(request.identity ?? path);
    const above = [request.identity ?? path, ...(to === undefined ? [] : [to])];
    return {
      from: this.#chain(path, identity),
      to:
        to === undefined
          ? []
          : this.#chain(to, request.replaces === true ? this.identityOf(to) : null),
      exe: exe === undefined ? null : this.#program(exe, fileOf(ir, exe, exeDigest)),
      parentExe: parentExe === undefined ? null : this.#program(parentExe, parentExe),
      groups: (cgroup ?? '/').split('/').filter((name) => name !== ''),
      isDir: ir.rules.some((rule) =>
        rule.objects.some((object) => above.some((it) => isBelow(object.path, it))),
      ),
    };
  }

  #program(path: string, file: string): SyntheticProgram {
    return {
      identity: this.identityOf(file),
      parent: this.identityOf(parentOf(path)),
      name: basenameOf(path),
    };
  }

  #nameFact(path: string): NameFact {
    const parent = parentOf(path);
    const directories: [Identity, ...Identity[]] = [this.identityOf(parent)];
    for (let at = parent; at !== '/'; at = parentOf(at)) {
      directories.push(this.identityOf(parentOf(at)));
    }
    return {
      directories,
      name: new TextEncoder().encode(basenameOf(path)),
      target: this.identityOf(path),
    };
  }

  #chain(path: string, identity: Identity | null): Step[] {
    const chain: Step[] = [{ identity, name: basenameOf(path) }];
    for (let at = path; at !== '/'; at = parentOf(at)) {
      const parent = parentOf(at);
      chain.push({ identity: this.identityOf(parent), name: basenameOf(parent) });
    }
    return chain;
  }
}

/** The file at a program's path has the digest that a policy asks for; the smallest, if several. */
function digestAt(ir: PolicyIr, path: string): string | null {
  const asked = ir.rules
    .flatMap((rule) => rule.except)
    .filter((entry) => entry.exe === path)
    .flatMap(({ digest }) => (digest === undefined ? [] : [digest]));
  return asked.sort()[0] ?? null;
}

// A program with another content than the one that was measured is another file under its name.
function fileOf(ir: PolicyIr, exe: string, digest: string | undefined): string {
  return (digestAt(ir, exe) ?? digest) === digest ? exe : `${exe}#${digest ?? 'none'}`;
}
