// `warder lint` and `warder test`: mistakes and expectations of policies, in the work tree.
//
// SPDX-License-Identifier: Apache-2.0

import { compile } from '../../core/policy/compile.ts';
import type { FilePolicy } from '../../core/policy/document.ts';
import { renderExcerpt } from '../../core/policy/excerpt.ts';
import type { Finding } from '../../core/policy/finding.ts';
import { lint } from '../../core/policy/lint.ts';
import { neededHooks } from '../../core/policy/needed-hooks.ts';
import { type PolicyTestReport, runPolicyTests } from '../../core/policy/run-tests.ts';
import type { SourceFile } from '../../core/publish/commit.ts';
import { sortSources } from '../../core/publish/plan.ts';
import { type Failure, failure, type SourcePosition } from '../../core/result.ts';
import { escapeText } from '../../core/text.ts';
import { parsePolicyFile, parsePolicyTestFile } from '../../wire/policy/parse.ts';
import { done, failed, type Json, type Outcome } from '../outcome.ts';
import { counted } from '../text-blocks.ts';

type Problems = readonly Failure[];

/** Reports every mistake and warning; warnings alone are a success. */
export function lintFiles(files: readonly SourceFile[]): Outcome {
  const parsed = parsePolicies(files);
  const compiled = compile(parsed.policies);
  const findings = lint(parsed.policies);
  const warnings = findings.filter((it) => it.severity === 'warning');
  const errors = findings.filter((it) => it.severity === 'error').map(toFailure);
  const refused = compiled.ok ? [] : compiled.error;
  const problems = [...parsed.problems, ...refused, ...errors].map((it) => withExcerpt(it, files));
  const document = {
    policies: parsed.policies.length,
    rules: parsed.policies.reduce((sum, it) => sum + it.rules.length, 0),
    hooks: compiled.ok ? neededHooks(compiled.value) : [],
    warnings: warnings as unknown as Json,
  };
  const text = warnings.map((it) => warningText(it, files)).join('\n');
  const [first, ...rest] = problems;
  if (first !== undefined) return failed('Lint', [first, ...rest], document, text);
  const summary = [
    counted(document.policies, 'policy'),
    counted(document.rules, 'rule'),
    counted(warnings.length, 'warning'),
  ].join(', ');
  return done('Lint', document, text === '' ? summary : `${text}\n${summary}`);
}

/** Runs the policy tests; a test that does not hold is a failure with its place. */
export function testFiles(files: readonly SourceFile[]): Outcome {
  const parsed = parsePolicies(files);
  const tests = parseAll(sortSources(files).tests, parsePolicyTestFile);
  const compiled = compile(parsed.policies);
  const broken = [...parsed.problems, ...tests.problems, ...(compiled.ok ? [] : compiled.error)];
  const [first, ...rest] = broken.map((it) => withExcerpt(it, files));
  if (first !== undefined) return failed('PolicyTests', [first, ...rest]);
  if (!compiled.ok) throw new Error('a failed compile has problems');
  return reportTests(runPolicyTests(compiled.value, tests.values.flat()), files);
}

function reportTests(report: PolicyTestReport, files: readonly SourceFile[]): Outcome {
  const failures = report.results
    .filter((it) => !it.passed)
    .map(({ test, verdict }) => {
      const by = verdict.rule === null ? '' : ` by ${verdict.rule}`;
      const wanted = test.rule === null ? test.expect : `${test.expect} by ${test.rule}`;
      const what = `${test.name}: expected ${wanted}, got ${verdict.verdict}${by}`;
      return failure('publish/tests-failed', what, { at: test.at });
    })
    .map((it) => withExcerpt(it, files));
  const passed = report.results.length - failures.length;
  const document = {
    passed,
    failed: failures.length,
    untested: report.untested as unknown as Json,
  };
  const unexercised = report.untested.map((it) => `not exercised by any test: ${escapeText(it)}`);
  const text = [...unexercised, `${passed} passed, ${failures.length} failed`].join('\n');
  const [first, ...rest] = failures;
  return first === undefined
    ? done('PolicyTests', document, text)
    : failed('PolicyTests', [first, ...rest], document, text);
}

function parsePolicies(files: readonly SourceFile[]) {
  const { values, problems } = parseAll(sortSources(files).sources, parsePolicyFile);
  const policies: readonly FilePolicy[] = values;
  const none = policies.length === 0 && problems.length === 0;
  return {
    policies,
    problems: none
      ? [
          failure('publish/no-policies', 'no policy files (*.yaml) were found', {
            hints: ['name files or folders, or run it where policies/ is'],
          }),
        ]
      : problems,
  };
}

function parseAll<T>(
  files: readonly SourceFile[],
  parse: (
    path: string,
    bytes: Uint8Array,
  ) => { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: Problems },
): { readonly values: readonly T[]; readonly problems: Problems } {
  const parsed = files.map((it) => parse(it.path, it.bytes));
  return {
    values: parsed.flatMap((it) => (it.ok ? [it.value] : [])),
    problems: parsed.flatMap((it) => (it.ok ? [] : it.error)),
  };
}

function toFailure({ code, message, hint, at }: Finding): Failure {
  return failure(code, message, { at, hints: [hint] });
}

// The line with a caret comes first among the causes: it is where people look.
function withExcerpt(problem: Failure, files: readonly SourceFile[]): Failure {
  return { ...problem, causes: [...excerpt(problem.at, files), ...problem.causes] };
}

function excerpt(at: SourcePosition | undefined, files: readonly SourceFile[]): readonly string[] {
  const file = files.find((it) => it.path === at?.file);
  if (at === undefined || file === undefined) return [];
  return [renderExcerpt(new TextDecoder().decode(file.bytes), at)];
}

function warningText(finding: Finding, files: readonly SourceFile[]): string {
  const { file, line, column } = finding.at;
  const lines = excerpt(finding.at, files).flatMap((it) =>
    it.split('\n').map((row) => `  ${escapeText(row)}`),
  );
  return [
    `warning: ${escapeText(file)}:${line}:${column}: ${escapeText(finding.message)}`,
    `  code: ${finding.code}`,
    ...lines,
    `  hint: ${escapeText(finding.hint)}`,
  ].join('\n');
}
