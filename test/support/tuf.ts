// A TUF repository on loopback with real signatures, which can also be made to lie: each lie is a change of
// what is served, signed or not by the keys that the liar is said to have.
//
// SPDX-License-Identifier: Apache-2.0

import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  Key,
  Metadata,
  MetaFile,
  Root,
  Signature,
  Snapshot,
  TargetFile,
  Targets,
  Timestamp,
} from '@tufjs/models';

const ROLES = ['root', 'timestamp', 'snapshot', 'targets'] as const;
type RoleName = (typeof ROLES)[number];

/** A key that signs metadata. */
export interface TufKey {
  readonly key: Key;
  readonly secret: KeyObject;
}

export function makeTufKey(): TufKey {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const keyID = createHash('sha256').update(pem).digest('hex');
  const key = new Key({ keyID, keyType: 'ed25519', scheme: 'ed25519', keyVal: { public: pem } });
  return { key, secret: privateKey };
}

const inDays = (days: number) =>
  new Date(Date.now() + days * 86_400_000).toISOString().replace(/\.\d+Z/, 'Z');
const encode = (metadata: Metadata<never>) => Buffer.from(JSON.stringify(metadata.toJSON()));

/** What a version of the metadata is made of. */
export interface TufVersion {
  readonly version: number;
  readonly days?: number;
  /** Days of one role alone. */
  readonly expires?: Partial<Record<RoleName, number>>;
  readonly files: Readonly<Record<string, Uint8Array>>;
  /** Instead of the true hash of a file. */
  readonly hashes?: Record<string, string>;
}

type Answer = Uint8Array | ((response: ServerResponse) => void);

/** The repository: its keys, and what it serves by path. */
export class TufRepository {
  readonly keys: Record<RoleName, TufKey> = {
    root: makeTufKey(),
    timestamp: makeTufKey(),
    snapshot: makeTufKey(),
    targets: makeTufKey(),
  };
  readonly served = new Map<string, Answer>();
  readonly requests: string[] = [];
  readonly #server = createServer((request, response) => {
    const path = request.url ?? '';
    this.requests.push(path);
    const answer = this.served.get(path);
    if (typeof answer === 'function') answer(response);
    else if (answer === undefined) response.writeHead(404).end();
    else response.end(answer);
  });

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** A root that names the keys of now, signed by them and by `also`. */
  root(version: number, also: readonly TufKey[] = [], days = 365): Uint8Array {
    const base = { version, specVersion: '1.0.31', expires: inDays(days) };
    const root = new Root({ ...base, consistentSnapshot: true });
    for (const role of ROLES) root.addKey(this.keys[role].key, role);
    return signed(root, [this.keys.root, ...also]);
  }

  /** Puts a version of everything but the root up. */
  publish(what: TufVersion): void {
    const { version } = what;
    const base = (role: RoleName) => ({
      ...{ version, specVersion: '1.0.31' },
      expires: inDays(what.expires?.[role] ?? what.days ?? 30),
    });
    const targets = new Targets({ ...base('targets'), targets: {} });
    for (const [path, bytes] of Object.entries(what.files)) {
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      const hashes = what.hashes ?? { sha256 };
      targets.addTarget(new TargetFile({ path, length: bytes.length, hashes }));
      this.served.set(`/targets/${Object.values(hashes)[0]}.${path}`, bytes);
    }
    this.served.set(`/${version}.targets.json`, signed(targets, [this.keys.targets]));
    const meta = { 'targets.json': new MetaFile({ version }) };
    const snapshot = signed(new Snapshot({ ...base('snapshot'), meta }), [this.keys.snapshot]);
    this.served.set(`/${version}.snapshot.json`, snapshot);
    this.timestamp(version, version, base('timestamp').expires);
  }

  /** A timestamp alone. */
  timestamp(version: number, snapshot: number, expires = inDays(30)): void {
    const snapshotMeta = new MetaFile({ version: snapshot });
    const timestamp = new Timestamp({ version, specVersion: '1.0.31', expires, snapshotMeta });
    this.served.set('/timestamp.json', signed(timestamp, [this.keys.timestamp]));
  }
}

function signed(content: Root | Timestamp | Snapshot | Targets, by: readonly TufKey[]): Uint8Array {
  const metadata = new Metadata(content);
  for (const { key, secret } of by) {
    metadata.sign(
      (data) => new Signature({ keyID: key.keyID, sig: sign(null, data, secret).toString('hex') }),
      true,
    );
  }
  return encode(metadata as Metadata<never>);
}
