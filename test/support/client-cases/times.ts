// Cases of time and of trusted roots: timestamps, windows of authorities and logs, certificate logs.
//
// SPDX-License-Identifier: Apache-2.0

import { sign } from 'node:crypto';
import { X509Certificate } from '@sigstore/core';
import { initializeTSA } from '@sigstore/mock';
import { vi } from 'vitest';
import { sha256 } from '../paper-log.ts';
import {
  bundleOf,
  ecdsa,
  forward,
  listAuthority,
  listCertificateLog,
  listStamper,
  makeAuthority,
  makeLeaf,
  makePaperSigstore,
  type PaperSigstore,
  type Stamper,
  stamp,
} from '../paper-sigstore.ts';
import { type Asked, type ClientCase, enterThing, make, thingOf } from './case.ts';

const V2 = 'hashedrekord 0.0.2';
const HOUR_MS = 3_600_000;
const YEAR_MS = 366 * 24 * HOUR_MS;

/** A bundle in a log of version 2 with these timestamps over its signature. */
async function stamped(
  world: PaperSigstore,
  stamps: (signature: Buffer) => Promise<readonly string[]>,
): Promise<Asked['bundle']> {
  const by = await makeLeaf(world.authority);
  const thing = thingOf('file', by);
  const found = enterThing(world, thing, by, { entry: V2 });
  return bundleOf(thing, by, [found], await stamps(thing.signature));
}

async function inThePast<T>(byMs: number, run: () => Promise<T>): Promise<T> {
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - byMs });
  try {
    return await run();
  } finally {
    vi.useRealTimers();
  }
}

const iso = (world: PaperSigstore, afterMs = 0) =>
  new Date(world.clock.getTime() + afterMs).toISOString();

function withStampers(world: PaperSigstore, stampers: readonly Stamper[]): Asked['root'] {
  return { ...world.root, timestampAuthorities: stampers.map(listStamper) };
}

const timestamps: readonly ClientCase[] = [
  ...([true, false] as const).map(
    (inside): ClientCase => ({
      name: `timestamp-${inside ? 'with' : 'without'}-certificate`,
      odd: `nothing; the timestamp ${inside ? 'has' : 'lacks'} the certificate of its authority`,
      verdict: 'verified',
      make: async (world) => ({
        bundle: await stamped(world, async (it) => [await stamp(world.stamper, it, inside)]),
      }),
    }),
  ),
  {
    name: 'timestamp-chain-expired-since',
    odd: 'every certificate has expired since; each was good at the time',
    verdict: 'verified',
    make: async () => {
      const old = await inThePast(2 * YEAR_MS, makePaperSigstore);
      return { bundle: await make(old, { entry: V2 }), root: old.root };
    },
  },
  {
    name: 'timestamp-missing-rekor2',
    odd: 'nothing says when: such logs do not',
    verdict: 'verify/timestamp-missing',
    make: async (world) => ({ bundle: await stamped(world, async () => []) }),
  },
  {
    name: 'timestamp-over-other-signature',
    odd: 'a good timestamp of another signature',
    verdict: 'verify/timestamp-invalid',
    make: async (world) => ({
      bundle: await stamped(world, async () => [await stamp(world.stamper, Buffer.from('other'))]),
    }),
  },
  ...([true, false] as const).map(
    (inside): ClientCase => ({
      name: `timestamp-untrusted-${inside ? 'with' : 'without'}-certificate`,
      odd: `the authority is not in the root; its certificate is ${inside ? '' : 'not '}inside`,
      verdict: 'verify/timestamp-invalid',
      make: async (world) => {
        const other = await initializeTSA(ecdsa(), world.clock);
        return { bundle: await stamped(world, async (it) => [await stamp(other, it, inside)]) };
      },
    }),
  ),
  {
    name: 'timestamp-after-certificate',
    odd: 'the time is past the end of the certificate',
    verdict: 'verify/certificate-time',
    make: async () => {
      const world = await makePaperSigstore();
      const bundle = await stamped(world, async (it) => {
        world.clock.setTime(world.clock.getTime() + HOUR_MS);
        return [await stamp(world.stamper, it)];
      });
      return { bundle, root: world.root };
    },
  },
  {
    name: 'timestamps-one-after-certificate',
    odd: 'two good timestamps; the second is past the end of the certificate',
    verdict: 'verify/certificate-time',
    make: async () => {
      const world = await makePaperSigstore();
      const bundle = await stamped(world, async (it) => {
        const first = await stamp(world.stamper, it);
        world.clock.setTime(world.clock.getTime() + HOUR_MS);
        return [first, await stamp(world.stamper, it)];
      });
      return { bundle, root: world.root };
    },
  },
  {
    name: 'timestamp-after-certificate-intoto',
    odd: 'a promise in time and a timestamp past the end of the certificate',
    verdict: 'verify/certificate-time',
    make: async () => {
      const world = await makePaperSigstore();
      const by = await makeLeaf(world.authority);
      const thing = thingOf('statement', by);
      const found = enterThing(world, thing, by, { entry: 'intoto 0.0.2' });
      world.clock.setTime(world.clock.getTime() + HOUR_MS);
      const late = await stamp(world.stamper, thing.signature);
      return { bundle: bundleOf(thing, by, [found], [late]), root: world.root };
    },
  },
  ...(['hashedrekord 0.0.1', 'intoto 0.0.2'] as const).map(
    (entry): ClientCase => ({
      name: `promise-after-certificate-${entry.split(' ')[0]}`,
      odd: 'the log promised it past the end of the certificate',
      verdict: 'verify/certificate-time',
      make: async () => {
        const world = await makePaperSigstore();
        const by = await makeLeaf(world.authority);
        const thing = thingOf(entry === 'intoto 0.0.2' ? 'statement' : 'file', by);
        world.clock.setTime(world.clock.getTime() + HOUR_MS);
        const found = enterThing(world, thing, by, { entry });
        return { bundle: bundleOf(thing, by, [found], []), root: world.root };
      },
    }),
  ),
  {
    name: 'timestamp-outside-authority-certificate',
    odd: 'the certificate of the authority had expired at that time',
    verdict: 'verify/timestamp-invalid',
    make: async (world) => {
      const old = await inThePast(2 * YEAR_MS, () => initializeTSA(ecdsa(), world.clock));
      const bundle = await stamped(world, async (it) => [await stamp(old, it)]);
      return { bundle, root: withStampers(world, [old]) };
    },
  },
  {
    name: 'timestamp-outside-authority-window',
    odd: 'the root ends the authority before that time',
    verdict: 'verify/timestamp-invalid',
    make: async (world) => {
      const root = structuredClone(world.root);
      for (const it of root.timestampAuthorities) it.validFor.end = iso(world, -1000);
      return { bundle: await make(world, { entry: V2 }), root };
    },
  },
  ...([true, false] as const).map(
    (isEmpty): ClientCase => ({
      name: `timestamp-borrows-window${isEmpty ? '-of-empty' : ''}`,
      odd: `the same, beside another authority${isEmpty ? ' without certificates' : ''} that is in use`,
      verdict: isEmpty ? 'trust/root-invalid' : 'verify/timestamp-invalid',
      make: async (world) => {
        const root = structuredClone(world.root);
        for (const it of root.timestampAuthorities) it.validFor.end = iso(world, -1000);
        const other = listStamper(await initializeTSA(ecdsa(), world.clock));
        if (isEmpty) other.certChain.certificates = [];
        root.timestampAuthorities.push(other);
        return { bundle: await make(world, { entry: V2 }), root };
      },
    }),
  ),
  {
    name: 'timestamp-window-end-included',
    odd: 'nothing; the time is the last instant of the authority in the root',
    verdict: 'verified',
    make: async (world) => {
      const root = structuredClone(world.root);
      for (const it of root.timestampAuthorities) it.validFor.end = iso(world);
      return { bundle: await make(world, { entry: V2 }), root };
    },
  },
];

const roots: readonly ClientCase[] = [
  {
    name: 'log-window-end-included',
    odd: 'nothing; the promised time is the last instant of the log in the root',
    verdict: 'verified',
    make: async (world) => {
      const root = structuredClone(world.root);
      for (const it of root.tlogs) it.publicKey.validFor.end = iso(world);
      return { bundle: await make(world), root };
    },
  },
  {
    name: 'log-window-over',
    odd: 'the root ends the log before the promised time',
    verdict: 'verify/tlog-invalid',
    make: async (world) => {
      const root = structuredClone(world.root);
      for (const it of root.tlogs) it.publicKey.validFor.end = iso(world, -1000);
      return { bundle: await make(world), root };
    },
  },
  {
    name: 'log-window-without-start',
    odd: 'the root does not say from when a log counts',
    verdict: 'trust/root-invalid',
    make: async (world) => {
      const root = structuredClone(world.root);
      for (const it of root.tlogs) delete it.publicKey.validFor.start;
      return { bundle: await make(world), root };
    },
  },
  {
    name: 'authority-window-over',
    odd: 'the root ends the certificate authority before that time',
    verdict: 'verify/certificate-untrusted',
    make: async (world) => {
      const root = structuredClone(world.root);
      for (const it of root.certificateAuthorities) it.validFor.end = iso(world, -1000);
      return { bundle: await make(world, { thing: 'statement', entry: 'intoto 0.0.2' }), root };
    },
  },
  {
    name: 'root-of-other-instance',
    odd: 'a good bundle of another sigstore',
    verdict: 'verify/certificate-untrusted',
    make: async (world) => ({
      bundle: await make(world),
      root: (await makePaperSigstore()).root,
    }),
  },
  {
    name: 'certificate-log-other-key',
    odd: 'the root has another key for the certificate log',
    verdict: 'verify/sct-invalid',
    make: async (world) => {
      const root = structuredClone(world.root);
      const other = listCertificateLog(ecdsa().publicKey);
      for (const it of root.ctlogs) it.publicKey = other.publicKey;
      return { bundle: await make(world), root };
    },
  },
  {
    name: 'authority-name-twice',
    odd: 'nothing; the root lists, first, another authority of the same name and another key',
    verdict: 'verified',
    make: async (world) => {
      const decoy = listAuthority([(await makePaperSigstore()).authority.rootCertificate]);
      const certificateAuthorities = [decoy, ...world.root.certificateAuthorities];
      return { bundle: await make(world), root: { ...world.root, certificateAuthorities } };
    },
  },
  {
    name: 'certificate-log-extensions',
    odd: 'nothing; the proof of the certificate log has extensions',
    verdict: 'verified',
    make: async () => {
      const world = await makePaperSigstore();
      const [keys, logKeys] = [ecdsa(), ecdsa()];
      const log = extendingLog(logKeys, world.clock);
      const authority = await makeAuthority(keys, log, world.clock);
      forward(world.clock);
      const root = {
        ...world.root,
        certificateAuthorities: [listAuthority([authority.rootCertificate])],
        ctlogs: [listCertificateLog(logKeys.publicKey)],
      };
      return { bundle: await make({ ...world, authority }), root };
    },
  },
];

/** A certificate log that answers with extensions (RFC 6962, 3.2 and 3.3). */
function extendingLog(
  keys: ReturnType<typeof ecdsa>,
  clock: Date,
): Parameters<typeof makeAuthority>[1] {
  const publicKey = keys.publicKey.export({ type: 'spki', format: 'der' });
  const logID = sha256(publicKey);
  const extensions = Buffer.from([0, 5, 0x77, 0x61, 0x72, 0x64, 0x72]);
  return {
    publicKey,
    logID: logID as never,
    log: async (certificate, issuer) => {
      const tbs = X509Certificate.parse(Buffer.from(certificate)).tbsCertificate.toDER();
      const time = Buffer.alloc(8);
      time.writeBigUInt64BE(BigInt(clock.getTime()));
      const length = Buffer.from([tbs.length >> 16, (tbs.length >> 8) & 255, tbs.length & 255]);
      const head = [Buffer.of(0, 0), time, Buffer.of(0, 1), Buffer.from(issuer), length, tbs];
      const signature = sign('sha256', Buffer.concat([...head, extensions]), keys.privateKey);
      const tail = Buffer.concat([Buffer.of(4, 3, 0, signature.length), signature]);
      const made = Buffer.concat([Buffer.of(0), logID, time, extensions, tail]);
      // The authority writes the length of the list, the log that of its one proof.
      return new Uint8Array([0, made.length, ...made]).buffer;
    },
  };
}

export const TIMES: readonly ClientCase[] = [...timestamps, ...roots];
