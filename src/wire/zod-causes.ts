// What a schema found, as causes of a failure: `path: sentence`, escaped and cut.
//
// SPDX-License-Identifier: Apache-2.0

import type { z } from 'zod';
import { CAUSES_MAX } from '../core/result.ts';

const TEXT_LENGTH_MAX = 200;

/** A value of a stranger as text that is safe to print: JSON-quoted, cut, ASCII only. */
export function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing';
  const cut = text.length > TEXT_LENGTH_MAX ? `${text.slice(0, TEXT_LENGTH_MAX)}...` : text;
  return cut.replace(
    /[^\x20-\x7e]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The first issues of a schema as causes. */
export function zodCauses(error: z.ZodError): readonly string[] {
  return error.issues.slice(0, CAUSES_MAX).map((issue) => {
    const path = issue.path.map(String).join('.');
    const sentence = quote(issue.message).slice(1, -1);
    return path === '' ? sentence : `${quote(path).slice(1, -1)}: ${sentence}`;
  });
}
