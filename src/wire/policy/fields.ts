// Single values of policies that the YAML schema and the compiled form share: paths, units, control
// groups, digests.
//
// SPDX-License-Identifier: Apache-2.0

import * as z from 'zod';
import type { ErrorCode } from '../../core/errors.ts';
import { isGlob, whyNotPath } from '../../core/policy/path.ts';
import { CGROUP_DEPTH_MAX, depthOf } from '../../core/policy/subject.ts';

/** Units, and control groups, that one scope may name. */
export const SCOPE_MAX = 64;

const UNIT =
  /^[A-Za-z0-9:\\@-][A-Za-z0-9:_.\\@-]{0,246}\.(?:service|scope|slice|socket|mount|swap)$/;
const VERITY_DIGEST = /^sha256:[0-9a-f]{64}$/;

/** A custom issue carries the code that it is reported under. */
export const coded = (code: ErrorCode) => ({ params: { code } });

/** A canonical absolute path. */
export const pathSchema = z
  .string()
  .superRefine((text, context) => {
    const why = whyNotPath(text);
    if (why !== null) {
      context.addIssue({ code: 'custom', message: why, ...coded('policy/path-invalid') });
    }
  })
  .meta({ pattern: '^/([^/]+(/[^/]+)*)?$', description: 'Absolute path without ".." and "//".' });

/** A systemd unit that has a control group. Its name is one name of that group's path. */
export const unitSchema = z
  .string()
  .regex(UNIT, 'the name of a systemd unit, like nginx.service')
  .describe('systemd unit, like nginx.service.');

/** A control group of the unified hierarchy. */
export const cgroupSchema = pathSchema
  .refine((text) => !isGlob(text), {
    message: 'a control group has no patterns: everything below it is inside',
    ...coded('policy/path-invalid'),
  })
  .refine((text) => text !== '/', {
    message: 'every process is in the root of the control groups',
    ...coded('policy/exemption-matches-all'),
  })
  .refine((text) => depthOf(text) <= CGROUP_DEPTH_MAX, {
    message: `a control group in a policy has at most ${CGROUP_DEPTH_MAX} names`,
    ...coded('policy/path-invalid'),
  })
  .meta({
    pattern: '^/[^*?\\[\\]{}]+$',
    description: 'Path in the unified hierarchy, like /machine.slice.',
  });

/** The fs-verity digest of an executable. */
export const verityDigestSchema = z
  .string()
  .regex(
    VERITY_DIGEST,
    'sha256: and 64 lower-case hexadecimal digits, as `fsverity measure` prints',
  )
  .describe('fs-verity digest of the program: sha256:…');

/** Whether an exemption says whom it is for. */
export function namesSubject(entry: Readonly<Record<string, unknown>>): boolean {
  return ['exe', 'uid', 'unit', 'cgroup', 'parentExe'].some((field) => entry[field] !== undefined);
}
