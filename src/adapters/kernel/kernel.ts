// The addon as the enforcer wants it: Results in place of exceptions, numbers in place of errno names.
// The addon's own errors are translated here, once; whatever else is thrown is a bug.
//
// SPDX-License-Identifier: Apache-2.0

import type { Socket } from 'node:net';
import { constants } from 'node:os';
import type {
  CanaryTry,
  Committed,
  HostFacts,
  KernelCounters,
  KernelGlass,
  KernelProgram,
  KernelProof,
  OpenReport,
  PackedImage,
  PathFact,
  PeerCredentials,
  ProgramProof,
  TreeScan,
} from '../../core/enforcer/kernel.ts';
import type { ErrorCode } from '../../core/errors.ts';
import { err, failure, invariant, ok, type Result } from '../../core/result.ts';
import { escapeAndCut } from '../../core/text.ts';
import { unpackHeader } from '../../wire/abi.ts';
import { packGlass, unpackGlass } from '../../wire/abi-glass.ts';
import {
  type Addon,
  type AddonError,
  type AddonKernel,
  type AddonProgram,
  type AddonProof,
  isAddonError,
  openObject,
} from './addon.ts';
import { readHostFiles } from './host-files.ts';

const ONLY_IF_PRESENT = 31;
const OPERATION_BITS = 0xffff; // WD_OPS; flags are above
const NO_ANSWER = -1;
const MAP_ORDER = ['header', 'objects', 'names', 'labels', 'exempt', 'groups'] as const;
const DETAIL_MAX = 2000;
const OPEN_HINTS: Readonly<Record<string, readonly string[]>> = {
  adopt: [
    'somebody changed the pins; what is attached goes on deciding',
    'find out who did it, then `warder-enforcer --repair`: everything is made anew beside them, ' +
      'put in force, and then they are removed',
  ],
  bpffs: ['mount -t bpf bpf /sys/fs/bpf, then start warder-enforcer again'],
};
const ERRNOS: Readonly<Record<string, number>> = constants.errno;

/** The kernel through the addon. One handle at a time. */
export class Kernel {
  readonly #addon: Addon;
  #handle: AddonKernel | null = null;

  constructor(addon: Addon) {
    this.#addon = addon;
  }

  probeHost(): HostFacts {
    const { hooks, release, btf, lsm, bpffs, capabilities } = this.#addon.probeHost();
    return {
      ...{ release, btf, lsm, bpffs, capabilities },
      ...readHostFiles(),
      hooks: hooks.map(({ hook, program, nargs, needs }) => ({
        ...{ hook, program, nargs },
        ...splitNeeds(needs),
      })),
    };
  }

  open({
    object,
    pinDir,
    fresh,
  }: {
    object: string;
    pinDir: string;
    fresh: boolean;
  }): Result<OpenReport> {
    try {
      this.close();
      const opened = openObject(this.#addon, { objectPath: object, pinDir, fresh });
      this.#handle = opened.kernel;
      return ok({ adopted: opened.adopted, programs: opened.programs.map(toProgram) });
    } catch (cause) {
      if (!isAddonError(cause)) throw cause;
      const why = toFailure('activate/load-rejected', 'loading the BPF programs', cause);
      return err({ ...why, hints: OPEN_HINTS[cause.code] ?? [] });
    }
  }

  resolve(path: string, follow: boolean): Result<PathFact | null> {
    try {
      return ok(this.#open().resolve(path, { follow }));
    } catch (cause) {
      if (!isAddonError(cause)) throw cause;
      if (cause.errno === 'ENOENT' || cause.errno === 'ENOTDIR') return ok(null);
      return err(toFailure('stage/resolve-failed', `resolving ${path}`, cause));
    }
  }

  measureVerity(path: string): Result<string | null> {
    return attempt('stage/resolve-failed', `measuring ${escapeAndCut(path, DETAIL_MAX)}`, () => {
      const digest = this.#addon.measureVerity(path);
      return digest === null ? null : `sha256:${digest}`;
    });
  }

  scan(root: string, entriesMax: number): Result<TreeScan> {
    try {
      return ok(this.#open().scan(root, entriesMax));
    } catch (cause) {
      if (!isAddonError(cause)) throw cause;
      // Removed meanwhile: nothing is in it.
      if (cause.code === 'open' && (cause.errno === 'ENOENT' || cause.errno === 'ENOTDIR')) {
        return ok({ identities: [], entries: 0 });
      }
      const code = cause.code === 'too-large' ? 'stage/tree-too-large' : 'stage/resolve-failed';
      return err(toFailure(code, `looking for hard links below ${root}`, cause));
    }
  }

  fill(bank: number, image: PackedImage): Result<void> {
    return attempt('activate/kernel-refused', `filling bank ${bank}`, () =>
      this.#open().fill(bank, image),
    );
  }

  readBack(bank: number): Result<PackedImage | null> {
    try {
      return ok(this.#open().readBack(bank));
    } catch (cause) {
      if (!isAddonError(cause)) throw cause;
      if (cause.code === 'bank-empty') return ok(null);
      return err(toFailure('activate/kernel-refused', `reading bank ${bank}`, cause));
    }
  }

  commit(bank: number): Result<void> {
    return attempt('activate/kernel-refused', `committing bank ${bank}`, () =>
      this.#open().commit(bank),
    );
  }

  committed(): Result<Committed | null> {
    return attempt('activate/kernel-refused', 'reading what is committed', () => {
      const committed = this.#open().committed();
      if (committed === null) return null;
      const header = unpackHeader(committed.header);
      invariant(header !== null, 'the addon answers headers of its own ABI');
      return {
        bank: header.bank,
        generation: header.generation,
        imageDigest: header.digest,
        mapIds: MAP_ORDER.map((it) => committed.mapIds[it]),
      };
    });
  }

  clear(bank: number): Result<void> {
    return attempt('activate/kernel-refused', `clearing bank ${bank}`, () =>
      this.#open().clear(bank),
    );
  }

  setGlass(glass: KernelGlass | null): Result<void> {
    return attempt('activate/kernel-refused', 'writing break-glass', () =>
      this.#open().setGlass(glass === null ? null : packGlass(glass)),
    );
  }

  glass(): Result<KernelGlass | null> {
    return attempt('activate/kernel-refused', 'reading break-glass', () => {
      const bytes = this.#open().glass();
      return bytes === null ? null : unpackGlass(bytes);
    });
  }

  counters(): Result<KernelCounters> {
    return attempt('activate/kernel-refused', 'reading counters', () => {
      const { total } = this.#open().counters();
      return {
        sequence: Number(total.sequence),
        emitted: Number(total.emitted),
        dropped: Number(total.dropped),
        denied: Number(total.denied),
        audited: Number(total.audited),
        incomplete: Number(total.incomplete),
        let: Number(total.let),
      };
    });
  }

  drainEvents(max: number): Result<readonly Uint8Array[]> {
    return attempt('activate/kernel-refused', 'reading events', () =>
      this.#open().drainEvents(max),
    );
  }

  tryAll(tries: readonly CanaryTry[]): Result<readonly number[]> {
    return attempt('confirm/health-no-data', 'starting the canaries', () => {
      const handle = this.#open();
      handle.expectCanaries(true);
      try {
        return this.#addon.probe(tries).map(({ answered, errno }) => {
          if (!answered) return NO_ANSWER;
          return errno === null ? 0 : (ERRNOS[errno] ?? NO_ANSWER);
        });
      } finally {
        handle.expectCanaries(false);
      }
    });
  }

  protect(by: { readonly launcher: string; readonly runtime: string }): Result<void> {
    return attempt('activate/kernel-refused', 'closing what is our own', () =>
      this.#open().protect(by),
    );
  }

  unprotect(): Result<void> {
    return attempt('activate/kernel-refused', 'opening what is our own', () =>
      this.#open().unprotect(),
    );
  }

  proof(): Result<KernelProof> {
    return attempt('confirm/health-no-data', 'reading the attach proof', () => {
      const { programs, maps } = this.#open().proof();
      return { maps, programs: programs.map(toProgramProof) };
    });
  }

  retireOther(): Result<void> {
    return attempt('activate/kernel-refused', 'retiring other builds', () => {
      this.#open().retireOther();
    });
  }

  disable(pinDir: string): Result<number> {
    return attempt('activate/kernel-refused', 'taking the pins away', () => {
      this.close();
      return this.#addon.disablePins(pinDir).alive;
    });
  }

  peerCredentials(fd: number): Result<PeerCredentials> {
    return attempt('host/enforcer-denied', 'asking who is at the other end', () =>
      this.#addon.peerCredentials(fd),
    );
  }

  notify(message: string): void {
    try {
      this.#addon.sdNotify(message);
    } catch (cause) {
      // The service manager's socket may be gone; enforcement does not depend on it.
      if (!isAddonError(cause)) throw cause;
    }
  }

  close(): void {
    this.#handle?.close();
    this.#handle = null;
  }

  #open(): AddonKernel {
    invariant(this.#handle !== null, 'the kernel side is open');
    return this.#handle;
  }
}

/** The descriptor of a connected socket. Node has no public name for it; null when it is closed. */
export function descriptorOf(socket: Socket): number | null {
  const { _handle: handle } = socket as unknown as { _handle?: { fd?: unknown } | null };
  return typeof handle?.fd === 'number' && handle.fd >= 0 ? handle.fd : null;
}

function splitNeeds(needs: number): { readonly ops: number; readonly onlyIfPresent: boolean } {
  return {
    ops: needs & OPERATION_BITS,
    onlyIfPresent: needs >>> ONLY_IF_PRESENT === 1,
  };
}

function toProgram(row: AddonProgram): KernelProgram {
  const { program, hook, hookId, needs, state } = row;
  const detail =
    state === 'rejected' ? `${row.step ?? ''} ${row.errno ?? ''} ${row.log ?? ''}` : '';
  return {
    program,
    hook,
    hookId,
    ...splitNeeds(needs),
    state,
    detail: escapeAndCut(detail.trim(), DETAIL_MAX),
  };
}

function toProgramProof(row: AddonProof): ProgramProof {
  const { program, hook, attached, pinned, idle, own, lsm, maps } = row;
  return {
    ...{ program, hook, attached, pinned, idle, own, lsm, maps },
    attachedTo: row.attachedTo,
    tag: row.tag,
    expectedTag: row.expectedTag,
    recursionMisses: Number(row.recursionMisses),
  };
}

function attempt<T>(code: ErrorCode, doing: string, work: () => T): Result<T> {
  try {
    return ok(work());
  } catch (cause) {
    if (!isAddonError(cause)) throw cause;
    return err(toFailure(code, doing, cause));
  }
}

function toFailure(
  code: ErrorCode,
  doing: string,
  cause: Pick<AddonError, 'code' | 'errno' | 'message' | 'detail'>,
) {
  if (cause.code === 'adopt' && cause.errno === 'EACCES') {
    return failure('host/self-protected', `${doing} failed: the kernel keeps others out`, {
      causes: [cause.message],
      hints: ['start the service, or the launcher that it starts'],
    });
  }
  // Another handle on the same pins is another enforcer.
  return failure(cause.code === 'busy' ? 'state/locked' : code, `${doing} failed: ${cause.code}`, {
    causes: [cause.message, escapeAndCut(cause.detail, DETAIL_MAX)],
  });
}
