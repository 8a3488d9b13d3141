// From a commit to the bytes of a bundle: read, lint, compile, test, describe. Nothing is pushed and
// nothing is signed here, so `warder lint`, `test` and `build` are this without an end.
//
// Invariant: the same commit and the same `previous` give the same digest; no clock is read.
//
// SPDX-License-Identifier: Apache-2.0

import { type BundleDescriptor, MEDIA } from '../core/bundle.ts';
import type { Digest } from '../core/digest.ts';
import { compile } from '../core/policy/compile.ts';
import type { FilePolicy } from '../core/policy/document.ts';
import type { Finding } from '../core/policy/finding.ts';
import type { PolicyIr } from '../core/policy/ir.ts';
import { lint } from '../core/policy/lint.ts';
import { neededHooks } from '../core/policy/needed-hooks.ts';
import {
  type PolicyTest,
  type PolicyTestReport,
  runPolicyTests,
} from '../core/policy/run-tests.ts';
import type { CommitFacts, SourceFile } from '../core/publish/commit.ts';
import { PUBLISH_CONFIG_PATH, type PublishConfig } from '../core/publish/config.ts';
import {
  checkSources,
  IR_PATH,
  mediaTypeOf,
  planDescriptor,
  type SortedSources,
  sortSources,
} from '../core/publish/plan.ts';
import { err, type Failure, failure, ok, type Result } from '../core/result.ts';
import type { SourcePort } from '../ports.ts';
import { digestOf } from '../wire/content.ts';
import { encodeDescriptor } from '../wire/descriptor.ts';
import { chooseEmbedded, type NamedBlob } from '../wire/embedded.ts';
import { encodeManifest } from '../wire/manifest.ts';
import { encodeIr } from '../wire/policy/ir.ts';
import { parsePolicyFile, parsePolicyTestFile } from '../wire/policy/parse.ts';
import { parsePublishConfig } from '../wire/publish-config.ts';

/** What to build. */
export interface BuildRequest {
  readonly source: SourcePort;
  /** A commit, branch or tag of the repository. */
  readonly revision: string;
  /** Digest of the bundle that this one follows, when the publisher wants to say so. */
  readonly previous: Digest | null;
}

/** Policies that hold together: parsed, linted, compiled and tested. */
export interface CheckedPolicies {
  readonly ir: PolicyIr;
  /** Warnings of lint; errors would have been failures. */
  readonly findings: readonly Finding[];
  readonly report: PolicyTestReport;
}

/** A bundle that is ready to be pushed. */
export interface BuiltBundle extends CheckedPolicies {
  readonly config: PublishConfig;
  readonly facts: CommitFacts;
  readonly descriptor: BundleDescriptor;
  readonly manifest: Uint8Array;
  readonly digest: Digest;
  readonly blobs: readonly NamedBlob[];
}

type Problems = readonly Failure[];

/** Builds the bundle of a commit; every problem of the policies is reported, not only the first. */
export async function buildBundle(request: BuildRequest): Promise<Result<BuiltBundle, Problems>> {
  const facts = await request.source.commit(request.revision);
  if (!facts.ok) return err([facts.error]);
  const { commit } = facts.value;
  const configFile = await request.source.files(commit, PUBLISH_CONFIG_PATH);
  if (!configFile.ok) return err([configFile.error]);
  const [configSource] = configFile.value;
  if (configSource?.path !== PUBLISH_CONFIG_PATH) {
    const what = `the commit has no ${PUBLISH_CONFIG_PATH} at its root`;
    const hints = ['run warder init to make one'];
    return err([failure('config/unreadable', what, { hints })]);
  }
  const config = parsePublishConfig(configSource.bytes);
  if (!config.ok) return config;
  const files = await request.source.files(commit, config.value.policiesDir);
  if (!files.ok) return err([files.error]);
  const sorted = sortSources(files.value);
  const problems = checkSources(config.value, sorted);
  if (problems.length > 0) return err(problems);
  const checked = checkPolicies(sorted);
  if (!checked.ok) return checked;
  return assemble(config.value, facts.value, sorted, checked.value, request.previous);
}

/** Parses, lints, compiles and tests the policies of a repository together. */
export function checkPolicies(sorted: SortedSources): Result<CheckedPolicies, Problems> {
  const policies = parseAll(sorted.sources, parsePolicyFile);
  const tests = parseAll(sorted.tests, parsePolicyTestFile);
  const unparsed = [policies, tests].flatMap((one) => (one.ok ? [] : one.error));
  if (!policies.ok || !tests.ok) return err(unparsed);
  return checkParsed(policies.value, tests.value.flat());
}

function checkParsed(
  policies: readonly FilePolicy[],
  tests: readonly PolicyTest[],
): Result<CheckedPolicies, Problems> {
  const ir = compile(policies);
  if (!ir.ok) return ir;
  const findings = lint(policies);
  const errors = findings.filter((finding) => finding.severity === 'error').map(toFailure);
  const report = runPolicyTests(ir.value, tests);
  const failed = report.results.filter((result) => !result.passed);
  for (const { test, verdict } of failed) {
    const by = verdict.rule === null ? '' : ` by ${verdict.rule}`;
    const wanted = test.rule === null ? test.expect : `${test.expect} by ${test.rule}`;
    const what = `policy test "${test.name}" expects ${wanted}, got ${verdict.verdict}${by}`;
    errors.push(failure('publish/tests-failed', what, { at: test.at }));
  }
  return errors.length > 0 ? err(errors) : ok({ ir: ir.value, findings, report });
}

function toFailure(finding: Finding): Failure {
  return failure(finding.code, finding.message, { hints: [finding.hint], at: finding.at });
}

function parseAll<T>(
  files: readonly SourceFile[],
  parse: (path: string, bytes: Uint8Array) => Result<T, Problems>,
): Result<readonly T[], Problems> {
  const parsed = files.map((file) => parse(file.path, file.bytes));
  const problems = parsed.flatMap((one) => (one.ok ? [] : one.error));
  return problems.length > 0
    ? err(problems)
    : ok(parsed.flatMap((one) => (one.ok ? [one.value] : [])));
}

function assemble(
  config: PublishConfig,
  facts: CommitFacts,
  sorted: SortedSources,
  checked: CheckedPolicies,
  previous: Digest | null,
): Result<BuiltBundle, Problems> {
  const ir = { path: IR_PATH, bytes: encodeIr(checked.ir) };
  const layers = [...sorted.sources, ...sorted.tests, ir].map(({ path, bytes }) => {
    const file = { mediaType: mediaTypeOf(path), digest: digestOf(bytes), size: bytes.length };
    return { path, bytes, file };
  });
  const files = layers.map(({ path, file }) => ({ ...file, path }));
  const descriptor = planDescriptor(config, facts, files, previous, neededHooks(checked.ir));
  if (!descriptor.ok) return err([descriptor.error]);
  const configBytes = encodeDescriptor(descriptor.value);
  const configDescriptor = {
    mediaType: MEDIA.config,
    digest: digestOf(configBytes),
    size: configBytes.length,
  };
  const blobs = [
    { descriptor: configDescriptor, bytes: configBytes },
    ...layers.map(({ file, bytes }) => ({ descriptor: file, bytes })),
  ];
  const manifest = encodeManifest({ config: configDescriptor, files }, chooseEmbedded(blobs));
  return ok({
    ...checked,
    config,
    facts,
    descriptor: descriptor.value,
    manifest,
    digest: digestOf(manifest),
    blobs,
  });
}
