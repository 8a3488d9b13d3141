// Bundles that are signed with identities of a private sigstore, and the trust policy that admits them.
//
// SPDX-License-Identifier: Apache-2.0

import { createSign, generateKeyPairSync } from 'node:crypto';
import { bundleToJSON } from '@sigstore/bundle';
import { DSSEBundleBuilder, RekorWitness, TSAWitness } from '@sigstore/sign';
import { collectEvidence } from '../../src/adapters/sigstore/collect.ts';
import { createKeylessSigner } from '../../src/adapters/sigstore/keyless-signer.ts';
import type { ErrorCode } from '../../src/core/errors.ts';
import { judge } from '../../src/core/verify/judge.ts';
import type { TrustedIdentity, TrustPolicy } from '../../src/core/verify/trust.ts';
import { parseSigningConfig } from '../../src/wire/signing-config.ts';
import { makeToken, type PrivateSigstore } from './private-sigstore.ts';
import { unwrap } from './result.ts';
import { type BundleJson, encodeJson, makeStatements, PAYLOAD_TYPE } from './signed-bundle.ts';
import { makeContext, makeScope, makeTrust } from './verify.ts';

export const ISSUER = 'https://token.actions.githubusercontent.com';
export const WORKFLOW = '.github/workflows/release.yml';
export const SOURCE = {
  repository: 'https://github.com/acme/policies',
  ref: 'refs/tags/v7',
  commit: '0123456789abcdef0123456789abcdef01234567',
};
export const SUBJECT = `${SOURCE.repository}/${WORKFLOW}@${SOURCE.ref}`;

/** What GitHub says of the job that releases. */
export const CLAIMS = {
  iss: ISSUER,
  sub: SUBJECT,
  event_name: 'push',
  sha: SOURCE.commit,
  repository: 'acme/policies',
  ref: SOURCE.ref,
  job_workflow_ref: `acme/policies/${WORKFLOW}@${SOURCE.ref}`,
  runner_environment: 'github-hosted',
  repository_id: '123456789',
  repository_owner: 'acme',
  repository_owner_id: '987654',
  workflow_ref: `acme/policies/${WORKFLOW}@${SOURCE.ref}`,
};

export type Claims = { readonly [name in keyof typeof CLAIMS]?: string };

export function makeIdentity(change: Partial<TrustedIdentity> = {}): TrustedIdentity {
  return {
    id: 'release',
    issuer: ISSUER,
    subject: `${SOURCE.repository}/${WORKFLOW}@refs/tags/v*`,
    repositoryId: '123456789',
    ownerId: '987654',
    runner: 'github-hosted',
    workflow: WORKFLOW,
    triggers: ['push'],
    ...change,
  };
}

/** The trust policy that admits these identities, each one enough, and asks for no provenance. */
export function trustIdentities(
  sigstore: Pick<PrivateSigstore, 'root'>,
  identities: readonly TrustedIdentity[] = [makeIdentity()],
): TrustPolicy {
  const scope = makeScope({ provenance: null });
  const release = { ...scope.release, anyOf: [], identities };
  return makeTrust({ trustedRoot: sigstore.root, policies: [{ ...scope, release }] });
}

/** Statements about a bundle of the repository that the claims are of. */
export function makeReleased() {
  return makeStatements({ source: SOURCE });
}

/** Signs as a CI job would: through Fulcio, Rekor and a timestamp authority. */
export async function signKeyless(
  sigstore: PrivateSigstore,
  statement: Uint8Array,
  claims: Claims = {},
  rekor: 1 | 2 = 1,
): Promise<BundleJson> {
  const config = encodeJson(sigstore.signingConfig(rekor));
  const services = unwrap(parseSigningConfig(config, Date.now()));
  const token = makeToken({ ...CLAIMS, ...claims });
  const signer = unwrap(await createKeylessSigner(services, token, sigstore.root));
  return JSON.parse(new TextDecoder().decode(unwrap(await signer.sign(statement))));
}

interface Extension {
  readonly oid: string;
  readonly value: string;
  readonly legacy?: boolean;
}

/** Signs with a certificate that no honest authority would give. */
export async function signOddly(
  sigstore: PrivateSigstore,
  statement: Uint8Array,
  odd: {
    readonly subject?: string;
    readonly extensions?: readonly Extension[];
    readonly authority?: PrivateSigstore['authority'];
    readonly curve?: string;
    readonly witnesses?: readonly ('log' | 'time')[];
    readonly certificate?: Buffer;
  },
): Promise<BundleJson> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: odd.curve ?? 'P-256' });
  const issuer = [{ oid: '1.3.6.1.4.1.57264.1.8', value: ISSUER }];
  const der = await (odd.authority ?? sigstore.authority).issueCertificate({
    publicKey: publicKey.export({ type: 'spki', format: 'der' }) as never,
    subjectAltName: odd.subject ?? SUBJECT,
    extensions: [...(odd.extensions ?? issuer)],
  });
  const bytes = odd.certificate ?? Buffer.from(der.buffer, der.byteOffset, der.byteLength);
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  const pem = ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
  const fetching = { timeout: 5000, retry: { retries: 0 } };
  const wanted = odd.witnesses ?? ['log', 'time'];
  const builder = new DSSEBundleBuilder({
    signer: {
      sign: async (data) => ({
        signature: createSign('sha256').update(data).sign(privateKey),
        key: { $case: 'x509Certificate', certificate: pem },
      }),
    },
    witnesses: wanted.map((it) =>
      it === 'log'
        ? new RekorWitness({ ...fetching, rekorBaseURL: sigstore.url })
        : new TSAWitness({ ...fetching, tsaBaseURL: sigstore.url }),
    ),
  });
  const made = await builder.create({ data: Buffer.from(statement), type: PAYLOAD_TYPE });
  return bundleToJSON(made) as unknown as BundleJson;
}

/** The codes of the verdict when these are attached; none means accepted. */
export function codesOf(
  attestations: readonly BundleJson[],
  trust: TrustPolicy,
  statements = makeReleased(),
): readonly ErrorCode[] {
  const bytes = { ...statements.bytes, attestations: attestations.map(encodeJson) };
  const evidence = collectEvidence(bytes, trust);
  if (!evidence.ok) return [evidence.error.code];
  const verdict = judge(evidence.value, trust, makeContext());
  return verdict.kind === 'accepted' ? [] : verdict.failures.map((it) => it.code);
}

/** What a bundle says of its entry in a log, as its JSON has it. */
export interface LogEntry {
  canonicalizedBody: string;
  inclusionPromise?: { signedEntryTimestamp: string };
  inclusionProof: {
    logIndex: string;
    rootHash: string;
    treeSize: string;
    hashes: string[];
    checkpoint: { envelope: string };
  };
}

/** The first entry of a bundle, for a test to spoil. */
export function entryOf(bundle: BundleJson): LogEntry {
  const [entry] = bundle.verificationMaterial['tlogEntries'] as LogEntry[];
  if (entry === undefined) throw new Error('no log entry');
  return entry;
}
