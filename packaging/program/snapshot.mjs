// SPDX-License-Identifier: Apache-2.0
// Makes the start-up snapshot of `warder verify`: the heap of a Node that has loaded its modules. It fits the
// very Node that made it and no other.
//
// What is in it: functions, compiled to the last one, and what modules made when they ran. What is not: keys,
// hashes, handles. Node's own crypto is loaded in the process that verifies, because a worker of a
// process that has it from a snapshot aborts. Any other built-in module that Node does not vouch for
// is an error (`vm`, which compiles here, has no state).

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { build } from 'esbuild';
import { collect } from '../guest/bundle.mjs';
import { SetupError } from '../setup/errors.mjs';
import { ROOT } from '../setup/paths.mjs';

// Modules that `warder verify` imports late. Whatever else is imported late belongs to other commands.
const LATE =
  /^src\/(cli\/groups\/verify|cli\/commands\/evidence|adapters\/(oci-layout\/registry|oras\/registry|sigstore\/(once|verifier|trust-file)|disk\/evidence-folder))\.ts$/;

// Modules of Node that snapshots cannot hold, and that are imported early all the same: loaded at first use.
const NODE_LATE = /^(node:)?(child_process|crypto|net)$/;

/** Answers the bytes of the snapshot for the Node that runs this. */
export async function makeSnapshot() {
  const dir = mkdtempSync(join(tmpdir(), 'warder-snapshot-'));
  try {
    writeFileSync(join(dir, 'command.js'), await bundleCommand());
    writeFileSync(join(dir, 'make.cjs'), `(${prepare})();`);
    // Nothing of this process's environment can be in it.
    const made = spawnSync(
      process.execPath,
      ['--snapshot-blob', join(dir, 'blob'), '--build-snapshot', 'make.cjs'],
      { cwd: dir, env: {}, encoding: 'utf8' },
    );
    const doubtful = [...made.stderr.matchAll(/built-in module "([^"]+)"/g)].map(([, it]) => it);
    if (made.status !== 0 || doubtful.some((it) => it !== 'vm')) {
      throw new SetupError(`no start-up snapshot can be made:\n${made.stderr.slice(0, 2000)}`);
    }
    return readFileSync(join(dir, 'blob'));
  } finally {
    rmSync(dir, { recursive: true });
  }
}

// Runs in the Node that makes the snapshot. Every function is compiled now, because what is compiled when
// it is first called is compiled at each start.
function prepare() {
  const builtin = process.getBuiltinModule;
  const v8 = builtin('node:v8');
  v8.startupSnapshot.addSerializeCallback(() => {
    if (process.moduleLoadList.includes('NativeModule crypto')) throw new Error('crypto is in it');
  });
  v8.startupSnapshot.addDeserializeCallback(() => {
    globalThis.WARDER_URL = builtin('node:url').pathToFileURL(process.argv[1]).href;
  });
  // Else zod makes code for each shape when it is first used: at each start.
  globalThis.__zod_globalConfig = { jitless: true };
  const code = builtin('node:fs').readFileSync('command.js', 'latin1');
  v8.setFlagsFromString('--no-lazy');
  const run = builtin('node:vm').runInThisContext(`(function (require) {${code}\n})`);
  v8.setFlagsFromString('--lazy');
  run(builtin);
}

async function bundleCommand() {
  const { outputFiles } = await build({
    entryPoints: [join(ROOT, 'src/startup-snapshot.ts')],
    write: false,
    bundle: true,
    minify: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    // One byte for each character of the sources in the snapshot, not two.
    charset: 'ascii',
    legalComments: 'none',
    logLevel: 'silent',
    // A snapshot can require, not import.
    supported: { 'dynamic-import': false },
    // Where the program lies is known when it runs.
    define: { 'import.meta.url': 'globalThis.WARDER_URL' },
    plugins: [collect([]), leaveOut, loadLate],
  });
  return outputFiles[0].text;
}

const leaveOut = {
  name: 'leave-out',
  setup(bundler) {
    bundler.onResolve({ filter: /^\.{1,2}\// }, ({ kind, path, resolveDir }) => {
      if (kind !== 'dynamic-import') return undefined;
      const source = relative(ROOT, resolve(resolveDir, path));
      return LATE.test(source) ? undefined : { path: `warder:${source}`, external: true };
    });
  },
};

const loadLate = {
  name: 'load-late',
  setup(bundler) {
    bundler.onResolve({ filter: NODE_LATE }, ({ path, namespace }) =>
      namespace === 'late' ? { path, external: true } : { path, namespace: 'late' },
    );
    bundler.onLoad({ filter: /./, namespace: 'late' }, ({ path }) => {
      const names = Object.keys(createRequire(import.meta.url)(path));
      const getters = names.map((it) => `get ${it}() { return load().${it}; },`);
      const load = `const load = () => require(${JSON.stringify(path)});`;
      return { contents: [load, 'module.exports = {', ...getters, '};'].join('\n') };
    });
  },
};
