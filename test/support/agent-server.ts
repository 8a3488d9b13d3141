// The enforcer's server as agents of a test reach it: whoever connects is the agent's user, and a bug ends
// the test.
//
// SPDX-License-Identifier: Apache-2.0

import { ok } from '../../src/core/result.ts';
import type { Enforcer } from '../../src/enforcer/enforcer.ts';
import { type RunningServer, startServer } from '../../src/enforcer/server.ts';

const AGENT = 1;

/** Serves an enforcer at a socket; `idleMs` is how long a connection may say nothing. */
export function serveAgents(
  path: string,
  enforcer: Enforcer,
  idleMs = 5_000,
): Promise<RunningServer> {
  return startServer({
    path,
    owners: { agentUid: AGENT, readGid: process.getgid?.() ?? 0 },
    enforcer,
    enforcerVersion: '0.1.0',
    peerOf: () => ok({ uid: AGENT, gids: [1] }),
    connectionsMax: 8,
    limits: { frameMs: 5_000, idleMs, unsentBytesMax: 1 << 20 },
    onBug: (cause) => {
      throw cause;
    },
  });
}
