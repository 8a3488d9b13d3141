// `warder trust update`: its options.
//
// SPDX-License-Identifier: Apache-2.0

import { resolve } from 'node:path';
import type { Command } from 'commander';
import { updateTrust } from '../commands/trust-update.ts';
import { withExamples } from '../examples.ts';
import type { Session } from '../session.ts';

interface UpdateOptions {
  readonly mirror: string;
  readonly root: string;
  readonly trust: string;
  readonly out?: string;
  readonly signingConfig?: string;
  readonly state: string;
  readonly socket: string;
  readonly force: boolean;
  readonly dryRun: boolean;
}

/** Adds the command to its group. */
export function addTrustUpdate(group: Command, session: Session, socket: string): void {
  const { services, io } = session;
  withExamples(
    group.command('update'),
    [
      'warder trust update --mirror https://tuf.example.com --root tuf-root.json --dry-run',
      'what a newer trusted root would change on this host',
    ],
    [
      'warder trust update --mirror https://tuf.example.com --root tuf-root.json --out trusted_root.json',
      'only a file, where a trust policy is written and signed',
    ],
  )
    .description('take over a newer trusted root from a TUF repository; nothing else ever asks one')
    .requiredOption('--mirror <url>', 'address of the repository (https)')
    .requiredOption('--root <file>', 'its first root, from a source that is trusted')
    .option('--trust <file>', 'trust policy that names the trusted root', '/etc/warder/trust.yaml')
    .option('--out <file>', 'write this file and ask no enforcer')
    .option('--signing-config <file>', 'also take over the signing configuration into this file')
    .option('--state <dir>', 'what was seen of repositories', '/var/lib/warder/tuf')
    .option('--force', 'also where it distrusts what is active', false)
    .option('--dry-run', 'show what would change, write no trusted root', false)
    .option('--socket <path>', 'socket of the enforcer', socket)
    .action(async (options: UpdateOptions) => {
      const at = (path: string) => resolve(io.cwd, path);
      const { mirror, out, signingConfig, force, dryRun } = options;
      const into =
        out === undefined
          ? ({
              kind: 'host',
              trust: at(options.trust),
              enforcer: services.enforcer(options.socket),
            } as const)
          : ({ kind: 'file', path: at(out) } as const);
      session.finish(
        await updateTrust(
          {
            place: { mirror, root: at(options.root), stateDir: at(options.state) },
            into,
            signingConfig: signingConfig === undefined ? null : at(signingConfig),
            force,
            dryRun,
          },
          services,
        ),
      );
    });
}
