// What a schema found, as causes of a failure: `path: sentence`, escaped and cut.
//
// SPDX-License-Identifier: Apache-2.0

import type { z } from 'zod';
import { CAUSES_MAX } from '../core/result.ts';
import { quote } from './zod-words.ts';

/** The first issues of a schema as causes. */
export function zodCauses(error: z.ZodError): readonly string[] {
  return error.issues.slice(0, CAUSES_MAX).map((issue) => {
    const path = issue.path.map(String).join('.');
    const sentence = quote(issue.message).slice(1, -1);
    return path === '' ? sentence : `${quote(path).slice(1, -1)}: ${sentence}`;
  });
}
