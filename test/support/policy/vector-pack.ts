// The vector pack: one image and many requests in one binary file, for the native and the kernel runner
// (test/vectors/native/, test/vectors/kernel/). They print one line of JSON for each request.
//
// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildImage } from '../../../src/core/image/build.ts';
import type { Identity } from '../../../src/core/image/resolution.ts';
import { OPERATIONS } from '../../../src/core/policy/document.ts';
import type { PolicyIr } from '../../../src/core/policy/ir.ts';
import type { Request, Verdict } from '../../../src/core/policy/request.ts';
import { packIdentity, packImage, SIZE } from '../../../src/wire/abi.ts';
import { concat, Packer } from '../../../src/wire/packer.ts';
import {
  type Step,
  SyntheticHost,
  type SyntheticProgram,
  type SyntheticRequest,
} from './synthetic-host.ts';

const MAGIC = 0x57445650;
const ABI_VERSION = 3;
const STEPS = 16;
const NAME_BYTES = 64;
const STEP_BYTES = 24 + NAME_BYTES;
const GROUPS = 16;
const PROGRAM_BYTES = 24 + 24 + NAME_BYTES;
const REQUEST_BYTES =
  8 + 2 * PROGRAM_BYTES + 8 + 16 + 2 * STEPS * STEP_BYTES + GROUPS * NAME_BYTES + 16 + 8;
const NO_IDENTITY = new Uint8Array(24);

/** Packs the image of `ir` on a synthetic host, and the requests as that host's kernel sees them. */
export function packVectors(ir: PolicyIr, requests: readonly Request[]): Uint8Array {
  const host = new SyntheticHost();
  const image = buildImage(ir, host.resolve(ir, requests));
  if (!image.ok) throw new Error(image.error.message);
  const packed = packImage(image.value, { generation: 1, bank: 0 });
  const head = new Packer(32)
    .u32(MAGIC)
    .u32(ABI_VERSION)
    .u32(packed.objects.length / (SIZE.identity + SIZE.object))
    .u32(packed.names.length / (SIZE.nameKey + SIZE.object))
    .u32(packed.labels.length / (4 + SIZE.ruleset))
    .u32(packed.exempt.length / (SIZE.exemptKey + 4))
    .u32(packed.groups.length / (SIZE.groupKey + SIZE.group))
    .u32(requests.length);
  return concat([
    head.bytes,
    packed.header,
    packed.objects,
    packed.names,
    withoutKeys(packed.labels),
    packed.exempt,
    packed.groups,
    ...requests.map((request) => packRequest(request, host.observe(ir, request))),
  ]);
}

// In the pack a label's number is its place.
function withoutKeys(labels: Uint8Array): Uint8Array {
  const rows: Uint8Array[] = [];
  for (let at = 0; at < labels.length; at += 4 + SIZE.ruleset) {
    rows.push(labels.subarray(at + 4, at + 4 + SIZE.ruleset));
  }
  return concat(rows);
}

function packRequest(request: Request, seen: SyntheticRequest): Uint8Array {
  return new Packer(REQUEST_BYTES)
    .u32(toOp(request))
    .u32(request.uid ?? 0)
    .raw(packProgram(seen.exe))
    .raw(packProgram(seen.parentExe))
    .u32(seen.groups.length)
    .u32(0)
    .u32(seen.from.length)
    .u32(seen.to.length)
    .u32(request.replaces === true ? 1 : 0)
    .u32(seen.isDir ? 1 : 0)
    .raw(toSteps(seen.from))
    .raw(toSteps(seen.to))
    .raw(packGroups(seen.groups)).bytes;
}

// The hook tells reading from writing; both are the operation `use` (OP-11).
function toOp({ operation, access }: Request): number {
  if (operation !== 'use') return OPERATIONS.indexOf(operation) + 1;
  return access === 'read' ? OPERATIONS.length + 1 : OPERATIONS.length + 2;
}

function packProgram(program: SyntheticProgram | null): Uint8Array {
  return concat([
    toIdentity(program?.identity ?? null),
    toIdentity(program?.parent ?? null),
    toName(program?.name ?? ''),
  ]);
}

function packGroups(groups: readonly string[]): Uint8Array {
  const packer = new Packer(GROUPS * NAME_BYTES);
  for (const name of groups.slice(0, GROUPS)) packer.raw(toName(name));
  return packer.bytes;
}

function toIdentity(identity: Identity | null): Uint8Array {
  return identity === null ? NO_IDENTITY : packIdentity(identity);
}

function toName(name: string): Uint8Array {
  const bytes = new TextEncoder().encode(name);
  if (bytes.length >= NAME_BYTES) throw new Error(`too long for a vector: ${name}`);
  return new Packer(NAME_BYTES).raw(bytes).bytes;
}

function toSteps(steps: readonly Step[]): Uint8Array {
  if (steps.length > STEPS) throw new Error('too deep for a vector');
  const packer = new Packer(STEPS * STEP_BYTES);
  for (const { identity, name } of steps) packer.raw(toIdentity(identity)).raw(toName(name));
  return packer.bytes;
}

const ACTIONS = ['unset', 'allow', 'audit', 'deny'] as const;
const REASONS = ['unset', 'rule', 'refer', 'incomplete', 'self'] as const;

/** What a runner said of one request, in the words of a verdict. */
export interface RunnerVerdict {
  readonly verdict: string;
  readonly rule: string | null;
  readonly reason: string | null;
  readonly ret: number;
}

/** Rules, and what is asked of them. */
export interface Asked {
  readonly ir: PolicyIr;
  readonly requests: readonly Request[];
}

/** Runs a runner once on all packs and reads its lines, pack by pack. */
export function runRunner(
  runner: string,
  asked: readonly Asked[],
): readonly (readonly RunnerVerdict[])[] {
  const folder = mkdtempSync(join(tmpdir(), 'warder-pack-'));
  try {
    const files = asked.map(({ ir, requests }, at) => {
      const file = join(folder, `pack-${at}`);
      writeFileSync(file, packVectors(ir, requests));
      return file;
    });
    const lines = execFileSync(runner, files, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
      .trim()
      .split('\n');
    return asked.map(({ ir, requests }) =>
      lines.splice(0, requests.length).map((line) => toVerdict(ir, JSON.parse(line) as RunnerLine)),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface RunnerLine {
  readonly action: number;
  readonly rule: number;
  readonly reason: number;
  readonly ret: number;
}

function toVerdict(ir: PolicyIr, { action, rule, reason, ret }: RunnerLine): RunnerVerdict {
  const verdict = ACTIONS[action] ?? `action ${action}`;
  if (verdict === 'allow') return { verdict, rule: null, reason: null, ret };
  return {
    verdict,
    rule: ir.rules[rule]?.id ?? `rule ${rule}`,
    reason: REASONS[reason] ?? `reason ${reason}`,
    ret,
  };
}

/** A verdict of decide() as a runner must print it. */
export function toRunnerVerdict({ verdict, rule, reason }: Verdict): RunnerVerdict {
  return { verdict, rule, reason, ret: verdict === 'deny' ? -13 : 0 };
}
