// What anybody who may write to a registry can do to a tag, over its HTTP interface.
//
// SPDX-License-Identifier: Apache-2.0

import { MEDIA } from '../../../src/core/bundle.ts';

/** Points a tag at content that the registry has: how an attacker goes back to an old bundle. */
export async function moveTag(
  host: string,
  repository: string,
  tag: string,
  digest: string,
): Promise<void> {
  const manifests = `http://${host}/v2/${repository}/manifests`;
  const headers = { accept: MEDIA.manifest };
  const manifest = await fetch(`${manifests}/${digest}`, { headers });
  if (!manifest.ok) throw new Error(`the registry does not give ${digest}: ${manifest.status}`);
  const moved = await fetch(`${manifests}/${tag}`, {
    method: 'PUT',
    headers: { 'content-type': MEDIA.manifest },
    body: await manifest.arrayBuffer(),
  });
  if (!moved.ok) throw new Error(`the registry did not move ${tag}: ${moved.status}`);
}
