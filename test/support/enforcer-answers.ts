// What an enforcer answers in each state that an operator can meet, as fixed data, and a port that
// answers it. For tests of what is printed; the enforcer itself is tested in test/enforcer.
//
// SPDX-License-Identifier: Apache-2.0

import type { Digest } from '../../src/core/digest.ts';
import type {
  BundleSummary,
  CanaryReport,
  DecisionEvent,
  Enforced,
  EnforcerStatus,
  ProofStatus,
  TrustPreview,
} from '../../src/core/enforcement.ts';
import type { GlassInUse, GlassRecord, GlassRequest } from '../../src/core/glass.ts';
import { err, type Failure, failure, ok, type Result } from '../../src/core/result.ts';
import { type AgentStatus, initialStatus } from '../../src/core/status.ts';
import type { BundleVersion } from '../../src/core/version.ts';
import type { EnforcerPort } from '../../src/ports.ts';

const digest = (byte: string) => `sha256:${byte.repeat(32)}` as Digest;
const version = (number: number) => number as BundleVersion;

export const BUNDLE: BundleSummary = {
  digest: digest('4f'),
  version: version(7),
  repository: 'registry.example.com/policies',
  channel: 'prod',
  commit: '9c1b07e5d2a4f6081b3c5d7e9f00112233445566',
  sourceRepository: 'https://git.example.com/policies',
  signers: [{ kind: 'key', id: 'ci', fingerprint: digest('77') }],
  expires: '2026-04-10T09:00:00Z',
};

export const PREVIOUS: BundleSummary = { ...BUNDLE, digest: digest('3e'), version: version(6) };

export const ENFORCED: Enforced & { readonly kind: 'bundle' } = {
  kind: 'bundle',
  generation: 12,
  since: '2026-01-10T09:00:03Z',
  bundle: BUNDLE,
  confirmed: true,
};

export const BASELINE: Enforced = {
  kind: 'baseline',
  generation: 1,
  since: '2026-01-10T08:00:00Z',
};

const HEALTHY: CanaryReport = {
  healthy: true,
  generation: 12,
  at: '2026-01-10T11:59:30Z',
  results: [
    { hook: 'file_open', operation: 'write', outcome: 'denied', detail: '' },
    { hook: 'inode_rename', operation: 'rename', outcome: 'denied', detail: '' },
  ],
};

export const FAILED: CanaryReport = {
  ...HEALTHY,
  healthy: false,
  results: [
    { hook: 'file_open', operation: 'write', outcome: 'denied', detail: '' },
    { hook: 'inode_rename', operation: 'rename', outcome: 'allowed', detail: 'rename succeeded' },
  ],
};

/** A proof of a generation, half a minute old. */
export const PROVEN: ProofStatus = {
  state: 'proven',
  generation: 12,
  at: HEALTHY.at,
  reasons: [],
  ageMs: 30_000,
  periodMs: 60_000,
};

/** A canary was allowed. */
export const DISPROVEN: ProofStatus = {
  ...PROVEN,
  state: 'disproven',
  reasons: [
    failure('host/proof-canary', '1 of 2 canaries were not denied as policy says', {
      causes: ['inode_rename/rename: allowed, rename succeeded'],
      hints: ['restart warder-enforcer: it makes canaries anew, with a new generation'],
    }),
  ],
};

/** A part said nothing. */
export const UNANSWERED: ProofStatus = {
  ...PROVEN,
  state: 'unknown',
  reasons: [failure('host/proof-unanswered', 'the canaries gave no answer')],
};

/** A host on which all is well. */
export const STATUS: EnforcerStatus = {
  enforced: ENFORCED,
  lastKnownGood: BUNDLE,
  highestSeen: version(7),
  hold: null,
  canary: HEALTHY,
  proof: PROVEN,
  hooks: [
    { hook: 'file_open', program: 'wd_file_open', state: 'attached', detail: '' },
    { hook: 'inode_rename', program: 'wd_inode_rename', state: 'attached', detail: '' },
    { hook: 'inode_file_setattr', program: 'wd_file_setattr', state: 'absent', detail: '' },
  ],
  totals: {
    sequence: 43,
    emitted: 43,
    dropped: 0,
    denied: 41,
    audited: 2,
    let: 0,
    incomplete: 0,
    suppressed: 0,
  },
  suppressed: [],
  adopted: false,
  selfProtection: { state: 'on', detail: '' },
  trust: { version: 4, fingerprint: digest('a1') },
  record: digest('d7'),
  head: null,
  sources: [],
  enforcerVersion: '0.1.0',
  bootId: '1f0c9a2e-0000-4000-8000-000000000000',
  alerts: [],
  disabled: null,
  breakGlass: null,
  demoted: [],
  leftOut: [],
};

const HOLD = {
  digest: BUNDLE.digest,
  version: BUNDLE.version,
  by: 'operator',
  reason: 'v7 breaks the backup',
  at: '2026-01-10T11:00:00Z',
};

/** After `warder rollback`. */
export const HELD: EnforcerStatus = {
  ...STATUS,
  enforced: { ...ENFORCED, bundle: PREVIOUS },
  lastKnownGood: PREVIOUS,
  hold: HOLD,
};

/** What the agent reported after its last poll. */
export const AGENT: AgentStatus = {
  ...initialStatus(
    '0.1.0',
    'registry.example.com/policies:prod',
    Date.parse('2026-01-10T08:00:00Z'),
  ),
  at: '2026-01-10T11:59:00Z',
  conditions: [
    condition('Ready', 'True', 'Enforcing'),
    condition('Stale', 'False', 'Fresh'),
    condition('FetchFailed', 'False', 'Fetched'),
  ],
  lastRequestAt: '2026-01-10T11:59:00Z',
};

/** One condition of an agent. */
export function condition(
  type: AgentStatus['conditions'][number]['type'],
  status: 'True' | 'False',
  reason: string,
  message = '',
): AgentStatus['conditions'][number] {
  return { type, status, reason, message, lastTransitionTime: '2026-01-10T09:00:03Z' };
}

/** A write to /etc/shadow that was denied. */
export const DENIED: DecisionEvent = {
  id: '1f0c9a2e-1-0-17',
  at: '2026-01-10T11:58:12.045Z',
  action: 'deny',
  reason: 'rule',
  operation: 'write',
  hook: 'file_open',
  errno: 'EACCES',
  generation: 12,
  rule: 'account-files/shadow',
  ruleReason: 'Account files change only through the password tools.',
  mode: 'enforce',
  origin: { file: 'policies/account-files.yaml', line: 14, column: 7 },
  bundle: BUNDLE,
  object: { path: '/etc/shadow', pathCut: false, identity: '8:1 ino 1183 gen 7' },
  process: {
    pid: 4121,
    tgid: 4121,
    ppid: 4098,
    uid: 0,
    comm: 'sh',
    exe: '/usr/bin/dash',
    exeIdentity: '8:1 ino 402 gen 1',
    cgroupId: '2183',
    startedAt: '2026-01-10T11:58:11Z',
  },
  breakGlass: null,
  stacks: { kernel: '9e3779b97f4a7c15', user: null },
};

/** The same under a policy in mode audit. */
export const AUDITED: DecisionEvent = {
  ...DENIED,
  id: '1f0c9a2e-1-1-4',
  at: '2026-01-10T11:57:00.001Z',
  action: 'audit',
  mode: 'audit',
  errno: null,
  operation: 'setattr',
  hook: 'inode_setattr',
};

/** Text that tries to steer a terminal and to break lines. */
export const HOSTILE = 'x\u001b[31m\u009b2J\r\n\u202etxt';

/** What a host asks for. */
export const GLASS_REQUEST: GlassRequest = {
  host: '5f6a1c1e-2b0d-4a57-9c0e-0d6b1d0f9a11',
  boot: '1f0c9a2e-7c39-4b0e-8a38-3f6c2d1e0b77',
  nonce: '00112233445566778899aabbccddeeff',
  askedAt: '2026-01-10T12:00:00.000Z',
};

/** An order that was used. */
export const GLASS_RECORD: GlassRecord = {
  id: 'a1b2c3d4e5f60718',
  order: {
    action: 'relax',
    host: GLASS_REQUEST.host,
    boot: GLASS_REQUEST.boot,
    nonce: GLASS_REQUEST.nonce,
    rules: ['account-files/shadow'],
    cgroup: '/system.slice/backup.service',
    minutes: 30,
    reason: 'the backup cannot write',
  },
  signers: ['alice', 'bob'],
  by: 'root (uid 0)',
  usedAt: '2026-01-10T12:05:00.000Z',
  untilMs: 1_900_000,
  ended: null,
};

/** The same, in use. */
export const GLASS: GlassInUse = { ...GLASS_RECORD, leftMs: 1_500_000 };

/** Nothing speaks against another trust policy. */
export const PREVIEW: TrustPreview = {
  ...{ hasRoots: false, isProtected: false },
  ...{ timeFloorMs: 0, distrusted: [] },
};

/** Every answer of an enforcer; by default it is well and has two events. */
export function enforcerAnswering(answers: Partial<EnforcerPort> = {}): EnforcerPort {
  const events = [AUDITED, DENIED];
  return {
    status: async () => ok(STATUS),
    activate: async () => ok(ENFORCED),
    trust: async () => ok({ version: 5, fingerprint: digest('b2'), distrusted: [] }),
    previewTrust: async () => ok(PREVIEW),
    readTrust: async () => err(failure('host/enforcer-denied', 'not in this test')),
    head: async () => ok({ state: 'none', maxAgeMs: 86_400_000, last: null }),
    probe: async () => ok(HEALTHY),
    confirm: async () => ok(ENFORCED),
    restore: async () => ok(BASELINE),
    rollback: async () => ok(HELD.enforced),
    resume: async () => ok(HELD.enforced),
    removeSource: async () => ok(ENFORCED),
    disable: async () => ok({ kind: 'nothing' }),
    askGlass: async () => ok(GLASS_REQUEST),
    useGlass: async () => ok(GLASS),
    endGlass: async () => ok(GLASS),
    listGlass: async () => ok([GLASS_RECORD]),
    events: async ({ limit }) => ok(events.slice(-limit)),
    event: async (id) => ok(events.find((it) => it.id === id) ?? null),
    records: async () => ok([]),
    record: async () => ok(null),
    followEvents: async function* () {
      for (const event of events) yield ok(event);
    },
    ...answers,
  };
}

/** An enforcer that is not there. */
export function enforcerDown(): EnforcerPort {
  const gone: Failure = failure(
    'host/enforcer-unavailable',
    'the enforcer does not answer on /run/warder/enforcer.sock',
    { causes: ['ENOENT'], hints: ['systemctl status warder-enforcer'] },
  );
  const refuse = async (): Promise<Result<never>> => err(gone);
  return {
    ...{
      status: refuse,
      head: refuse,
      trust: refuse,
      previewTrust: refuse,
      readTrust: refuse,
      activate: refuse,
      probe: refuse,
      confirm: refuse,
      restore: refuse,
    },
    ...{
      rollback: refuse,
      resume: refuse,
      removeSource: refuse,
      disable: refuse,
      events: refuse,
      event: refuse,
    },
    ...{ records: refuse, record: refuse },
    ...{ askGlass: refuse, useGlass: refuse, endGlass: refuse, listGlass: refuse },
    followEvents: async function* () {
      yield err(gone);
    },
  };
}
