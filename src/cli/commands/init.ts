// `warder init`: a policy repository that lints, tests and publishes as it stands.
//
// SPDX-License-Identifier: Apache-2.0

import { initRepository } from '../../publisher/scaffold/files.ts';
import { done, failed, type Outcome } from '../outcome.ts';
import type { PublisherServices } from '../publisher-services.ts';

/** Writes the scaffold into `dir`; existing files are never touched. */
export async function init(
  services: PublisherServices,
  cwd: string,
  dir: string,
  options: { readonly repository: string; readonly source: string },
): Promise<Outcome> {
  const files = initRepository(options);
  const target = dir.startsWith('/') ? dir : `${cwd}/${dir}`;
  const written = await services.writeNew(target, files);
  if (!written.ok) return failed('Init', [written.error]);
  const paths = files.map((it) => it.path);
  const text = [
    ...paths.map((it) => `wrote ${it}`),
    '',
    'next: edit warder.yaml, then `git init && git add -A && git commit`, `warder test`, `warder key generate --out key.pem`',
  ].join('\n');
  return done('Init', { dir: target, files: paths }, text);
}
