// SPDX-License-Identifier: Apache-2.0
// A Linux guest for tests: a Debian kernel whose BPF LSM is on, in which the test is root.
//
//   const guest = await bootGuest();
//   const { stdout } = await guest.run(['cat', '/etc/hostname'], { uid: 1000 });
//   await guest.stop();
//
// The guest reaches the host's loopback at 10.0.2.2. Its users are root, warder (990), alice (1000) and
// mallory (1001). With `disk`, an ext4 image is mounted at /disk. Errors name the end of the console.

import { setTimeout as delay } from 'node:timers/promises';
import { Channel, type Exit } from './channel.ts';
import { findImage } from './image.ts';
import { GuestProcess } from './process.ts';
import { Machine } from './qemu.ts';
import { relay } from './relay.ts';

const BOOT_TIMEOUT_MS = 90_000;
/**
 * How much longer than usual things may take: under emulation, the verifier of the newest kernels takes
 * minutes for all programs, and "make kernels" has them.
 */
export const PATIENCE = process.env['WARDER_MATRIX'] === undefined ? 1 : 10;
const COMMAND_TIMEOUT_MS = 60_000 * PATIENCE;
const ANSWER_GRACE_MS = 15_000;
const CONSOLE_TAIL_LINES = 25;
/** What guests run unless told otherwise: "make kernels" runs the tests on one series after the other. */
export const DEFAULT_SERIES = process.env['WARDER_GUEST_SERIES'] ?? '6.1';

const PATH = '/usr/local/bin:/usr/sbin:/usr/bin';

export interface GuestOptions {
  /** A kernel series that is in the cache; see DEFAULT_SERIES. */
  readonly series?: string;
  /** A raw disk image; an ext4 one is mounted at /disk. */
  readonly disk?: string;
  /** Further disk images, by serial number; mounting them is left to the test. */
  readonly disks?: Readonly<Record<string, string>>;
  readonly memoryMb?: number;
  /** Added to the kernel's command line; a later lsm= wins. */
  readonly append?: string;
  /** Lets the guest's clock count instructions, on one lean processor, for measurements that repeat. */
  readonly icount?: boolean;
}

export interface RunOptions {
  /** The user to run as, root unless told; the group has the same number. */
  readonly uid?: number;
  readonly gid?: number;
  readonly stdin?: string | Uint8Array;
  /** The command and everything it started is killed after this; 60 s unless told, 0 for never. */
  readonly timeoutMs?: number;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface RunResult extends Exit {
  readonly stdout: string;
  readonly stderr: string;
}

/** Boots a guest and waits until it takes commands. */
export async function bootGuest(options: GuestOptions = {}): Promise<Guest> {
  const image = await findImage(options.series ?? DEFAULT_SERIES);
  const machine = new Machine({
    ...image,
    memoryMb: options.memoryMb ?? 1024,
    disk: options.disk,
    disks: options.disks ?? {},
    append: options.append ?? '',
    icount: options.icount ?? false,
  });
  const timer = new AbortController();
  const channel = machine.control.then(async (socket) => {
    const opened = new Channel(socket);
    await opened.ready;
    return opened;
  });
  const outcome = await Promise.race([
    channel,
    machine.ended,
    delay(BOOT_TIMEOUT_MS, `no answer within ${BOOT_TIMEOUT_MS / 1000} s`, {
      signal: timer.signal,
    }),
  ]);
  timer.abort();
  if (typeof outcome !== 'string') return new Guest(machine, outcome);
  await machine.cut();
  throw new Error(`the guest did not boot: ${outcome}${consoleTail(machine.console)}`);
}

export class Guest {
  readonly #machine: Machine;
  readonly #channel: Channel;

  constructor(machine: Machine, channel: Channel) {
    this.#machine = machine;
    this.#channel = channel;
    void machine.ended.then((how) =>
      channel.close(new Error(`the guest is gone: ${how}${consoleTail(this.console)}`)),
    );
  }

  /** What the guest's kernel and first process have written so far. */
  get console(): string {
    return this.#machine.console;
  }

  /** Runs a program to its end. A status other than zero is a result, not an error. */
  async run(args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
    const process = await this.spawn(args, { timeoutMs: COMMAND_TIMEOUT_MS, ...options });
    return process.done;
  }

  /**
   * Runs a shell script to its end. The shell is busybox, which runs its own applets without looking at
   * PATH: a test for which it matters which file is executed uses run().
   */
  async sh(script: string, options: RunOptions = {}): Promise<RunResult> {
    return this.run(['sh', '-c', script], options);
  }

  /** Starts a program in the background; without a timeout unless told. */
  async spawn(args: readonly string[], options: RunOptions = {}): Promise<GuestProcess> {
    const timeoutMs = options.timeoutMs ?? 0;
    const command = {
      args,
      env: Object.entries({ PATH, HOME: '/tmp', LANG: 'C.UTF-8', ...options.env }).map(
        ([name, value]) => `${name}=${value}`,
      ),
      cwd: options.cwd ?? '/',
      uid: options.uid ?? 0,
      gid: options.gid ?? options.uid ?? 0,
      timeoutMs,
      stdin: Buffer.from(options.stdin ?? ''),
    };
    const process = new GuestProcess(this.#channel, command);
    // The guest keeps the time limit; this one is for a guest that hangs as a whole.
    if (timeoutMs > 0) this.#expect(process.done, timeoutMs + ANSWER_GRACE_MS, args.join(' '));
    await process.started;
    return process;
  }

  /** Writes a file in the guest, as root. */
  async put(path: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
    await new Promise<Buffer>((file, failed) => {
      this.#channel.put(path, Buffer.from(content), mode, { file, failed });
    });
  }

  /** Reads a file of the guest, as root. */
  async get(path: string): Promise<Buffer> {
    return new Promise((file, failed) => {
      this.#channel.get(path, { file: (bytes) => file(Buffer.from(bytes)), failed });
    });
  }

  /** Lets the guest reach one port of the host's loopback, where its kernel has no network card. */
  async reach(port: number): Promise<void> {
    if (this.#machine.relay === null) return;
    await relay(await this.#machine.relay, port);
    const args = ['node', '/usr/lib/relay/relay.mjs', '/dev/vport0p2', String(port)];
    await (await this.spawn(args)).waitFor(/ready/);
  }

  /** Cuts the power at once, as an outage would. */
  async crash(): Promise<void> {
    await this.#machine.cut();
  }

  /** Writes back what the disk is owed, then ends the guest. */
  async stop(): Promise<void> {
    await this.sh('sync', { timeoutMs: 10_000 }).catch(() => {}); // a guest that is gone has nothing to sync
    await this.#machine.cut();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #expect(answer: Promise<unknown>, withinMs: number, what: string): void {
    const timer = setTimeout(() => {
      this.#channel.close(
        new Error(
          `the guest did not answer within ${withinMs} ms: ${what}${consoleTail(this.console)}`,
        ),
      );
    }, withinMs);
    timer.unref();
    const clear = (): void => clearTimeout(timer);
    answer.then(clear, clear);
  }
}

function consoleTail(text: string): string {
  const lines = text.trimEnd().split(/\r?\n/).slice(-CONSOLE_TAIL_LINES);
  return `\nconsole:\n${lines.map((line) => `  | ${line}`).join('\n')}`;
}
