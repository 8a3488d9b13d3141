// A real registry for tests: docker-registry on a loopback port of the system's choice, with its data
// in a temporary folder that goes away with it. It has no referrers API, so it exercises the fallback tag.
//
// SPDX-License-Identifier: Apache-2.0

import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A running registry. */
export interface TestRegistry {
  /** `127.0.0.1:PORT`, without TLS. */
  readonly host: string;
  /** Its storage, for tests that break what it holds. */
  readonly dataDir: string;
  stop(): Promise<void>;
}

/** Starts a registry and waits until it listens. */
export async function startRegistry(): Promise<TestRegistry> {
  const dir = await mkdtemp(join(tmpdir(), 'warder-registry-'));
  const dataDir = join(dir, 'data');
  const config = {
    version: 0.1,
    log: { level: 'info', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: dataDir }, delete: { enabled: true } },
    http: { addr: '127.0.0.1:0' },
  };
  // JSON is YAML.
  await writeFile(join(dir, 'config.yml'), JSON.stringify(config));
  // It never outlives this process, however that ends.
  const command = [
    '--pdeathsig',
    'KILL',
    '--',
    'docker-registry',
    'serve',
    join(dir, 'config.yml'),
  ];
  const child = spawn('setpriv', command, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env['PATH'], OTEL_TRACES_EXPORTER: 'none' },
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const host = await new Promise<string>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`docker-registry ended with ${code}`)));
    createInterface({ input: child.stderr }).on('line', (line) => {
      const match = /listening on (127\.0\.0\.1:\d+)/.exec(line);
      if (match?.[1] !== undefined) resolve(match[1]);
    });
  });
  return {
    host,
    dataDir,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
      await rm(dir, { recursive: true, force: true });
    },
  };
}
