// SPDX-License-Identifier: Apache-2.0
// Bundles Warder's programs into plain JavaScript, in memory.
//
// Stripping types from hundreds of modules takes seconds on an emulated processor, and so does parsing what
// a command does not need: what is imported late is a file of its own, and all of it is minified. A file
// that the source names with `new URL('./x', import.meta.url)` comes along into the same
// folder: a .ts file as a bundle of its own (a worker), anything else as a copy (the addon, a schema).

import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { build } from 'esbuild';
import { SetupError } from '../setup/errors.mjs';
import { ROOT } from '../setup/paths.mjs';

/** The programs of Warder; one that does not exist yet is left out. */
export const PROGRAMS = [
  { name: 'warder', source: 'src/main.ts' },
  { name: 'warder-enforcer', source: 'src/enforcer/main.ts' },
];

const COMPANION = /new URL\(\s*(['"])(\.{1,2}\/[^'"]+)\1,\s*import\.meta\.url,?\s*\)/g;

// Bundled CommonJS packages call require() for Node's own modules.
const BANNER = `import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);`;

/** Bundles every program; returns { programs, files }: names, and a map of file name to bytes. */
export async function bundlePrograms() {
  const programs = PROGRAMS.filter(({ source }) => existsSync(join(ROOT, source)));
  const queue = programs.map(({ name, source }) => ({
    file: `${name}.mjs`,
    source: join(ROOT, source),
  }));
  const files = new Map();
  while (queue.length > 0) {
    const { file, source } = queue.shift();
    if (files.has(file)) continue;
    if (!source.endsWith('.ts')) {
      files.set(file, readFileSync(source));
      continue;
    }
    const { outputs, companions } = await bundleOne(file, source);
    for (const [name, code] of outputs) files.set(name, code);
    queue.push(...companions);
  }
  return { programs: programs.map(({ name }) => name), files };
}

async function bundleOne(file, source) {
  const companions = [];
  const options = {
    entryPoints: [{ in: source, out: basename(file, '.mjs') }],
    outdir: '/',
    outExtension: { '.js': '.mjs' },
    write: false,
    bundle: true,
    splitting: true,
    minify: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    charset: 'utf8',
    legalComments: 'none',
    banner: { js: BANNER },
    logLevel: 'silent',
    plugins: [collect(companions)],
  };
  const { outputFiles } = await build(options).catch((cause) => {
    const details = (cause.errors ?? []).map(
      ({ text, location }) => `${location?.file}:${location?.line}: ${text}`,
    );
    throw new SetupError([`cannot bundle ${source} for the guest`, ...details].join('\n  '), {
      hint: '"npm run check:types" shows what does not fit together',
    });
  });
  // The name of a shared part has the hash of what is in it: two programs may have the same one.
  const outputs = outputFiles.map(({ path, contents }) => [basename(path), contents]);
  return { outputs, companions };
}

export function collect(companions) {
  return {
    name: 'companions',
    setup(bundler) {
      bundler.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const contents = readFileSync(path, 'utf8').replace(COMPANION, (whole, _quote, target) => {
          const source = resolve(dirname(path), target);
          // A folder, or a file that only an installation has, stays as it is written.
          if (!existsSync(source) || !statSync(source).isFile()) return whole;
          const file = nameOf(source);
          companions.push({ file, source });
          return `new URL(${JSON.stringify(`./${file}`)}, import.meta.url)`;
        });
        return { contents, loader: 'ts' };
      });
    },
  };
}

// src/adapters/sigstore/collect.worker.ts -> adapters-sigstore-collect.worker.mjs, which cannot collide.
function nameOf(source) {
  if (!source.endsWith('.ts')) return basename(source);
  return `${source.slice(join(ROOT, 'src/').length, -'.ts'.length).replaceAll('/', '-')}.mjs`;
}
