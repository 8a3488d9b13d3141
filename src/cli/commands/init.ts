// `warder init`: a policy repository that lints, tests and publishes as it stands.
//
// SPDX-License-Identifier: Apache-2.0

import { initRepository } from '../../publisher/scaffold/files.ts';
import { done, failed, type Outcome } from '../outcome.ts';
import type { PublisherServices } from '../publisher-services.ts';

/** What the author says of the new repository. */
export interface InitOptions {
  readonly name: string;
  readonly tenant: string;
  readonly channel: string;
  readonly repository: string;
  readonly source: string;
}

/** Writes the scaffold into the folder `dir`; existing files are never touched. */
export async function init(
  services: PublisherServices,
  dir: string,
  options: InitOptions,
): Promise<Outcome> {
  const files = initRepository(options);
  const written = await services.writeNew(dir, files);
  if (!written.ok) {
    const hints = ['choose an empty folder, or move these files away; nothing was written'];
    return failed('Init', [{ ...written.error, hints }]);
  }
  const paths = files.map((it) => it.path);
  const text = [`wrote ${dir}`, ...paths.map((it) => `  ${it}`), ...NEXT].join('\n');
  return done('Init', { dir, files: paths }, text);
}

const NEXT = [
  'next, in that folder',
  '  warder lint && warder test',
  "  git init -b main && git add -A && git commit -m 'Start'",
  '  warder build',
  '  warder key generate --out ../key.pem    (outside of the repository)',
];
