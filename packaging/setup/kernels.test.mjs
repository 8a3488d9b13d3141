// SPDX-License-Identifier: Apache-2.0
// The cache of guest kernels, damaged in the ways that a disk and a killed set-up damage it.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';

const cache = mkdtempSync(join(tmpdir(), 'warder-cache-'));
process.env.WARDER_LAB_CACHE = cache;
// The folder of the cache is fixed when the module is loaded.
const { findKernel, isIntact, writeRecord } = await import('./kernels.mjs');

const home = join(cache, 'kernels', '6.1');
const record = { release: '6.1.0-x', image: 'set/boot/vmlinuz', modules: 'set/modules' };

beforeEach(() => {
  rmSync(home, { recursive: true, force: true });
  mkdirSync(join(home, 'set/boot'), { recursive: true });
  mkdirSync(join(home, 'set/modules/kernel'), { recursive: true });
  writeFileSync(join(home, record.image), 'a kernel');
  writeFileSync(join(home, record.modules, 'kernel/one.ko'), 'a module');
  writeRecord('6.1', record);
});
afterAll(() => rmSync(cache, { recursive: true, force: true }));

describe('a kernel of the cache', () => {
  it('is found where it was put, and intact', () => {
    const kernel = findKernel('6.1');
    expect(kernel).toMatchObject({
      series: '6.1',
      release: '6.1.0-x',
      image: join(home, record.image),
    });
    expect(isIntact(kernel)).toBe(true);
  });

  it.each([record.image, join(record.modules, 'kernel/one.ko')])(
    'is not intact when %s changed',
    (file) => {
      writeFileSync(join(home, file), 'other bytes');
      expect(isIntact(findKernel('6.1'))).toBe(false);
    },
  );

  it('is not intact when a module is gone', () => {
    rmSync(join(home, record.modules, 'kernel/one.ko'));
    expect(isIntact(findKernel('6.1'))).toBe(false);
  });

  it('is none when its record was cut short, or its image is gone', () => {
    writeFileSync(join(home, 'kernel.json'), '{ "release": "6.1');
    expect(findKernel('6.1')).toBeNull();
    writeRecord('6.1', record);
    rmSync(join(home, record.image));
    expect(findKernel('6.1')).toBeNull();
  });
});
