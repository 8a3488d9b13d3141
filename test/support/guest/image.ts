// SPDX-License-Identifier: Apache-2.0
// Asks the guest's builder for the kernel and the initramfs of a series, once in this process.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export interface Image {
  readonly kernel: string;
  /** Without them it has the devices that are built in: NVMe disks, no network. */
  readonly hasModules: boolean;
  readonly initramfs: string;
  readonly runtimeDisk: string;
  readonly cpuFlags: string;
}

const BUILDER = fileURLToPath(new URL('../../../packaging/guest/build.mjs', import.meta.url));

// QEMU 7.2 emulates cmpxchg16b in a way that panics this series now and then.
const CPU_FLAGS: Readonly<Record<string, string>> = { '6.12': ',cx16=off' };

const images = new Map<string, Promise<Image>>();

/** Returns the image of a series, built if anything that goes into it has changed. */
export function findImage(series: string): Promise<Image> {
  const image = images.get(series) ?? build(series);
  images.set(series, image);
  return image;
}

async function build(series: string): Promise<Image> {
  const { stdout } = await promisify(execFile)(process.execPath, [BUILDER, series]).catch(
    (cause: unknown) => {
      const stderr = cause instanceof Error && 'stderr' in cause ? String(cause.stderr) : '';
      throw new Error(`cannot build the guest image of kernel ${series}: ${stderr}`, { cause });
    },
  );
  const built = JSON.parse(stdout) as Omit<Image, 'cpuFlags'>;
  return { ...built, cpuFlags: CPU_FLAGS[series] ?? '' };
}
