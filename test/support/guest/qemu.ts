// SPDX-License-Identifier: Apache-2.0
// Starts one virtual machine under QEMU's software emulation and watches it until it ends.
//
// Invariant: the machine never outlives this process: setpriv arms the kernel to kill it with us.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const CONSOLE_CHARS_MAX = 1_000_000;
const COMMAND_LINE = 'console=ttyS0 quiet panic=-1 lsm=landlock,lockdown,yama,bpf';
// What an emulated processor need not spend time on at boot; none of it changes what the kernel enforces.
const FASTER = 'cryptomgr.notests mitigations=off nokaslr tsc=reliable no_timer_check';
// Otherwise every byte that the kernel zeroes or copies counts as an instruction, and hides what is measured.
const LEAN_CPU = ',erms=off,fsrm=off,cx16=off';
const LEAN_KERNEL = 'init_on_alloc=0';

export interface MachineOptions {
  readonly kernel: string;
  readonly hasModules: boolean;
  readonly initramfs: string;
  readonly runtimeDisk: string;
  readonly cpuFlags: string;
  readonly memoryMb: number;
  readonly disk: string | undefined;
  readonly disks: Readonly<Record<string, string>>;
  readonly append: string;
  readonly icount: boolean;
}

export class Machine {
  /** The guest's end of the control port, once QEMU has connected it. */
  readonly control: Promise<Socket>;
  /** The guest's end of the relay, for one that has no network card. */
  readonly relay: Promise<Socket> | null;
  /** Resolves when QEMU has ended, whatever ended it, with how it ended. */
  readonly ended: Promise<string>;
  /** Everything that the guest has written to its console (the last million characters). */
  console = '';
  readonly #qemu: ChildProcess;

  constructor(options: MachineOptions) {
    const folder = mkdtempSync(join(tmpdir(), 'warder-guest-'));
    const path = join(folder, 'control');
    const server = createServer();
    // QEMU connects its ports in the order in which the command line names them.
    const ports = connections(server);
    this.control = ports();
    this.relay = options.hasModules ? null : ports();
    this.#qemu = startListening(server, path, options);
    this.ended = new Promise((resolve) => {
      this.#qemu.once('error', (cause) => resolve(`cannot start QEMU: ${cause.message}`));
      this.#qemu.once('close', (code, signal) =>
        resolve(`QEMU ended (${signal ?? `status ${code}`})`),
      );
    });
    for (const stream of [this.#qemu.stdout, this.#qemu.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.console = (this.console + text).slice(-CONSOLE_CHARS_MAX);
      });
    // Once QEMU has connected, or has gone, nobody needs the path; it does not wait for the end, because a
    // test process that is killed could not remove it.
    const remove = (): void => {
      server.close();
      rmSync(folder, { recursive: true, force: true });
    };
    void (this.relay ?? this.control).then(remove);
    void this.ended.then(remove);
  }

  /** Cuts the power: nothing that the guest has not flushed survives. */
  async cut(): Promise<void> {
    this.#qemu.kill('SIGKILL');
    await this.ended;
  }
}

// QEMU connects to us and not we to QEMU, so there is no socket to wait for. The path is bound at once
// (libuv binds synchronously), before QEMU can look for it.
function startListening(server: Server, path: string, options: MachineOptions): ChildProcess {
  server.listen(path);
  const [command = '', ...args] = [
    'setpriv',
    '--pdeathsig',
    'KILL',
    '--',
    ...commandLine(path, options),
  ];
  return spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
}

function commandLine(control: string, options: MachineOptions): string[] {
  return [
    'qemu-system-x86_64',
    ...[
      '-nodefaults',
      '-no-user-config',
      '-no-reboot',
      '-display',
      'none',
      '-monitor',
      'none',
      '-serial',
      'stdio',
    ],
    // Counting instructions makes time repeatable, and needs one thread and one processor.
    ...(options.icount
      ? ['-accel', 'tcg', '-icount', 'shift=0']
      : ['-accel', 'tcg,thread=multi', '-smp', '2']),
    ...['-cpu', `max${options.icount ? LEAN_CPU : options.cpuFlags}`],
    ...['-m', String(options.memoryMb)],
    ...[
      '-kernel',
      options.kernel,
      '-initrd',
      options.initramfs,
      '-append',
      `${COMMAND_LINE} ${FASTER} ${options.icount ? LEAN_KERNEL : ''} ${options.append}`,
    ],
    ...['-device', 'virtio-serial-pci', '-chardev', `socket,id=control,path=${control}`],
    ...['-device', 'virtserialport,chardev=control'],
    ...(options.hasModules
      ? ['-netdev', 'user,id=net', '-device', 'virtio-net-pci,netdev=net,romfile=']
      : ['-chardev', `socket,id=relay,path=${control}`, '-device', 'virtserialport,chardev=relay']),
    ...diskArguments(options),
  ];
}

/** Answers the connections of a server, one after the other. */
function connections(server: Server): () => Promise<Socket> {
  const waiting: ((socket: Socket) => void)[] = [];
  server.on('connection', (socket) => waiting.shift()?.(socket));
  return () => new Promise((resolve) => waiting.push(resolve));
}

// The guest knows each by its serial number.
function diskArguments({ disk, disks, runtimeDisk, hasModules }: MachineOptions): string[] {
  // The driver of the other one is a module.
  const device = hasModules ? 'virtio-blk-pci' : 'nvme';
  const argument = ([name, path]: readonly [string, string], flags = '') => {
    // A comma in a file name is doubled for QEMU.
    const drive = `if=none,id=${name},format=raw,file=${path.replaceAll(',', ',,')}${flags}`;
    return ['-drive', drive, '-device', `${device},drive=${name},serial=${name}`];
  };
  return [
    ...(disk === undefined ? [] : argument(['disk', disk])),
    ...argument(['runtime', runtimeDisk], ',readonly=on'),
    ...Object.entries(disks).flatMap((it) => argument(it)),
  ];
}
