// Facts of a host as `warder-enforcer --facts` prints them for `warder doctor`.
//
// SPDX-License-Identifier: Apache-2.0

import * as z from 'zod';
import type { HostFacts } from '../core/enforcer/kernel.ts';
import { err, failure, ok, type Result } from '../core/result.ts';
import { parseStrictJson } from './strict-json.ts';
import { fitShape } from './zod-words.ts';

const BYTES_MAX = 256 * 1024;

const shape: z.ZodType<HostFacts> = z.strictObject({
  release: z.string().max(128),
  btf: z.boolean(),
  lsm: z.array(z.string().max(64)).max(64),
  bpffs: z.boolean(),
  capabilities: z.array(z.string().max(64)).max(64),
  lockdown: z.enum(['none', 'integrity', 'confidentiality', 'unknown']),
  preemption: z.enum(['none', 'voluntary', 'full', 'unknown']),
  hooks: z
    .array(
      z.strictObject({
        hook: z.string().max(64),
        program: z.string().max(64).nullable(),
        nargs: z.int().min(0).nullable(),
        ops: z.int().min(0),
        onlyIfPresent: z.boolean(),
      }),
    )
    .max(256),
});

/** Reads what the program printed. */
export function parseHostFacts(bytes: Uint8Array): Result<HostFacts> {
  const json = parseStrictJson(bytes, { bytesMax: BYTES_MAX });
  const parsed = json.ok ? fitShape(shape, json.value) : null;
  if (parsed?.success === true) return ok(parsed.data);
  return err(
    failure(
      'host/facts-unavailable',
      'warder-enforcer --facts did not answer as this version does',
    ),
  );
}
