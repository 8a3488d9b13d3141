// `warder trust sign`, `publish` and `apply`: the way of a new version from its roots to the hosts.
//
// SPDX-License-Identifier: Apache-2.0

import { shortDigest } from '../../core/digest.ts';
import type { Repository } from '../../core/reference.ts';
import type { Failure } from '../../core/result.ts';
import { escapeText } from '../../core/text.ts';
import type { TrustPolicy } from '../../core/verify/trust.ts';
import type { EnforcerPort, RegistryPort, RegistryWritePort, SignerPort } from '../../ports.ts';
import { openTrust, publishTrust, signTrust, toTrustFile } from '../../publisher/sign-trust.ts';
import { parseSignedTrust } from '../../wire/signed-trust.ts';
import { done, failed, type Outcome } from '../outcome.ts';
import type { Services } from '../services.ts';
import { counted, fields } from '../text-blocks.ts';

type Files = Pick<Services, 'readBytes' | 'writeBytes'>;

/** Adds the signature of one root to the file of a version. */
export async function sign(
  policy: TrustPolicy,
  out: string,
  signer: SignerPort,
  files: Files,
): Promise<Outcome> {
  const there = files.readBytes(out);
  // No file yet is the first signature; what else cannot be read is not written over.
  const isNew = !there.ok && there.error.causes.includes('ENOENT');
  if (!there.ok && !isNew) return failed('TrustSignature', [there.error]);
  const before = there.ok ? parseSignedTrust(there.value) : null;
  if (before !== null && !before.ok) return failed('TrustSignature', [before.error]);
  const signed = await signTrust(policy, before === null ? [] : before.value, signer);
  if (!signed.ok) return failed('TrustSignature', [signed.error]);
  const { statements } = signed.value;
  const written = files.writeBytes(out, toTrustFile(statements));
  if (!written.ok) return failed('TrustSignature', [written.error]);
  const { version, fingerprint, roots, force } = signed.value.policy;
  const wanted =
    roots === null
      ? 'no roots are named: no host will take it'
      : `${roots.threshold} roots are demanded`;
  const text = [
    `signed version ${version} of the trust policy`,
    fields([
      ['file', escapeText(out)],
      ['fingerprint', fingerprint],
      ['signatures', `${statements.length}; ${wanted}, and as many of the version before`],
      ['forced', force ? 'yes: it applies even where it distrusts what is active' : null],
    ]),
  ].join('\n');
  const document = { file: out, version, fingerprint, signatures: statements.length };
  return done('TrustSignature', document, text);
}

/** Puts a signed version where the agents of a channel look for it. */
export async function publishSigned(
  file: string,
  registry: RegistryPort & RegistryWritePort,
  place: { readonly repository: Repository; readonly channel: string },
  files: Files,
): Promise<Outcome> {
  const bytes = files.readBytes(file);
  const statements = bytes.ok ? parseSignedTrust(bytes.value) : bytes;
  const signed = statements.ok ? openTrust(statements.value) : statements;
  if (!signed.ok) return failed('TrustPublication', [signed.error]);
  const pushed = await publishTrust(signed.value, registry, place.repository, place.channel);
  if (!pushed.ok) return failed('TrustPublication', [pushed.error]);
  const { version } = signed.value.policy;
  const document = { version, reference: pushed.value };
  const text = `published version ${version} of the trust policy as ${escapeText(pushed.value)}`;
  return done('TrustPublication', document, text);
}

/** Hands signed versions to the enforcer, one after the other; it decides. */
export async function apply(
  paths: readonly string[],
  enforcer: EnforcerPort,
  force: boolean,
  files: Files,
): Promise<Outcome> {
  const lines: string[] = [];
  let last: { readonly version: number; readonly fingerprint: string } | null = null;
  const refuse = (why: Failure) =>
    failed('TrustChange', [why], { inForce: last }, lines.join('\n'));
  for (const path of paths) {
    const bytes = files.readBytes(path);
    const statements = bytes.ok ? parseSignedTrust(bytes.value) : bytes;
    if (!statements.ok) return refuse(statements.error);
    const applied = await enforcer.trust(statements.value, force);
    if (!applied.ok) return refuse(applied.error);
    const { version, fingerprint, distrusted } = applied.value;
    last = { version, fingerprint };
    lines.push(`trust policy version ${version} is in force`);
    if (distrusted.length > 0) {
      lines.push(`it distrusts ${distrusted.map(shortDigest).join(', ')}: see warder status`);
    }
  }
  return done(
    'TrustChange',
    { inForce: last, applied: paths.length },
    lines.join('\n') || counted(0, 'version'),
  );
}
