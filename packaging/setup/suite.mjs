// SPDX-License-Identifier: Apache-2.0
// Takes packages from a Debian suite that the machine itself does not follow.
//
// apt is pointed at a private source list and private lists, so the machine's own apt state is never
// touched and nothing is installed. apt verifies the suite's signature and every package's hash.

import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError } from './errors.mjs';
import { findMirror } from './mirrors.mjs';
import { LAB_CACHE } from './paths.mjs';
import { run } from './run.mjs';

const ATTEMPTS_MAX = 2;

/** Opens one suite: fetches its package index and returns { names, download }. */
export function openSuite(suite, log) {
  const options = prepare(suite);
  retry(() =>
    run('apt-get', [...options, '-q', '--error-on=any', 'update'], {
      log,
      what: `apt-get update for Debian ${suite}`,
      hint: `the index of Debian ${suite} could not be fetched: this needs the network`,
    }),
  );
  return {
    /** Every package name of the suite that starts with the prefix. */
    names: (prefix) =>
      run('apt-cache', [...options, 'pkgnames', prefix], { log })
        .split('\n')
        .filter(Boolean),
    /** Downloads the newest version of a package into the cache and returns the file. */
    download: (name) => retry(() => download(name, options, log)),
  };
}

function prepare(suite) {
  const home = join(LAB_CACHE, 'apt', suite);
  for (const folder of ['lists/partial', 'archives/partial', 'etc'])
    mkdirSync(join(home, folder), { recursive: true });
  const { uri, signedBy } = findMirror();
  const sources = join(home, 'etc', 'sources.list');
  writeFileSync(sources, `deb [signed-by=${signedBy}] ${uri} ${suite} main\n`);
  writeFileSync(join(home, 'etc', 'status'), '');
  const settings = {
    'Dir::Etc::sourcelist': sources,
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::Etc::preferences': '/dev/null',
    'Dir::Etc::preferencesparts': '/dev/null',
    'Dir::State': home,
    'Dir::State::lists': join(home, 'lists'),
    'Dir::State::status': join(home, 'etc', 'status'),
    'Dir::Cache': home,
    'Dir::Cache::archives': join(home, 'archives'),
    'Acquire::Languages': 'none',
    'Acquire::Retries': '2',
    // As root, apt would fetch as a user that cannot write below the home directory of root.
    'APT::Sandbox::User': 'root',
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
}

function download(name, options, log) {
  const debs = join(LAB_CACHE, 'debs');
  const fresh = join(debs, '.fetching');
  // What a killed set-up left; the cache is locked, so no other one is at work.
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  try {
    run('apt-get', [...options, '-q', 'download', name], {
      log,
      cwd: fresh,
      what: `apt-get download ${name}`,
    });
    const file = readdirSync(fresh).find((it) => it.endsWith('.deb'));
    if (!file) throw new SetupError(`apt-get downloaded no file for the package ${name}`);
    renameSync(join(fresh, file), join(debs, file));
    return join(debs, file);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

function retry(action) {
  for (let attempt = 1; ; attempt++) {
    try {
      return action();
    } catch (cause) {
      if (!(cause instanceof SetupError) || attempt === ATTEMPTS_MAX) throw cause;
    }
  }
}
