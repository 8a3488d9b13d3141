// Break-glass as the kernel takes it: `struct wd_glass` of bpf/include/abi.h. A test in test/native/
// compares the bytes with what a C compiler makes of the same values.
//
// SPDX-License-Identifier: Apache-2.0

import type { KernelGlass } from '../core/enforcer/kernel.ts';
import { packRuleSet } from './abi.ts';
import { Packer, Unpacker } from './packer.ts';

const GLASS_BYTES = 168;
const HEAD_BYTES = 40;

/** Packs one. */
export function packGlass({ token, untilNs, generation, cgroup, rules }: KernelGlass): Uint8Array {
  return new Packer(GLASS_BYTES)
    .u64(token)
    .u64(untilNs)
    .u64(BigInt(generation))
    .u64(cgroup?.id ?? 0n)
    .u32(cgroup?.level ?? 0)
    .u32(0)
    .raw(packRuleSet(rules)).bytes;
}

/** Reads one; null when it has another size. */
export function unpackGlass(bytes: Uint8Array): KernelGlass | null {
  if (bytes.length !== GLASS_BYTES) return null;
  const from = new Unpacker(bytes);
  const [token, untilNs, generation, id] = [from.u64(), from.u64(), from.u64(), from.u64()];
  const level = from.u32();
  const words = new Unpacker(bytes.subarray(HEAD_BYTES));
  let rules = 0n;
  for (let at = 0n; at < (GLASS_BYTES - HEAD_BYTES) * 8; at += 64n) rules |= words.u64() << at;
  const cgroup = id === 0n ? null : { id, level };
  return { token, untilNs, generation: Number(generation), cgroup, rules };
}
