// Tells systemd that the agent is ready, by the helper that ships with systemd: Node cannot send
// datagrams to a Unix socket. Optional: without NOTIFY_SOCKET nothing is run. The unit needs
// NotifyAccess=all, because the helper is a child.
//
// SPDX-License-Identifier: Apache-2.0

import { spawn } from 'node:child_process';
import { ok } from '../../core/result.ts';
import type { ReporterPort } from '../../ports.ts';

const HELPER = '/usr/bin/systemd-notify';

/** Reports readiness at the first report: state is loaded and the enforcer was asked. */
export function systemdReporter(notifySocket: string | undefined): ReporterPort {
  let told = notifySocket === undefined;
  return {
    report: async () => {
      if (!told && notifySocket !== undefined) {
        told = true;
        await notify(notifySocket);
      }
      return ok(undefined);
    },
  };
}

// Whatever becomes of it: a host without the helper is one where readiness is not told.
function notify(notifySocket: string): Promise<void> {
  return new Promise((resolve) => {
    const child = spawn(HELPER, ['--ready'], {
      env: { NOTIFY_SOCKET: notifySocket },
      stdio: 'ignore',
      timeout: 5_000,
    });
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  });
}
