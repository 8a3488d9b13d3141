// What anybody can do who owns a registry, over its HTTP interface: look, and move tags.
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
  const manifest = await getManifest(host, repository, digest);
  const moved = await fetch(`http://${host}/v2/${repository}/manifests/${tag}`, {
    method: 'PUT',
    headers: { 'content-type': MEDIA.manifest },
    body: await manifest.arrayBuffer(),
  });
  if (!moved.ok) throw new Error(`the registry did not move ${tag}: ${moved.status}`);
}

async function getManifest(host: string, repository: string, digest: string): Promise<Response> {
  const url = `http://${host}/v2/${repository}/manifests/${digest}`;
  const manifest = await fetch(url, { headers: { accept: MEDIA.manifest } });
  if (manifest.ok) return manifest;
  throw new Error(`the registry does not give ${digest}: ${manifest.status}`);
}
