// `warder trust update`: takes a newer trusted root (and signing configuration) over from a TUF repository.
// Fetched and verified first; then shown; then asked of the enforcer, which alone knows what is active; and
// only then written, as a whole file.
//
// SPDX-License-Identifier: Apache-2.0

import { checkClockAt } from '../../core/decision/bundle.ts';
import { shortDigest } from '../../core/digest.ts';
import type { TrustPreview } from '../../core/enforcement.ts';
import { type Failure, failure, ok, type Result } from '../../core/result.ts';
import { escapeText } from '../../core/text.ts';
import {
  compareRoots,
  type RootAuthority,
  type RootChanges,
} from '../../core/verify/root-change.ts';
import { wouldDistrust } from '../../core/verify/succession.ts';
import type { TrustedRootText, TrustPolicy } from '../../core/verify/trust.ts';
import type { EnforcerPort } from '../../ports.ts';
import { encodeTrustDocument } from '../../wire/signed-trust.ts';
import { parseSigningConfig } from '../../wire/signing-config.ts';
import { listAuthorities, parseTrustedRoot } from '../../wire/trusted-root.ts';
import { done, failed, type Json, type Outcome } from '../outcome.ts';
import type { Services, TufPlace } from '../services.ts';

const ROOT_TARGET = 'trusted_root.json';
const CONFIG_TARGET = 'signing_config.v0.2.json';
const KIND = 'TrustUpdate';
const CLOCK_ALONE = 'whether it is the newest was judged by the clock of this machine alone';

export interface TrustUpdate {
  readonly place: TufPlace;
  /** A host's trust policy, whose trusted root file is replaced; or only a file. */
  readonly into:
    | { readonly kind: 'host'; readonly trust: string; readonly enforcer: EnforcerPort }
    | { readonly kind: 'file'; readonly path: string };
  readonly signingConfig: string | null;
  readonly force: boolean;
  readonly dryRun: boolean;
}

type Needs = Pick<Services, 'tuf' | 'rootChange' | 'rootFile' | 'writeBytes' | 'clock'>;

/** Fetches, shows, asks and writes. */
export async function updateTrust(update: TrustUpdate, services: Needs): Promise<Outcome> {
  const { place, signingConfig, dryRun } = update;
  const targets = signingConfig === null ? [ROOT_TARGET] : [ROOT_TARGET, CONFIG_TARGET];
  const fetched = await services.tuf(place, targets);
  if (!fetched.ok) return failed(KIND, [fetched.error]);
  const [rootBytes = new Uint8Array(), configBytes] = fetched.value;
  const root = parseTrustedRoot(rootBytes);
  if (!root.ok) return failed(KIND, [root.error]);
  if (configBytes !== undefined) {
    const config = parseSigningConfig(configBytes, services.clock.nowMs());
    if (!config.ok) return failed(KIND, [config.error]);
  }
  const target = await toTarget(update, rootBytes, services);
  if (!target.ok) return failed(KIND, [target.error]);
  const { file, before, next } = target.value;
  const changes = compareRoots(
    before === null ? [] : listAuthorities(before),
    listAuthorities(root.value),
  );
  const isNew = before?.digest !== root.value.digest;
  const asked = isNew && next !== null ? await ask(update, next) : null;
  const refusal =
    asked === null || next === null ? null : whyNot(asked, update, next, services.clock.nowMs());
  const document = {
    file,
    digest: root.value.digest,
    changes: changes as unknown as Json,
    written: false,
    clock: asked?.ok === true ? 'enforcer' : 'machine',
  };
  const text = [changesText(changes)];
  if (asked?.ok !== true) text.push(CLOCK_ALONE);
  if (refusal !== null) return failed(KIND, [refusal], document, text.join('\n'));
  if (dryRun) return done(KIND, document, [...text, 'nothing was written'].join('\n'));
  const writes: [string, Uint8Array][] = isNew ? [[file, rootBytes]] : [];
  if (signingConfig !== null && configBytes !== undefined)
    writes.push([signingConfig, configBytes]);
  for (const [path, bytes] of writes) {
    const written = services.writeBytes(path, bytes);
    if (!written.ok) return failed(KIND, [written.error], document, text.join('\n'));
    text.push(`wrote ${escapeText(path)}`);
  }
  if (isNew && next !== null)
    text.push(
      'warder-enforcer goes by it once it reads its trust policy again (SIGHUP or restart)',
    );
  return done(KIND, { ...document, written: isNew }, text.join('\n'));
}

interface Target {
  readonly file: string;
  readonly before: TrustedRootText | null;
  /** The whole policy with the new root; null where no host goes by it. */
  readonly next: TrustPolicy | null;
}

async function toTarget(
  { into }: TrustUpdate,
  root: Uint8Array,
  services: Needs,
): Promise<Result<Target>> {
  if (into.kind === 'file') {
    return ok({ file: into.path, before: await services.rootFile(into.path), next: null });
  }
  const change = await services.rootChange(into.trust, root);
  if (!change.ok) return change;
  const { rootFile, before, next } = change.value;
  return ok({ file: rootFile, before, next });
}

/** What the enforcer says of it; null where none is asked. */
async function ask({ into }: TrustUpdate, next: TrustPolicy): Promise<Result<TrustPreview> | null> {
  return into.kind === 'file' ? null : into.enforcer.previewTrust(encodeTrustDocument(next));
}

// An enforcer that does not answer is no permission. Its time floor is asked before anything else: by a clock
// that was set back, metadata that has expired would pass for new (TUF-5).
function whyNot(
  preview: Result<TrustPreview>,
  { force }: TrustUpdate,
  next: TrustPolicy,
  nowMs: number,
): Failure | null {
  if (!preview.ok) return force ? null : preview.error;
  const { hasRoots, isProtected, timeFloorMs, distrusted } = preview.value;
  const [late] = checkClockAt(nowMs, timeFloorMs);
  if (late !== undefined) return late;
  if (hasRoots || isProtected) {
    const what = hasRoots
      ? 'the trust policy in force here is changed by signatures of its roots alone'
      : 'self-protection keeps the trust policy in force here as it was read';
    const hints = ['update a file with --out where the policy is signed, and sign a new version'];
    return failure('trust/unsigned', what, { hints });
  }
  if (distrusted.length === 0 || force) return null;
  return wouldDistrust(
    next.version,
    distrusted.map(({ digest, why }) => `${digest}: ${why}`),
  );
}

function changesText({ added, removed, changed, unchanged }: RootChanges): string {
  const counts = [
    `${added.length} added`,
    `${changed.length} changed`,
    `${removed.length} removed`,
    `${unchanged} as before`,
  ];
  return [
    `trusted root: ${counts.join(', ')}`,
    ...added.map((it) => line('+', it)),
    ...changed.map((it) => line('~', it)),
    ...removed.map((it) => line('-', it)),
  ].join('\n');
}

function line(sign: string, { kind, name, fingerprint, start, end }: RootAuthority): string {
  const until = end === null ? 'from' : `until ${escapeText(end)}, from`;
  return `  ${sign} ${kind} ${escapeText(name)} (${shortDigest(fingerprint)}) ${until} ${escapeText(start)}`;
}
