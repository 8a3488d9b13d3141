// Runs the oras command: arguments as a list, an environment from nothing, a cap on what it may print,
// and a signal that kills it. Nothing it says is believed here.
//
// Invariants: the command was checked before it runs (ownership each time, version once per file);
// secrets never are arguments; the child inherits no variable of ours.
//
// SPDX-License-Identifier: Apache-2.0

import { stat } from 'node:fs/promises';
import { execa } from 'execa';
import type { ErrorCode } from '../../core/errors.ts';
import { err, failure, ok, type Result } from '../../core/result.ts';
import { checkOwnership, checkVersion } from './tool.ts';
import { toFailure } from './translate.ts';

const STDERR_BYTES_MAX = 64 * 1024;
const VERSION_TIMEOUT_MS = 10_000;
// Where nothing is: oras finds neither a configuration nor a home there.
const NOWHERE = '/nonexistent';

/** Where the command is and what it may know. */
export interface OrasOptions {
  /** Absolute path of oras >= 1.3.3. */
  readonly orasPath: string;
  /** Folder with a `config.json` of registry credentials; oras itself never sees it (gate.ts). */
  readonly credentialsDir?: string;
  /** `HOST[:PORT]` of token services that credentials may be shown to, besides the registry itself. */
  readonly tokenRealms?: readonly string[];
  /** PEM file with certificate authorities for registries; without it those of the system. */
  readonly caFile?: string;
  /**
   * Where a registry is really spoken to, by the host of its name: a mirror or a forwarded port. What
   * is signed keeps its name, and content is verified wherever it came from.
   */
  readonly endpoints?: ReadonlyMap<string, string>;
  /** `HOST[:PORT]` (of the endpoint) of the registries that may be spoken to without TLS. */
  readonly plainHttpHosts: readonly string[];
  /** Total deadline of one operation of a port. */
  readonly timeoutMs?: number;
  /** Check the command now, beside other work, and not when it is first needed. */
  readonly checkNow?: boolean;
}

/** One run of oras. */
export interface OrasRun {
  /** For people: what this run is for. */
  readonly what: string;
  readonly args: readonly string[];
  readonly input?: Uint8Array;
  /** More on stdout kills the child and gives `tooMuch`. */
  readonly bytesMax: number;
  readonly tooMuch: ErrorCode;
  /** The caller compares the bytes with a digest: what oras finds unequal is answered, not told. */
  readonly judgesBytes?: boolean;
  /** Folder of the configuration that opens a gate; without it oras has no credentials. */
  readonly configDir?: string | undefined;
  readonly signal: AbortSignal;
}

/** Runs oras, after checking that it may be run. */
export type RunOras = (run: OrasRun) => Promise<Result<Uint8Array>>;

/** Makes the function that runs oras; the version is asked once for each file that is found there. */
export function createRunner(options: OrasOptions): RunOras {
  let asked: { readonly identity: string; readonly version: Promise<Result<void>> } | null = null;
  const findTrusted = async (): Promise<Result<string>> => {
    const path = await checkOwnership(options.orasPath);
    if (!path.ok) return path;
    const { dev, ino, mtimeMs, size } = await stat(path.value);
    const identity = [dev, ino, mtimeMs, size].join(':');
    // Runs that begin side by side wait for one answer.
    const question =
      asked?.identity === identity ? asked : { identity, version: checkTool(path.value) };
    asked = question;
    const version = await question.version;
    if (version.ok) return path;
    if (asked === question) asked = null;
    return version;
  };
  // What it finds wrong is found again, and told, by the first run.
  if (options.checkNow === true) findTrusted().catch(() => {});
  return async (run) => {
    const path = await findTrusted();
    return path.ok ? spawn(path.value, run) : path;
  };
}

async function checkTool(path: string): Promise<Result<void>> {
  const printed = await spawn(path, {
    what: 'asking oras for its version',
    args: ['version'],
    bytesMax: STDERR_BYTES_MAX,
    tooMuch: 'host/tool-untrusted',
    signal: AbortSignal.timeout(VERSION_TIMEOUT_MS),
  });
  return checkVersion(path, printed.ok ? new TextDecoder().decode(printed.value) : '');
}

async function spawn(path: string, run: OrasRun): Promise<Result<Uint8Array>> {
  if (run.signal.aborted) return err(stopped(run));
  const result = await execa(path, run.args, {
    input: run.input ?? new Uint8Array(),
    encoding: 'buffer',
    stripFinalNewline: false,
    // One more than allowed: a child that was cut at the bound exactly would look complete.
    maxBuffer: { stdout: run.bytesMax + 1, stderr: STDERR_BYTES_MAX },
    cancelSignal: run.signal,
    killSignal: 'SIGKILL',
    reject: false,
    extendEnv: false,
    env: { HOME: NOWHERE, DOCKER_CONFIG: run.configDir ?? NOWHERE },
    cwd: '/',
  });
  if (result.stdout.length > run.bytesMax) {
    return err(failure(run.tooMuch, `${run.what}: more than ${run.bytesMax} bytes were sent`));
  }
  if (!result.failed) return ok(result.stdout);
  if (run.signal.aborted) return err(stopped(run));
  // No exit code and no signal: it did not start. That is a fact about this host, not the registry.
  if (result.exitCode === undefined && result.signal === undefined && !result.isMaxBuffer) {
    return err(failure('host/tool-untrusted', `oras cannot be started for ${run.what}`));
  }
  const told = toFailure(run.what, new TextDecoder().decode(result.stderr));
  const unequal = told.code === 'fetch/digest-mismatch' && run.judgesBytes === true;
  return unequal ? ok(result.stdout) : err(told);
}

function stopped(run: OrasRun): ReturnType<typeof failure> {
  const causes = ['the total deadline passed, or the caller gave up'];
  return failure('fetch/timeout', `${run.what} took too long`, { causes });
}
