// `warder key generate`, and what other commands need to use a key: its passphrase, and hints.
//
// SPDX-License-Identifier: Apache-2.0

import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Digest } from '../../core/digest.ts';
import type { Failure } from '../../core/result.ts';
import { withExamples } from '../examples.ts';
import type { Io } from '../io.ts';
import { done, failed } from '../outcome.ts';
import type { Passphrase } from '../publisher-services.ts';
import type { Session } from '../session.ts';
import { fields } from '../text-blocks.ts';

/** The variable that holds the passphrase when nothing else is said. */
export const DEFAULT_VARIABLE = 'WARDER_KEY_PASSPHRASE';

interface KeyOptions {
  readonly out: string;
  readonly passphraseFile?: string;
  readonly passphraseEnv: string;
}

/** Adds `key generate` to the tree. */
export function addKey(program: Command, session: Session): void {
  const group = program.command('key').description('work with signing keys');
  withExamples(
    group.command('generate'),
    [
      'WARDER_KEY_PASSPHRASE=… warder key generate --out key.pem',
      'key.pem for the publisher, key.pem.pub for the trust policies of hosts',
    ],
    [
      'warder key generate --out key.pem --passphrase-file passphrase',
      'the passphrase from a file, without its last line break',
    ],
  )
    .description('make an encrypted signing key (ECDSA P-256) and its public half')
    .requiredOption('--out <file>', 'where the key goes; the public half goes to FILE.pub')
    .option('--passphrase-file <file>', 'file that holds the passphrase')
    .option('--passphrase-env <name>', 'variable that holds it', DEFAULT_VARIABLE)
    .action(async (options: KeyOptions) => {
      const { io, services } = session;
      const made = await services.generateKey(
        resolve(io.cwd, options.out),
        passphraseOf(io, options),
      );
      session.finish(
        made.ok
          ? done(
              'Key',
              {
                file: options.out,
                publicKeyFile: `${options.out}.pub`,
                fingerprint: made.value.fingerprint,
              },
              keyText(options.out, made.value.fingerprint),
            )
          : failed('Key', [withKeyHints(made.error)]),
      );
    });
}

function keyText(file: string, fingerprint: Digest): string {
  return [
    'made a signing key',
    fields([
      ['private', `${file} (encrypted; keep it where only the publisher reads it)`],
      ['public', `${file}.pub (for the trust policies of hosts)`],
      ['fingerprint', fingerprint],
    ]),
  ].join('\n');
}

/** Where the passphrase is, by the options of a command. */
export function passphraseOf(
  io: Pick<Io, 'cwd'>,
  options: { readonly passphraseFile?: string; readonly passphraseEnv: string },
): Passphrase {
  return options.passphraseFile === undefined
    ? { kind: 'variable', name: options.passphraseEnv }
    : { kind: 'file', path: resolve(io.cwd, options.passphraseFile) };
}

/** The failure with what to do on a command line; the key's adapter speaks of a configuration. */
export function withKeyHints(it: Failure): Failure {
  if (it.code !== 'publish/key-passphrase') return it;
  const hint = `give the passphrase by --passphrase-file FILE, or in the variable ${DEFAULT_VARIABLE}`;
  return { ...it, hints: [hint] };
}
