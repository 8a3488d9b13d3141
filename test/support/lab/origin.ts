// A policy repository as an organisation has it: a bare remote whose post-receive hook publishes what
// was pushed, and an author's clone of it.
//
// SPDX-License-Identifier: Apache-2.0

import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Digest } from '../../../src/core/digest.ts';
import { run, tryRun, WARDER } from './run.ts';

const AUTHOR = { name: 'Policy Author', email: 'author@example.com' } as const;
const BRANCH = 'main';

/** Who signs: a key that `warder key generate` made. */
export interface SigningKey {
  readonly file: string;
  readonly passphraseFile: string;
  readonly publicKeyPem: string;
}

/** Paths and texts of a commit; null removes a file. */
export type PolicyFiles = Readonly<Record<string, string | null>>;

/** Where publishing goes, by the signed name of the repository. */
export interface Destination {
  /** Host of the signed name, such as `registry.example.test:5000`. */
  readonly name: string;
  /** Where that host really is. */
  readonly endpoint: string;
}

/** What publishing a commit answered. */
export interface Publication {
  readonly version: number;
  readonly digest: Digest;
  readonly commit: string;
  readonly signedBy: string;
  /** When the push began. */
  readonly pushedAtMs: number;
}

/** The remote and the author's clone. */
export interface Origin {
  readonly remote: string;
  readonly clone: string;
  /** Writes files, commits them and pushes; the hook of the remote publishes. */
  push(files: PolicyFiles, message: string): Promise<Publication>;
}

/** Makes a signing key with the command. */
export async function makeKey(dir: string, name: string): Promise<SigningKey> {
  mkdirSync(dir, { recursive: true });
  const file = join(dir, `${name}.pem`);
  const passphraseFile = join(dir, `${name}.passphrase`);
  writeFileSync(passphraseFile, `the passphrase of ${name}\n`, { mode: 0o600 });
  await run(WARDER, ['key', 'generate', '--out', file, '--passphrase-file', passphraseFile]);
  return { file, passphraseFile, publicKeyPem: readFileSync(`${file}.pub`, 'utf8') };
}

/** Makes the remote, and a clone that `warder init` has filled; nothing is committed yet. */
export async function makeOrigin(options: {
  readonly dir: string;
  readonly key: SigningKey;
  readonly destination: Destination;
  /** Where bundles belong: the name that is signed. */
  readonly repository: string;
  /** Canonical URL of the policy repository. */
  readonly source: string;
}): Promise<Origin> {
  const remote = join(options.dir, 'policies.git');
  const clone = join(options.dir, 'policies');
  const made = [
    run('git', ['init', '--quiet', '--bare', `--initial-branch=${BRANCH}`, remote]),
    run(WARDER, ['init', clone, '--repository', options.repository, '--source', options.source]),
  ];
  await Promise.all(made);
  await run('git', ['init', '--quiet', `--initial-branch=${BRANCH}`], { cwd: clone });
  await identify(clone);
  await run('git', ['remote', 'add', 'origin', remote], { cwd: clone });
  const answer = join(options.dir, 'publication.json');
  writeHook(remote, publishCommand(remote, options.key, options.destination), answer);
  return {
    remote,
    clone,
    push: async (files, message) => {
      const commit = await commitFiles(clone, files, message);
      rmSync(answer, { force: true });
      const pushedAtMs = Date.now();
      const { stderr } = await tryRun('git', ['push', '--quiet', 'origin', BRANCH], { cwd: clone });
      return { ...readPublication(answer, stderr), commit, pushedAtMs };
    },
  };
}

/** Somebody else's clone with a commit on top, published straight into the registry. */
export async function publishAsStranger(options: {
  readonly dir: string;
  readonly origin: Origin;
  readonly key: SigningKey;
  readonly destination: Destination;
  readonly files: PolicyFiles;
}): Promise<Publication> {
  const clone = join(options.dir, 'stranger');
  await run('git', ['clone', '--quiet', options.origin.remote, clone]);
  await identify(clone);
  const commit = await commitFiles(clone, options.files, 'Open everything');
  const [program = '', ...args] = publishCommand(clone, options.key, options.destination);
  const pushedAtMs = Date.now();
  const printed = await run(program, [...args, '--commit', commit]);
  return { ...parsePublication(printed), commit, pushedAtMs };
}

async function identify(clone: string): Promise<void> {
  await run('git', ['config', 'user.name', AUTHOR.name], { cwd: clone });
  await run('git', ['config', 'user.email', AUTHOR.email], { cwd: clone });
}

async function commitFiles(clone: string, files: PolicyFiles, message: string): Promise<string> {
  for (const [path, text] of Object.entries(files)) {
    const file = join(clone, path);
    mkdirSync(dirname(file), { recursive: true });
    if (text === null) rmSync(file);
    else writeFileSync(file, text);
  }
  await run('git', ['add', '--all'], { cwd: clone });
  await run('git', ['commit', '--quiet', '--message', message], { cwd: clone });
  return (await run('git', ['rev-parse', 'HEAD'], { cwd: clone })).trim();
}

function publishCommand(dir: string, key: SigningKey, to: Destination): readonly string[] {
  return [
    ...[WARDER, 'publish', '--output', 'json', '--dir', dir, '--key', key.file],
    ...['--passphrase-file', key.passphraseFile],
    ...['--endpoint', `${to.name}=${to.endpoint}`, '--insecure-registry', to.endpoint],
  ];
}

// Git has unset nothing: a hook runs with GIT_DIR of the remote, which the command does not need.
function writeHook(remote: string, publish: readonly string[], answer: string): void {
  const quoted = publish.map((it) => `'${it.replaceAll("'", `'\\''`)}'`).join(' ');
  const hook = join(remote, 'hooks', 'post-receive');
  const text = `#!/bin/sh
# Publishes what was pushed to ${BRANCH}. Git shows the progress to whoever pushed.
unset GIT_DIR GIT_QUARANTINE_PATH
while read -r _before after ref; do
	test "$ref" = refs/heads/${BRANCH} || continue
	${quoted} --commit "$after" > '${answer}'
done
`;
  writeFileSync(hook, text);
  chmodSync(hook, 0o755);
}

function readPublication(answer: string, said: string): ReturnType<typeof parsePublication> {
  let printed: string;
  try {
    printed = readFileSync(answer, 'utf8');
  } catch (cause) {
    throw new Error(`the hook of the remote did not publish; git push said:\n${said}`, { cause });
  }
  return parsePublication(printed, said);
}

function parsePublication(printed: string, said = '') {
  const document: unknown = printed === '' ? null : JSON.parse(printed);
  if (isPublication(document)) return document;
  throw new Error(`not published:\n${printed}\n${said}`);
}

function isPublication(it: unknown): it is Pick<Publication, 'version' | 'digest' | 'signedBy'> {
  return typeof it === 'object' && it !== null && 'ok' in it && it.ok === true && 'digest' in it;
}
