// `warder sigstore verify-bundle`, by the public conformance protocol of sigstore clients.
//
// SPDX-License-Identifier: Apache-2.0

import { resolve } from 'node:path';
import type { Command } from 'commander';
import { parseDigest } from '../../core/digest.ts';
import { failure } from '../../core/result.ts';
import type { Demand } from '../../core/verify/client.ts';
import { verifyBundle } from '../commands/sigstore.ts';
import { withExamples } from '../examples.ts';
import { failed, type Outcome } from '../outcome.ts';
import type { Session } from '../session.ts';

const TRUSTED_ROOT = '/etc/warder/trusted_root.json';

interface BundleOptions {
  readonly bundle: string;
  readonly certificateIdentity?: string;
  readonly certificateOidcIssuer?: string;
  readonly key?: string;
  readonly trustedRoot?: string;
}

/** Adds `sigstore verify-bundle` to the tree. */
export function addSigstore(program: Command, session: Session): void {
  const group = program.command('sigstore').description('work with sigstore bundles of any client');
  withExamples(
    group.command('verify-bundle'),
    [
      'warder sigstore verify-bundle --bundle app.sigstore.json --certificate-identity dev@example.com --certificate-oidc-issuer https://accounts.example.com --trusted-root trusted_root.json app.tar',
      'offline: certificate, certificate log, transparency log, time, identity and file',
    ],
    [
      'warder sigstore verify-bundle --bundle app.sigstore.json --key key.pub app.tar',
      'a bundle under a plain key; where the trusted root lists logs, it must be in one',
    ],
  )
    .description('verify a sigstore bundle (0.1 to 0.3) over a file or a statement about it')
    .argument('<file_or_digest>', 'artifact, or sha256:HEX of it')
    .requiredOption('--bundle <file>', 'sigstore bundle')
    .option('--certificate-identity <name>', 'exact name in the certificate')
    .option('--certificate-oidc-issuer <url>', 'exact issuer of that name')
    .option('--key <file>', 'public key (PEM, ECDSA P-256) instead of an identity')
    .option('--trusted-root <file>', `TrustedRoot; default: ${TRUSTED_ROOT}`)
    .action(async (artifact: string, options: BundleOptions) => {
      session.finish(await run(session, artifact, options));
    });
}

async function run(session: Session, artifact: string, options: BundleOptions): Promise<Outcome> {
  const { services, io } = session;
  const demand = demandOf(options);
  if (demand === null) {
    const hints = ['give --certificate-identity and --certificate-oidc-issuer, or --key'];
    const unclear = failure('cli/usage', 'it is not clear who must have signed', { hints });
    return failed('BundleVerification', [unclear]);
  }
  const digest = parseDigest(artifact);
  const at = (path: string) => resolve(io.cwd, path);
  const collected = await services.verifyBundle({
    bundle: at(options.bundle),
    key: options.key === undefined ? null : at(options.key),
    trustedRoot: {
      path: at(options.trustedRoot ?? TRUSTED_ROOT),
      isOptional: options.trustedRoot === undefined && demand.kind === 'key',
    },
    artifact: { path: at(artifact), digest: digest.ok ? digest.value : null },
  });
  return verifyBundle(collected, demand);
}

// An empty name or issuer would ask for nobody, so it is no demand.
function demandOf(options: BundleOptions): Demand | null {
  const { certificateIdentity: subject = '', certificateOidcIssuer: issuer = '', key } = options;
  if (key !== undefined) {
    return subject === '' && issuer === '' ? { kind: 'key' } : null;
  }
  return subject === '' || issuer === '' ? null : { kind: 'identity', issuer, subject };
}
