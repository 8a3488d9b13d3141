import { defineConfig } from 'vitest/config';

// Three projects, by what they touch: `fast` nothing but memory and temporary folders, `host` real
// programs on loopback (registry, oras, cosign, compilers), `guest` real kernels in QEMU.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'fast',
          include: [
            '{src,packaging}/**/*.test.ts',
            'packaging/**/*.test.mjs',
            'test/{sim,crash,cli,tidy,vectors,fuzz}/**/*.test.ts',
            'test/*.test.ts',
          ],
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'host',
          include: ['test/{adapters,publisher,native,interop,enforcer,agent}/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'guest',
          include: ['test/{guest,vm}/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
