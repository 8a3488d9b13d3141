// F: what refers to a bundle, or does not.
//
// SPDX-License-Identifier: Apache-2.0

import { MEDIA } from '../../../src/core/bundle.ts';
import { toCanonicalJson } from '../../../src/wire/canonical-json.ts';
import { digestOf } from '../../../src/wire/content.ts';
import { legacyTags } from '../../../src/wire/referrer.ts';
import { attach, type Draft, draftOf, type Hostile } from '../../support/hostile.ts';
import { send } from '../../support/lying-registry.ts';
import { good, sign } from './keys.ts';

const NONE = Buffer.from('{"errors":[]}');

/** A manifest that refers, with the layers that it is told. */
const referring = (draft: Draft, layers: readonly unknown[], subject = draft.digest) =>
  toCanonicalJson({
    schemaVersion: 2,
    mediaType: MEDIA.manifest,
    config: { mediaType: MEDIA.empty, digest: digestOf(Buffer.from('{}')), size: 2 },
    layers: layers as never,
    subject: { mediaType: MEDIA.manifest, digest: subject, size: draft.manifest.length },
  });
const layerOf = (bytes: Uint8Array, size = bytes.length) => ({
  mediaType: MEDIA.sigstore,
  digest: digestOf(bytes),
  size,
});

export const REFERRERS: readonly Hostile[] = [
  {
    id: 'F01',
    what: 'no referrers API, and no fallback tag',
    codes: ['verify/no-attestations'],
    offer: (draft) => ({
      ...attach(draft),
      lie: (request, response) => {
        if (request.url?.includes('/referrers/') !== true) return false;
        send(request, response, 404, 'application/json', NONE);
        return true;
      },
    }),
  },
  {
    id: 'F02',
    what: 'only attestations of another bundle',
    codes: ['verify/subject-mismatch'],
    offer: async (draft) => {
      const other = draftOf();
      return attach(draft, await sign(other.release), await sign(other.provenance));
    },
  },
  {
    id: 'F06',
    what: 'pages without end',
    codes: ['fetch/timeout', 'fetch/too-many-referrers'],
    reach: { timeoutMs: 2_000 },
    offer: async (draft) => ({
      ...(await good(draft)),
      lie: (request, response) => {
        if (request.url?.includes('/referrers/') !== true) return false;
        response.setHeader('link', `<${request.url}>; rel="next"`);
        const index = { schemaVersion: 2, mediaType: MEDIA.index, manifests: [] };
        send(request, response, 200, MEDIA.index, toCanonicalJson(index));
        return true;
      },
    }),
  },
  {
    id: 'F07',
    what: 'only referrers with two layers, or with a layer of 200 MiB',
    codes: ['verify/no-attestations'],
    offer: async (draft) => {
      const [one, two] = [await sign(draft.release), await sign(draft.provenance)];
      const both = referring(draft, [layerOf(one), layerOf(two)]);
      const huge = referring(draft, [layerOf(one, 200 * 1024 * 1024)]);
      return { ...attach(draft, one, two), referrers: [both, huge] };
    },
  },
  {
    id: 'F08',
    what: 'only referrers whose subject is another manifest',
    codes: ['verify/no-attestations'],
    offer: async (draft) => {
      const one = await sign(draft.release);
      const foreign = referring(draft, [layerOf(one)], digestOf(draft.config));
      return { ...attach(draft, one), referrers: [foreign] };
    },
  },
  ...(['F09', 'P14'] as const).map(
    (id): Hostile => ({
      id,
      what: 'an attestation that is listed and cannot be read is not "unsigned"',
      codes: ['fetch/attestation-unavailable'],
      offer: async (draft) => {
        const offer = await good(draft);
        const lost = offer.referrers.map(digestOf);
        return {
          ...offer,
          lie: (request, response) => {
            if (!lost.some((it) => request.url?.endsWith(it))) return false;
            send(request, response, 403, 'application/json', NONE);
            return true;
          },
        };
      },
    }),
  ),
  {
    id: 'F10',
    what: 'attestations that are hidden now',
    codes: ['verify/no-attestations'],
    offer: async (draft) => ({ ...(await good(draft)), listed: [] }),
  },
  ...([0, 1] as const).map(
    (which): Hostile => ({
      id: 'F11',
      what: `only the legacy tag ${['.sig', '.att'][which]}`,
      codes: ['verify/legacy-signature'],
      offer: async (draft) => {
        const tag = legacyTags(draft.digest)[which] ?? '';
        const old = referring(draft, [layerOf(await sign(draft.release))]);
        return { ...attach(draft), tags: { [tag]: old } };
      },
    }),
  ),
  {
    id: 'X01',
    what: 'nothing is attached, and nothing is what is said',
    codes: ['verify/no-attestations'],
    offer: (draft) => attach(draft),
  },
];
