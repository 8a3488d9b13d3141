// `warder export` and `warder import`.
//
// SPDX-License-Identifier: Apache-2.0

import { resolve } from 'node:path';
import type { Command } from 'commander';
import { parseReference } from '../../core/reference.ts';
import { failure } from '../../core/result.ts';
import { exportBundle, importArchive, isTagOf, untagged } from '../commands/archive.ts';
import { withExamples } from '../examples.ts';
import { collect } from '../options.ts';
import { failed, type Outcome } from '../outcome.ts';
import { addRegistryOptions, type RegistryOptions, toReach } from '../registry-options.ts';
import type { Session } from '../session.ts';

interface ExportOptions extends RegistryOptions {
  readonly out: string;
  readonly tag?: readonly string[];
}

interface ImportOptions {
  readonly to: string;
  readonly trust: string;
  readonly repository: string;
  readonly channel?: string;
}

/** Adds `export` and `import` to the tree. */
export function addArchive(program: Command, session: Session): void {
  addRegistryOptions(
    withExamples(program.command('export'), [
      'warder export registry.example.com/policies:prod --out prod.tar',
      'the newest bundle with its attestations, head and trust, for a network without a registry',
    ])
      .description('write a bundle and all that refers to it into one archive (OCI layout in tar)')
      .argument('<reference>', 'HOST/REPOSITORY:TAG or oci-layout:/DIR:TAG')
      .requiredOption('--out <file>', 'new file')
      .option('--tag <tag>', 'one more tag to take along; may be repeated', collect),
  ).action(async (text: string, options: ExportOptions) => {
    session.finish(await runExport(session, text, options));
  });
  withExamples(program.command('import'), [
    'warder import prod.tar --to oci-layout:/srv/bundles:prod --repository registry.example.com/policies --trust trust.yaml',
    'verified as a host would, then written; hosts name the folder as their repository',
  ])
    .description('verify an archive of `warder export` and write it into an OCI layout')
    .argument('<file>', 'archive')
    .requiredOption('--to <reference>', 'oci-layout:/DIR:TAG')
    .requiredOption('--trust <file>', 'trust policy')
    .requiredOption('--repository <name>', 'canonical repository that the bundle is signed for')
    .option('--channel <name>', 'channel that the bundle must be for (default: the tag)')
    .action(async (file: string, options: ImportOptions) => {
      session.finish(await runImport(session, file, options));
    });
}

async function runExport(
  { services, io }: Session,
  text: string,
  options: ExportOptions,
): Promise<Outcome> {
  const reference = parseReference(text);
  if (!reference.ok) return failed('Export', [reference.error]);
  const port = await services.snapshots(reference.value, toReach(options, io.cwd));
  const file = resolve(io.cwd, options.out);
  return exportBundle(reference.value, options.tag ?? [], port, (snapshot) =>
    services.archives.write(file, snapshot),
  );
}

async function runImport(
  { services, io }: Session,
  file: string,
  options: ImportOptions,
): Promise<Outcome> {
  const to = parseReference(options.to);
  if (!to.ok) return failed('Import', [to.error]);
  const { repository, tag, digest } = to.value;
  if (tag === null || digest !== null) return failed('Import', [untagged(to.value)]);
  if (repository.kind !== 'oci-layout') {
    const hints = ['import into oci-layout:/DIR:TAG; copy that into a registry with oras cp'];
    return failed('Import', [failure('cli/usage', 'the target is no OCI layout', { hints })]);
  }
  const trust = await services.trust(resolve(io.cwd, options.trust));
  if (!trust.ok) return failed('Import', [trust.error]);
  const snapshot = await services.archives.read(resolve(io.cwd, file), isTagOf(tag));
  if (!snapshot.ok) return failed('Import', [snapshot.error]);
  const registry = await services.archives.registry(snapshot.value);
  const { restore } = services.archives;
  const ports = { registry, verifier: await services.verifier(), restore };
  return importArchive(snapshot.value, to.value, ports, trust.value, {
    nowMs: services.clock.nowMs(),
    floor: null,
    head: null,
    admitted: [],
    repository: options.repository,
    channel: options.channel ?? tag,
    agentVersion: services.version,
    labels: {},
    purpose: 'admit',
  });
}
