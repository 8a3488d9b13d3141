// From the case table to what a guest needs: shell scripts that lay out, mount and try, and two policies.
//
// SPDX-License-Identifier: Apache-2.0

import { dirname } from 'node:path';
import { OPERATIONS } from '../../../src/core/policy/document.ts';
import { type Attempt, type Case, SCOPE_UNIT } from '../cases/case.ts';
import { isWritable, mountScript, outlivesUnmount, unmountScript } from '../places.ts';
import { EXEMPT_PROGRAM, PARENT_PROGRAM, policyName } from './exempt.ts';
import {
  fill,
  insideOf,
  isPlayed,
  MODES,
  type PlayMode,
  placeOf,
  placesOf,
  type Selected,
  type Variant,
} from './selection.ts';

/** What could not be laid out; checked at the end, so that all of it is told at once. */
const FAILED = '/run/layout-failed';
const CGROUPS = '/sys/fs/cgroup';
// What attempts have mounted in audit and in control, the last first.
const UNMOUNT_LEFT =
  'grep -o \' /fs/[^/ ]*/[^ ]* \' /proc/mounts | sort -r | while read -r it; do umount "$it"; done';
const DROP_CACHES = 'echo 3 > /proc/sys/vm/drop_caches';

/** One attempt as it was made. */
export interface Played {
  readonly id: string;
  readonly variant: Variant;
  readonly mode: PlayMode;
  readonly index: number;
  readonly pid: number;
  /** `OK` or the name of an errno. */
  readonly outcome: string;
}

type Each = (it: Case, mode: PlayMode, variant: Variant) => readonly string[];

function forEach(selected: readonly Selected[], each: Each): readonly string[] {
  return selected
    .filter(isPlayed)
    .flatMap(({ it, variants }) =>
      variants.flatMap((variant) => MODES.flatMap((mode) => each(it, mode, variant))),
    );
}

/** Mounts the places, and makes the exempt program: both are gone after a reboot. */
export function prepareScript(selected: readonly Selected[]): string {
  return [
    `cp /usr/local/bin/op ${EXEMPT_PROGRAM}`,
    `cp /usr/local/bin/op ${PARENT_PROGRAM}`,
    `grep -q ' ${CGROUPS} ' /proc/mounts || mount -t cgroup2 none ${CGROUPS}`,
    mountScript(placesOf(selected)),
  ].join('\n');
}

/** Lays out every case three times in every variant, before anything is enforced. */
export function layoutScript(selected: readonly Selected[]): string {
  const lines = forEach(selected, (it, mode, variant) => {
    const dir = fill('$D', it, mode, variant);
    const make = `mkdir -p ${dir}; chmod 755 ${dir}`;
    const setup = `( ${fill(it.setup, it, mode, variant)} ) || echo "layout of ${dir}" >> ${FAILED}`;
    return isWritable(placeOf(it)) ? [make, setup] : [setup];
  });
  return [...lines, attachScript(selected), reportScript(), 'sync'].join('\n');
}

/** Mounts what cases have mounted; the layout of cases in memory is made again. */
export function attachScript(selected: readonly Selected[]): string {
  return forEach(selected, (it, mode, variant) =>
    it.attach === undefined
      ? []
      : [
          `( ${fill(it.attach, it, mode, variant)} ) || echo "attach ${fill('$D', it, mode, variant)}" >> ${FAILED}`,
        ],
  ).join('\n');
}

function reportScript(): string {
  return `if [ -s ${FAILED} ]; then cat ${FAILED} >&2; exit 1; fi`;
}

/** Directories that read-only places must hold. */
export function sealedDirectories(selected: readonly Selected[], place: string): readonly string[] {
  return forEach(selected, (it, mode, variant) =>
    placeOf(it) === place ? [insideOf(it, mode, variant)] : [],
  );
}

/** Unmounts everything that keeps its contents, and mounts it again. */
export function remountScript(selected: readonly Selected[]): string {
  const places = placesOf(selected);
  const detach = forEach(selected, (it, mode, variant) =>
    it.detach === undefined ? [] : [`( ${fill(it.detach, it, mode, variant)} )`],
  );
  const stays = new Set([...places].filter(outlivesUnmount));
  const mounted = mountScript(stays);
  return [
    ...detach,
    UNMOUNT_LEFT,
    unmountScript(places),
    mounted,
    attachScript(selected),
    reportScript(),
  ].join('\n');
}

/** What is protected and does not outlive an unmount, in the order of the rules. */
export function pathsInMemory(selected: readonly Selected[]): readonly string[] {
  const gone = selected.filter((one) => isPlayed(one) && !outlivesUnmount(placeOf(one.it)));
  const paths = forEach(gone, (it, mode, variant) =>
    mode === 'control'
      ? []
      : it.protect.map(({ path, tree }) => fill(path ?? tree ?? '', it, mode, variant)),
  );
  return [...paths].sort();
}

/** The policies of one mode, by file: a rule for each case, with the objects of all its variants. */
export function policiesOf(
  mode: 'enforce' | 'audit',
  selected: readonly Selected[],
  description: string,
): Readonly<Record<string, string>> {
  const played = selected.filter(isPlayed);
  const scoped = played.filter(({ it }) => it.scoped === true);
  const free = played.filter(({ it }) => it.scoped !== true);
  const name = (isScoped: boolean) => `policies/${policyName(mode, isScoped)}.yaml`;
  return {
    [name(false)]: policyOf(mode, free, description, false),
    ...(scoped.length === 0 ? {} : { [name(true)]: policyOf(mode, scoped, description, true) }),
  };
}

function policyOf(
  mode: 'enforce' | 'audit',
  selected: readonly Selected[],
  description: string,
  scoped: boolean,
): string {
  return [
    'apiVersion: warder.dev/v1alpha1',
    'kind: FilePolicy',
    'metadata:',
    `  name: ${policyName(mode, scoped)}`,
    `  description: ${description}`,
    'spec:',
    `  mode: ${mode}`,
    ...(scoped ? [`  scope: { units: [${SCOPE_UNIT}] }`] : []),
    '  rules:',
    ...selected.map((one) => ruleOf(one, mode)),
    '',
  ].join('\n');
}

function ruleOf({ it, variants }: Selected, mode: PlayMode): string {
  const most = OPERATIONS.filter((operation) => operation !== 'mount' && operation !== 'use');
  const operations = it.deny === 'all' ? most : it.deny;
  const objects = variants.flatMap((variant) =>
    it.protect.map(({ path, tree }) =>
      path === undefined
        ? `        - tree: ${fill(tree ?? '', it, mode, variant)}`
        : `        - path: ${fill(path, it, mode, variant)}`,
    ),
  );
  return [
    `    - id: case-${it.id}`,
    `      reason: case ${it.id}`,
    '      protect:',
    ...objects,
    `      deny: [${operations.join(', ')}]`,
    '      except:',
    `        - exe: ${EXEMPT_PROGRAM}`,
    ...(it.exemptUid === undefined ? [] : [`        - uid: ${it.exemptUid}`]),
    ...(it.except ?? []).map((entry) => `        - { ${fill(entry, it, mode, 'plain')} }`),
  ].join('\n');
}

/** Makes every attempt of a variant and prints `ID|VARIANT|MODE|INDEX|PID OUTCOME`. */
export function attemptScript(selected: readonly Selected[], variant: Variant): string {
  const played = selected.filter(({ variants }) => variants.includes(variant));
  const attempts = played.flatMap((one) =>
    MODES.flatMap((mode) =>
      one.attempts.map((_, index) => attemptLines(one, mode, variant, index)),
    ),
  );
  // What an attempt has moved away would keep the next generation from being made (LIVE-3).
  const directories = played.flatMap(({ it }) =>
    MODES.flatMap((mode) =>
      it.protect.map(({ path, tree }) => fill(path ?? tree ?? '', it, mode, variant)),
    ),
  );
  const repair = [...new Set(directories.map((path) => `mkdir -p ${dirname(path)}`))];
  const forget = variant === 'drop' ? [DROP_CACHES] : [];
  return [...forget, ...attempts, ...repair].join('\n');
}

function attemptLines(
  { it, attempts }: Selected,
  mode: PlayMode,
  variant: Variant,
  index: number,
): string {
  const attempt = attempts[index] as Attempt;
  // Once is enough for files that nobody has touched since.
  const forget = variant === 'drop' && attempts[index - 1]?.expect === 'A';
  const put = (text: string) => fill(text, it, mode, variant);
  const words = attempt.run.map((word) => `"${put(word)}"`).join(' ');
  const by = attempt.by && put(attempt.by);
  const program = by ?? (attempt.as === 'exempt' ? EXEMPT_PROGRAM : '/usr/local/bin/op');
  const enter = attempt.within === undefined ? '' : enterGroup(attempt.within);
  const as =
    attempt.as === 'alice' ? '/usr/bin/setpriv --reuid 1000 --regid 1000 --clear-groups ' : '';
  return [
    ...(attempt.before === undefined ? [] : [put(attempt.before)]),
    ...(forget ? [DROP_CACHES] : []),
    `echo "${it.id}|${variant}|${mode}|${index}|$(${enter}${as}${program} ${words} 2>&1)"`,
  ].join('\n');
}

// Runs what follows in a control group.
function enterGroup(group: string): string {
  const dir = `${CGROUPS}/${group}`;
  return `mkdir -p ${dir}; /bin/sh -c 'echo 0 > ${dir}/cgroup.procs && exec "$@"' in `;
}

/** Reads what the attempt script printed. */
export function readPlayed(stdout: string): readonly Played[] {
  return stdout
    .trim()
    .split('\n')
    .map((line) => {
      const [id = '', variant = '', mode = '', index = '', rest = ''] = line.split('|');
      const match = /^(\d+) ([A-Z]\w*)$/.exec(rest);
      return {
        id,
        variant: variant as Variant,
        mode: mode as PlayMode,
        index: Number(index),
        // What is no outcome is shown as it stands, and no case expects it.
        pid: Number(match?.[1] ?? -1),
        outcome: match?.[2] ?? rest,
      };
    });
}
