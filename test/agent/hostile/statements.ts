// P, F, V and C by keys: what is signed by whom it should be, and says what it must not say.
//
// SPDX-License-Identifier: Apache-2.0

import type { ErrorCode } from '../../../src/core/errors.ts';
import type { BundleVersion } from '../../../src/core/version.ts';
import { encodeDescriptor } from '../../../src/wire/descriptor.ts';
import { ruleFor } from '../../support/enforcer.ts';
import { assemble, attach, type Draft, draftOf, type Hostile } from '../../support/hostile.ts';
import { encodeJson } from '../../support/signed-bundle.ts';
import { good, sign } from './keys.ts';

type Statement = Record<string, unknown> & {
  subject: { name?: string; digest: Record<string, string> }[];
  predicate: Record<string, unknown>;
};
type Build = Statement & {
  predicate: {
    buildDefinition: { buildType: string; externalParameters: Record<string, unknown> };
    runDetails: { builder: { id: string } };
  };
};

const jsonOf = <T>(bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes)) as T;
const hexOf = (digest: string) => digest.slice('sha256:'.length);

/** A release that was spoiled before it was signed. */
function release(
  id: string,
  what: string,
  code: ErrorCode,
  spoil: (statement: Statement, draft: Draft) => unknown,
): Hostile {
  return {
    id,
    what,
    codes: [code],
    offer: async (draft) => {
      const statement = jsonOf<Statement>(draft.release);
      const spoiled = spoil(statement, draft) ?? statement;
      const bytes = spoiled instanceof Uint8Array ? spoiled : encodeJson(spoiled);
      return attach(draft, await sign(bytes), await sign(draft.provenance));
    },
  };
}

/** A provenance that was. */
function provenance(
  id: string,
  what: string,
  code: ErrorCode,
  spoil: (statement: Build, draft: Draft) => unknown,
): Hostile {
  return {
    id,
    what,
    codes: [code],
    offer: async (draft) => {
      const statement = jsonOf<Build>(draft.provenance);
      const spoiled = spoil(statement, draft) ?? statement;
      return attach(draft, await sign(draft.release), await sign(encodeJson(spoiled)));
    },
  };
}

/** A bundle that is signed as it should be, and is another one than the host may take. */
function bundle(
  id: string,
  what: string,
  code: ErrorCode,
  draft: () => Draft,
  onHostsOnly?: true,
): Hostile {
  return {
    id,
    what,
    codes: [code],
    offer: () => good(draft()),
    ...(onHostsOnly === undefined ? {} : { onHostsOnly }),
  };
}

const versioned = (spelled: string): Hostile => ({
  id: 'V04',
  what: `a version that is ${spelled === '' ? 'missing' : spelled}`,
  codes: spelled === '01' ? ['fetch/config-invalid'] : ['fetch/version-invalid'],
  offer: ({ descriptor, files }) => {
    const text = new TextDecoder().decode(encodeDescriptor(descriptor));
    const by = spelled === '' ? '' : `,"version":${spelled}`;
    const config = new TextEncoder().encode(text.replace(',"version":6', by));
    return good(
      assemble(
        descriptor,
        config,
        files.map((it) => it.bytes),
      ),
    );
  },
});

const summary = (what: string, change: Record<string, unknown>): Hostile =>
  provenance(
    'P12',
    `a verification summary that ${what}`,
    'verify/predicate-type',
    (it, draft) => ({
      ...it,
      predicateType: 'https://slsa.dev/verification_summary/v1',
      predicate: {
        verifier: { id: 'https://verifier.example.com' },
        timeVerified: '2026-02-01T00:00:00Z',
        resourceUri: draft.descriptor.repository,
        policy: { uri: 'https://verifier.example.com/policy' },
        verificationResult: 'PASSED',
        verifiedLevels: ['SLSA_BUILD_LEVEL_3'],
        ...change,
      },
    }),
  );

const MISMATCH = 'verify/subject-mismatch';
const INVALID = 'verify/statement-invalid';
const INCONSISTENT = 'verify/provenance-inconsistent';

export const STATEMENTS: readonly Hostile[] = [
  release('P01', '_type v0.1', 'verify/statement-type', (it) => ({
    ...it,
    _type: 'https://in-toto.io/Statement/v0.1',
  })),
  release('P01', 'no _type', 'verify/statement-type', ({ _type: _, ...it }) => it),
  release('P02', 'no subject', MISMATCH, (it) => ({ ...it, subject: [] })),
  release('P02', 'a subject without sha256', MISMATCH, (it) => ({
    ...it,
    subject: [{ digest: { sha1: 'a'.repeat(40) } }],
  })),
  release('P02', 'the digest of a layer', MISMATCH, (it, { files: [first] }) => ({
    ...it,
    subject: [{ digest: { sha256: hexOf(first?.digest ?? '') } }],
  })),
  release('P02', 'a digest in upper case', MISMATCH, (it, { digest }) => ({
    ...it,
    subject: [{ digest: { sha256: hexOf(digest).toUpperCase() } }],
  })),
  release('P03', 'an SBOM as a release', 'verify/predicate-type', (it) => ({
    ...it,
    predicateType: 'https://spdx.dev/Document',
  })),
  provenance('P03', 'an SBOM as provenance', 'verify/predicate-type', (it) => ({
    ...it,
    predicateType: 'https://spdx.dev/Document',
  })),
  provenance('P05', 'SLSA v0.2', 'verify/predicate-type', (it) => ({
    ...it,
    predicateType: 'https://slsa.dev/provenance/v0.2',
  })),
  provenance('P06', 'a builder whose name begins alike', 'verify/builder-mismatch', (it) => {
    it.predicate.runDetails.builder.id += '-evil';
  }),
  provenance('P07', 'an unknown build type', 'verify/build-type', (it) => {
    it.predicate.buildDefinition.buildType = 'https://example.com/other';
  }),
  {
    id: 'P08',
    what: 'another commit than the descriptor names',
    codes: [INCONSISTENT],
    offer: async (draft) => {
      const { source } = draft.descriptor;
      const other = draftOf({ source: { ...source, commit: 'f'.repeat(40) } });
      const statement = jsonOf<Build>(other.provenance);
      const [subject] = jsonOf<Build>(draft.provenance).subject;
      const lie = { ...statement, subject: [subject] };
      return attach(draft, await sign(draft.release), await sign(encodeJson(lie)));
    },
  },
  provenance('P09', 'a parameter that nobody knows', 'verify/external-parameters', (it) => {
    it.predicate.buildDefinition.externalParameters['flags'] = '--evil';
  }),
  {
    id: 'P11',
    what: 'the provenance of another artefact of the same build',
    codes: [MISMATCH],
    offer: async (draft) =>
      attach(draft, await sign(draft.release), await sign(draftOf().provenance)),
  },
  summary('says FAILED', { verificationResult: 'FAILED' }),
  summary('is about another resource', { resourceUri: 'registry.example.com/other' }),
  summary('is of another verifier', { verifier: { id: 'https://evil.example' } }),
  summary('is from the future', { timeVerified: '2099-01-01T00:00:00Z' }),
  summary('is of long ago', { timeVerified: '2001-01-01T00:00:00Z' }),
  summary('says all that one could wish, where provenance is demanded', {}),
  release('P13', 'a payload that is an array', INVALID, () => Buffer.from('[]')),
  release('P13', 'a payload that is no UTF-8', INVALID, () => Buffer.from([0x7b, 0xff, 0x7d])),
  {
    id: 'P13',
    what: 'a payload that is larger than an attestation may be',
    codes: ['verify/no-attestations', 'verify/bundle-too-large'],
    offer: async (draft) => attach(draft, await sign(Buffer.alloc(3 * 1024 * 1024, 0x20))),
  },
  release('V20', 'a release that says another place', 'verify/release-mismatch', (it) => {
    it.predicate['channel'] = 'staging';
  }),
  release('V20', 'a release whose fields were split anew', 'verify/release-mismatch', (it) => {
    it.predicate['version'] = 62;
  }),
  bundle('V01', 'a lower version', 'verify/rollback', () => draftOf({ version: 4 as never }), true),
  bundle(
    'V02',
    'the same version with another digest',
    'verify/equivocation',
    () => draftOf({ version: 5 as BundleVersion }),
    true,
  ),
  ...['0', '-1', '01', '1e3', '9007199254740993', '"6"', ''].map(versioned),
  bundle('V07', 'another channel', 'verify/scope-mismatch', () => draftOf({ channel: 'staging' })),
  bundle('V07', 'another tenant', 'verify/scope-mismatch', () => draftOf({ tenant: 'evil' })),
  bundle('V07', 'another repository', 'verify/scope-mismatch', () =>
    draftOf({ repository: 'registry.example.com/policies/db' }),
  ),
  bundle('V07', 'hosts with a label', 'verify/scope-mismatch', () =>
    draftOf({ selectors: { site: 'ams' } }),
  ),
  bundle('V08', 'a bundle that has expired', 'verify/expired', () =>
    draftOf({ expires: '2026-02-01T00:00:00Z' }),
  ),
  bundle('V09', 'a bundle that is not valid yet', 'verify/not-yet-valid', () =>
    draftOf({ notBefore: '2026-04-01T00:00:00Z' }),
  ),
  bundle('V19', 'a bundle for a newer agent', 'verify/incompatible', () =>
    draftOf({ minAgentVersion: '99.0.0' }),
  ),
  bundle('V19', 'a bundle for a newer kernel', 'verify/incompatible', () =>
    draftOf({ requires: { kernel: '99.0', hooks: [] } }),
  ),
  bundle('V19', 'a bundle for a hook that is not here', 'verify/incompatible', () =>
    draftOf({ requires: { kernel: '6.1', hooks: ['socket_connect'] } }),
  ),
  bundle(
    'C01',
    'a file that the config names and the manifest does not',
    'verify/content-mismatch',
    () => {
      const { descriptor, files } = draftOf();
      const config = encodeDescriptor({ ...descriptor, files: descriptor.files.slice(1) });
      return assemble(
        descriptor,
        config,
        files.map((it) => it.bytes),
      );
    },
  ),
  bundle('C03', 'a policy with an unknown field', 'policy/ir-invalid', () =>
    draftOf({}, { irVersion: 1, rules: [{ ...ruleFor('a/one', '/etc/hostname'), extra: 1 }] }),
  ),
  bundle('C03', 'a policy that is no JSON', 'policy/ir-invalid', () =>
    draftOf({}, new TextEncoder().encode('rules: []')),
  ),
  bundle('C04', "a rule with a name of Warder's own", 'verify/baseline-violation', () =>
    draftOf({}, { irVersion: 1, rules: [ruleFor('warder-baseline/canary', '/etc/hostname')] }),
  ),
];
