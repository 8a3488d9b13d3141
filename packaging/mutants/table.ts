// Single-line breaks of what decides, and what must notice each. A mutant is one text of one file in the
// place of another; the text stands exactly once in the file.
//
// `by`: ts - the vectors and properties on decide() and the image; c - the vectors and random policies on
// the C header, natively; the others on a real kernel: guest - the case suite; glass - break-glass; self -
// root against Warder; oracle - what is kept beside the walk; health - the attach proof. On a kernel, `only`
// names what must notice it: ids of cases, or a part of the titles of tests. A mutant with `equivalent` may
// survive, for the reason given; at most three have one.
//
// SPDX-License-Identifier: Apache-2.0

import type { Killer, Mutant } from './mutant.ts';
import { ON_KERNEL } from './on-kernel.ts';

type Row = readonly [id: string, from: string, to: string, equivalent?: string];

function inFile(file: string, by: Killer, rows: readonly Row[]): readonly Mutant[] {
  return rows.map(([id, from, to, equivalent]) => ({
    id,
    file,
    from,
    to,
    by,
    ...(equivalent === undefined ? {} : { equivalent }),
  }));
}

/** Every mutant; those that take seconds come first. */
export const MUTANTS: readonly Mutant[] = [
  ...inFile('src/core/policy/decide.ts', 'ts', [
    ['decide-mode', "rule.mode === 'enforce'));", "rule.mode === 'audit'));"],
    ['decide-scope', 'isInScope(rule.scope, request) &&', ''],
    ['decide-exempt', '!rule.except.some(', '!rule.except.every('],
    [
      'decide-create',
      "denies(rule, 'create') && coversName(rule, path);",
      'coversName(rule, path);',
    ],
    ['decide-delete', "return denies(rule, 'delete') && losesObject", 'return losesObject'],
    ['decide-rename', "(denies(rule, 'rename') && losesObject", '(losesObject'],
    ['decide-victim', 'request.replaces === true &&', ''],
    ['decide-link', "(denies(rule, 'link') && coversObject", '(coversObject'],
    [
      'decide-mount',
      "denies(rule, 'mount') && losesObject",
      "denies(rule, 'mount') && coversObject",
    ],
    ['decide-use', "denies(rule, 'use') && denies(rule, request.access)", "denies(rule, 'use')"],
    ['decide-identity', '|| coversName(rule, identity);', ';'],
    ['decide-ancestor', 'isBelow(object.path, identity))', 'false)'],
    ['decide-tree', 'isWithin(path, object.path),', 'isBelow(path, object.path),'],
    [
      'decide-same-parent',
      'parentOf(path) === parentOf(to) || !holdsTreeAbove',
      '!holdsTreeAbove',
      'in one directory the rule holds at both ends, so it carries itself',
    ],
    ['decide-carry-mode', "(rule.mode === 'audit' || other.mode === 'enforce')", 'true'],
    [
      'decide-carry-all',
      'rule.operations.some((it) => !carriers',
      'rule.operations.every((it) => !carriers',
    ],
    ['decide-smallest', 'least.rule.id) < 0', 'least.rule.id) > 0'],
  ]),
  ...inFile('src/core/policy/subject.ts', 'ts', [
    ['subject-exe', 'entry.exe === subject.exe)', 'true)'],
    ['subject-digest', 'entry.digest === subject.exeDigest)', 'true)'],
    ['subject-uid', 'entry.uid === (subject.uid ?? 0))', 'true)'],
    ['subject-unit', '.includes(entry.unit))', '.length > 0)'],
    ['subject-cgroup', 'isWithin(cgroup, entry.cgroup))', 'cgroup.startsWith(entry.cgroup))'],
    ['subject-parent', 'entry.parentExe === subject.parentExe)', 'true)'],
    ['subject-first-unit', 'names.slice(0, first + 1)', 'names'],
    ['subject-scope-cgroup', 'isWithin(cgroup, within))', 'cgroup === within)'],
  ]),
  ...inFile('src/core/image/build.ts', 'ts', [
    ['image-name', 'name.name)[part] |= bit;', 'name.name)[part] |= 0n;'],
    ['image-linked', 'tables.objectAt(identity).self |= bit; // TREE-4', ';'],
    ['image-use', "lists(rule, 'use', 'read')", "rule.operations.includes('use')"],
    ['image-losing', "['delete', 'rename', 'mount']", "['delete', 'rename']"],
    ['image-scoped', 'rule.scope !== undefined', 'false'],
  ]),
  ...inFile('src/core/image/exemptions.ts', 'ts', [
    ['image-digest', '=== null || program.digest === fact.verity;', '!== undefined;'],
    ['image-digest-name', 'if (program.digest !== null) continue;', ''],
    ['image-group', 'group,\n      uid', 'group: null,\n      uid'],
  ]),
  ...inFile('src/core/image/groups.ts', 'ts', [
    [
      'image-node',
      'draft = this.#draft(draft.next, name);',
      'draft = this.#draft(ROOT_NODE, name);',
    ],
    ['image-unit', "if (kind === 'unit') return this.#draft(UNITS_NODE, text);", ''],
  ]),
  ...inFile('bpf/lib/decide.h', 'c', [
    ['c-create', 'op[WD_OP_CREATE].word[w];', 'op[WD_OP_DELETE].word[w];'],
    ['c-remove', 'hits->remove &= -(__u64)pass->terms->remove;', ''],
    ['c-victim', '(there | to->own.word[w]) &', 'there &'],
    ['c-held', 'hits.remove) & held;', 'hits.remove);'],
    ['c-leaving', 'chain.word[w] & held;\n	if', 'chain.word[w];\n	if'],
    [
      'c-enforced',
      'wd_uncarried(generation, out->carried_enforced, w)',
      'wd_uncarried(generation, out->carried, w)',
    ],
    ['c-deny-mode', 'deny &= enforce;', ''],
    [
      'c-audit-mode',
      'audit &= ~enforce;',
      '',
      'an enforced rule among them would have denied above',
    ],
    ['c-relevant-refer', 'chain.word[w] & -pass->moves;', 'chain.word[w] & 0;'],
  ]),
  ...inFile('bpf/lib/rules.h', 'c', [
    ['c-words', '(generation->rules + 63) / 64', 'generation->rules / 64'],
    ['c-terms', 'terms->create = moves;', 'terms->create = 0 * moves;'],
    ['c-moves', 'op == WD_OP_RENAME || op == WD_OP_LINK;', 'op == WD_OP_RENAME;'],
    ['c-bit', 'wd_nonzero(bit & 0xccccccccccccccccull) << 1 |', ''],
  ]),
  ...inFile('bpf/lib/walk.h', 'c', [
    ['c-own-tree', 'wd_add(judge, &cover->own, object->tree);', ''],
    ['c-name', 'wd_add(judge, &cover->name, object->self);', ''],
    ['c-clean', 'sizeof(findings->covers));', 'sizeof(findings->covers.side[0]));'],
  ]),
  ...inFile('bpf/lib/judge.h', 'c', [
    ['c-mount-dir', ' || op == WD_OP_MOUNT) && is_dir', ') && is_dir'],
    ['c-exempt', '	wd_exempt(judge);\n', '	if (0)\n		wd_exempt(judge);\n'],
  ]),
  ...inFile('bpf/lib/subject.h', 'c', [
    ['c-class-identity', 'classes[1] = object->exe;', 'classes[1] = 0;'],
    ['c-class-name', 'return object ? object->exe : 0;', 'return 0;'],
    ['c-row-parent', '(up ? WD_EXEMPT_PARENT : 0)', '0'],
    ['c-row-uid', 'row.uid = subject->uid;', ''],
    [
      'c-scope',
      'wd_remove(judge, &subject->outside, group->scope);',
      'wd_remove(judge, &subject->outside, 0);',
    ],
    ['c-slice', 'subject->units = wd_is_slice(subject->key.name, length);', ''],
    [
      'c-node',
      'subject->node = wd_enter(judge, subject->node);',
      'wd_enter(judge, subject->node);',
    ],
    ['c-outside', 'subject->outside = judge->generation->scoped;', ''],
    [
      'c-matches',
      'if (!((judge->generation->matches >> row.match) & 1))\n		return 0;',
      '',
      'the mask only spares lookups that find nothing',
    ],
  ]),
  ...ON_KERNEL,
];
