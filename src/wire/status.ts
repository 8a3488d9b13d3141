// status.json: what the agent last said of itself. Written by the agent, read by `warder status`, which
// must not fall over one that an older or newer agent wrote.
//
// SPDX-License-Identifier: Apache-2.0

import * as z from 'zod';
import { err, failure, ok, type Result } from '../core/result.ts';
import type { AgentStatus } from '../core/status.ts';
import { fitShape } from './zod-words.ts';

// The shape that readers rely on; what is below it is the agent's own word, shown and not acted on.
const StatusDocument = z.looseObject({
  apiVersion: z.literal('warder.dev/status/v1'),
  agentVersion: z.string(),
  reference: z.string(),
  at: z.string(),
  conditions: z.array(
    z.looseObject({
      type: z.string(),
      status: z.enum(['True', 'False', 'Unknown']),
      reason: z.string(),
      message: z.string(),
      lastTransitionTime: z.string(),
    }),
  ),
  lastRequestAt: z.string().nullable(),
  lastRefusal: z
    .looseObject({
      digest: z.string(),
      at: z.string(),
      failures: z.array(z.looseObject({ code: z.string(), message: z.string() })),
    })
    .nullable(),
});

/** The text of status.json. */
export function encodeStatus(status: AgentStatus): string {
  return `${JSON.stringify(status, null, 2)}\n`;
}

/** Reads status.json; `state/corrupt` when it is none. */
export function parseStatus(text: string): Result<AgentStatus> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    return err(failure('state/corrupt', "the agent's status is not JSON"));
  }
  const parsed = fitShape(StatusDocument, value);
  if (parsed.success) return ok(parsed.data as unknown as AgentStatus);
  return err(
    failure('state/corrupt', "the agent's status does not fit its schema", {
      causes: parsed.error.issues.map((it) => `${it.path.join('.')}: ${it.message}`),
    }),
  );
}
