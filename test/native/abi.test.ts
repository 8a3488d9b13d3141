// The layouts of src/wire/abi*.ts against what a C compiler says of bpf/include/abi.h.
//
// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { packImage, SIZE, unpackHeader } from '../../src/wire/abi.ts';
import { unpackCounters, unpackEvent } from '../../src/wire/abi-events.ts';
import { packGlass, unpackGlass } from '../../src/wire/abi-glass.ts';

const INCLUDE = fileURLToPath(new URL('../../bpf/include', import.meta.url));

// The program fills every field with a value of its own and prints the bytes.
const PROGRAM = `
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include "abi.h"
static void bytes(const char *name, const void *from, size_t size)
{
	printf("\\"%s\\": \\"", name);
	for (size_t i = 0; i < size; i++)
		printf("%02x", ((const unsigned char *)from)[i]);
	printf("\\",\\n");
}
int main(void)
{
	struct wd_event event = {
		.sequence = 1, .generation = 2, .boottime_ns = 3, .start_boottime_ns = 4,
		.cgroup_id = 5,
		.object = { .ino = 6, .sub = 7, .dev = 8, .gen = 9 },
		.exe = { .ino = 10, .sub = 11, .dev = 12, .gen = 13 },
		.cpu = 14, .rule = 15, .hook = WD_HOOK_INODE_RENAME, .op = WD_OP_RENAME,
		.action = WD_ACTION_DENY, .reason = WD_REASON_REFER, .path_len = 8, .ret = -13,
		.pid = 16, .tgid = 17, .ppid = 18, .uid = 19, .path_flags = WD_PATH_CUT,
		.kernel_stack = 20, .user_stack = 21, .token = 22,
		.comm = "mv", .path = "key\\0srv",
	};
	struct wd_counters counters = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	struct wd_generation header;
	printf("{\\n");
	memset(&header, 0, sizeof(header));
	header.generation = 21; header.bank = 3; header.rules = 65;
	memset(header.digest, 0xab, 32);
	header.enforce.word[1] = 1; header.op[WD_OP_READ].word[0] = 2;
	header.op[WD_OP_EXECUTE].word[15] = 3; header.scoped.word[1] = 1;
	header.matches = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 3 | 1 << 12; header.grouped = 1;
	struct wd_glass glass = { .token = 23, .until_ns = 24, .generation = 25, .cgroup = 26,
		.level = 3, .rules.word = { [0] = 5, [15] = 6 } };
	bytes("glass", &glass, sizeof(glass));
	bytes("event", &event, sizeof(event));
	bytes("counters", &counters, sizeof(counters));
	bytes("header", &header, sizeof(header));
	struct { struct wd_identity key; struct wd_object value; } object =
		{ { 1, 2, 3, 4 }, { .self = 5, .tree = 6, .ancestor = 7, .exe = 8,
		.flags = WD_OBJECT_HAS_NAMES } };
	bytes("object", &object, sizeof(object));
	struct { struct wd_name_key key; struct wd_object value; } name =
		{ { { 1, 2, 3, 4 }, "shadow" }, { .self = 5 } };
	bytes("name", &name, sizeof(name));
	struct { struct wd_exempt_key key; __u32 value; } exempt[] = {
		{ { 0, 0, 0, 0, 0 }, 0 },
		{ { 0, 0, 0, 33, WD_EXEMPT_UID }, 1 },
		{ { 0, 6, 7, 0, WD_EXEMPT_PARENT | WD_EXEMPT_GROUP }, 5 },
		{ { 2, 0, 0, 0, WD_EXEMPT_EXE }, 3 },
		{ { 2, 0, 0, 33, WD_EXEMPT_EXE | WD_EXEMPT_UID }, 4 } };
	bytes("exempt", exempt, sizeof(exempt));
	struct { struct wd_group_key key; struct wd_group value; } group =
		{ { WD_GROUP_UNITS, "nginx.service" }, { .next = 9, .group = 7, .scope = 2 } };
	bytes("group", &group, sizeof(group));
	printf("\\"hooks\\": %d, \\"ruleset\\": %zu, \\"identity\\": %zu, \\"object_size\\": %zu,"
	       "\\"name_key\\": %zu, \\"exempt_key\\": %zu,"
	       "\\"group_key\\": %zu, \\"group_size\\": %zu, \\"generation\\": %zu}\\n",
	       WD_HOOK_TASK_PRCTL, sizeof(struct wd_ruleset), sizeof(struct wd_identity),
	       sizeof(struct wd_object), sizeof(struct wd_name_key), sizeof(struct wd_exempt_key),
	       sizeof(struct wd_group_key), sizeof(struct wd_group),
	       sizeof(struct wd_generation));
	return 0;
}
`;

function runC(): Record<string, unknown> {
  const folder = mkdtempSync(join(tmpdir(), 'warder-abi-'));
  try {
    writeFileSync(join(folder, 'abi.c'), PROGRAM);
    execFileSync(process.env['CC'] ?? 'cc', [
      '-I',
      INCLUDE,
      '-o',
      join(folder, 'abi'),
      join(folder, 'abi.c'),
    ]);
    return JSON.parse(execFileSync(join(folder, 'abi'), { encoding: 'utf8' })) as Record<
      string,
      unknown
    >;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const c = runC();
const hex = (name: string) => new Uint8Array(Buffer.from(String(c[name]), 'hex'));

describe('src/wire/abi', () => {
  it('has the sizes of the C header', () => {
    expect({
      ruleset: c['ruleset'],
      identity: c['identity'],
      object: c['object_size'],
      nameKey: c['name_key'],
      exemptKey: c['exempt_key'],
      groupKey: c['group_key'],
      group: c['group_size'],
      generation: c['generation'],
    }).toEqual(SIZE);
  });

  it('reads an event that C wrote', () => {
    expect(unpackEvent(hex('event'))).toEqual({
      sequence: 1n,
      generation: 2,
      boottimeNs: 3n,
      startBoottimeNs: 4n,
      cgroupId: 5n,
      object: { ino: 6n, sub: 7n, dev: 8, gen: 9 },
      exe: { ino: 10n, sub: 11n, dev: 12, gen: 13 },
      cpu: 14,
      rule: 15,
      hook: 'inode_rename',
      operation: 'rename',
      action: 'deny',
      reason: 'refer',
      ret: -13,
      pid: 16,
      tgid: 17,
      ppid: 18,
      uid: 19,
      stacks: { kernel: 20n, user: 21n },
      token: 22n,
      comm: 'mv',
      names: ['key', 'srv'],
      pathCut: true,
    });
  });

  it('packs the rows and the header that C would', () => {
    const identity = { ino: 1n, sub: 2n, dev: 3, gen: 4 };
    const nobody = { exe: null, parent: null, group: null, uid: null };
    const none = { self: 0, tree: 0, ancestor: 0, exe: 0, hasNames: false };
    const packed = packImage(
      {
        rules: 65,
        enforce: 1n << 64n,
        scoped: 1n << 64n,
        op: [0n, 2n, 0n, 0n, 0n, 0n, 0n, 0n, 3n << 960n],
        objects: [{ identity, object: { self: 5, tree: 6, ancestor: 7, exe: 8, hasNames: true } }],
        names: [
          {
            parent: identity,
            name: new TextEncoder().encode('shadow'),
            object: { ...none, self: 5 },
          },
        ],
        labels: [0n],
        exempt: [
          { ...nobody, exe: 2, uid: 33, label: 4 },
          { ...nobody, exe: 2, label: 3 },
          { ...nobody, uid: 33, label: 1 },
          { ...nobody, parent: 6, group: 7, label: 5 },
          { ...nobody, label: 0 },
        ],
        groups: [{ node: 2, name: 'nginx.service', next: 9, group: 7, scope: 2 }],
      },
      { generation: 21, bank: 3 },
    );
    expect(Buffer.from(packed.objects).toString('hex')).toBe(c['object']);
    expect(Buffer.from(packed.names).toString('hex')).toBe(c['name']);
    expect(Buffer.from(packed.exempt).toString('hex')).toBe(c['exempt']);
    expect(Buffer.from(packed.groups).toString('hex')).toBe(c['group']);
    const header = packed.header.slice();
    expect(unpackHeader(header)).toEqual({
      generation: 21,
      bank: 3,
      rules: 65,
      digest: packed.digest,
    });
    header.fill(0xab, 16, 48);
    expect(Buffer.from(header).toString('hex')).toBe(c['header']);
  });

  it('refuses an event or counters of another size', () => {
    expect(unpackEvent(hex('event').subarray(1))).toBeNull();
    expect(unpackCounters(hex('counters').subarray(8))).toBeNull();
  });

  it('writes and reads break-glass as C has it', () => {
    const glass = {
      token: 23n,
      untilNs: 24n,
      generation: 25,
      cgroup: { id: 26n, level: 3 },
      rules: 5n | (6n << 960n),
    };
    expect(Buffer.from(packGlass(glass)).toString('hex')).toBe(c['glass']);
    expect(unpackGlass(hex('glass'))).toEqual(glass);
    expect(unpackGlass(hex('glass').subarray(8))).toBeNull();
  });

  it('reads counters that C wrote', () => {
    expect(unpackCounters(hex('counters'))).toEqual({
      sequence: 1n,
      emitted: 2n,
      dropped: 3n,
      denied: 4n,
      audited: 5n,
      incomplete: 6n,
      decisions: 7n,
      retries: 8n,
      let: 9n,
    });
  });
});
