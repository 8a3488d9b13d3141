// Policy unit tests: requests with the verdict that their author expects, run against decide(). They
// are judged against all policies of a repository together, because that is what a host enforces.
//
// SPDX-License-Identifier: Apache-2.0

import type { SourcePosition } from '../result.ts';
import { decide, findCovering } from './decide.ts';
import type { PolicyIr } from './ir.ts';
import type { Request, Verdict } from './request.ts';

/** One expectation of a `*.test.yaml` file. */
export interface PolicyTest {
  readonly name: string;
  readonly request: Request;
  readonly expect: Verdict['verdict'];
  /** `policy/rule` that must be the one reported; null when the author does not say. */
  readonly rule: string | null;
  readonly at: SourcePosition;
}

export interface PolicyTestResult {
  readonly test: PolicyTest;
  readonly verdict: Verdict;
  readonly passed: boolean;
}

export interface PolicyTestReport {
  readonly results: readonly PolicyTestResult[];
  readonly failed: number;
  /** Rules that no test's request is covered by, in order. */
  readonly untested: readonly string[];
}

/** Runs every test and says which rules none of them reaches. */
export function runPolicyTests(ir: PolicyIr, tests: readonly PolicyTest[]): PolicyTestReport {
  const reached = new Set<string>();
  const results = tests.map((test) => {
    for (const { rule } of findCovering(ir, test.request)) reached.add(rule.id);
    const verdict = decide(ir, test.request);
    const passed =
      verdict.verdict === test.expect && (test.rule === null || test.rule === verdict.rule);
    return { test, verdict, passed };
  });
  return {
    results,
    failed: results.filter((result) => !result.passed).length,
    untested: ir.rules.map((rule) => rule.id).filter((id) => !reached.has(id)),
  };
}
