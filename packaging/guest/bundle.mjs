// SPDX-License-Identifier: Apache-2.0
// Bundles Warder's programs into one folder of plain JavaScript: build/bundle/<program>.mjs.
//
// Stripping types from hundreds of modules takes seconds on an emulated processor; one bundled file starts
// at once. A file that the source names with `new URL('./x', import.meta.url)` comes along into the same
// folder: a .ts file as a bundle of its own (a worker), anything else as a copy (the addon, a schema).

import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { build } from 'esbuild';
import { BUILD, ROOT } from '../setup/paths.mjs';

/** The programs of Warder; one that does not exist yet is left out. */
export const PROGRAMS = [
  { name: 'warder', source: 'src/main.ts' },
  { name: 'warder-enforcer', source: 'src/enforcer/main.ts' },
];

const OUTPUT = join(BUILD, 'bundle');
const COMPANION = /new URL\(\s*(['"])(\.{1,2}\/[^'"]+)\1,\s*import\.meta\.url,?\s*\)/g;

// Bundled CommonJS packages call require() for Node's own modules.
const BANNER = `import { createRequire as __createRequire } from 'node:module';
const require = __createRequire(import.meta.url);`;

/** Bundles every program and returns { programs, files }: names, and the files of the folder. */
export async function bundlePrograms() {
  rmSync(OUTPUT, { recursive: true, force: true });
  mkdirSync(OUTPUT, { recursive: true });
  const programs = PROGRAMS.filter(({ source }) => existsSync(join(ROOT, source)));
  const queue = programs.map(({ name, source }) => ({ name, source: join(ROOT, source) }));
  const files = new Map();
  while (queue.length > 0) {
    const { name, source } = queue.shift();
    const file = `${name}.mjs`;
    if (files.has(file)) continue;
    files.set(file, join(OUTPUT, file));
    const companions = await bundleOne(source, files.get(file));
    for (const companion of companions) {
      if (companion.endsWith('.ts')) queue.push({ name: nameOf(companion), source: companion });
      else {
        copyFileSync(companion, join(OUTPUT, basename(companion)));
        files.set(basename(companion), join(OUTPUT, basename(companion)));
      }
    }
  }
  return { programs: programs.map(({ name }) => name), files: [...files.values()] };
}

async function bundleOne(source, output) {
  const companions = new Set();
  await build({
    entryPoints: [source],
    outfile: output,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    charset: 'utf8',
    legalComments: 'none',
    banner: { js: BANNER },
    logLevel: 'error',
    plugins: [collect(companions)],
  });
  return companions;
}

function collect(companions) {
  return {
    name: 'companions',
    setup(bundler) {
      bundler.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const contents = readFileSync(path, 'utf8').replace(COMPANION, (whole, _quote, target) => {
          const file = resolve(dirname(path), target);
          // A folder, or a file that only an installation has, stays as it is written.
          if (!existsSync(file) || !statSync(file).isFile()) return whole;
          companions.add(file);
          const name = file.endsWith('.ts') ? `${nameOf(file)}.mjs` : basename(file);
          return `new URL(${JSON.stringify(`./${name}`)}, import.meta.url)`;
        });
        return { contents, loader: 'ts' };
      });
    },
  };
}

// src/adapters/sigstore/worker.ts -> adapters-sigstore-worker, which cannot collide.
function nameOf(file) {
  return file.slice(join(ROOT, 'src/').length, -'.ts'.length).replaceAll('/', '-');
}
