// docs/errors.md from the one table of error codes.
//
// SPDX-License-Identifier: Apache-2.0

import { type ErrorPrefix, type ErrorSpec, EXIT } from '../../src/core/errors/spec.ts';
import { ERRORS } from '../../src/core/errors.ts';

const EXIT_MEANING: Record<keyof typeof EXIT, string> = {
  ok: 'done',
  internal: 'a bug in Warder',
  usage: 'usage or local configuration',
  noSignature: 'no signature or attestation',
  notFound: 'reference not found',
  signature: 'signature, certificate, log or identity mismatch',
  provenance: 'provenance',
  rollback: 'rollback, equivocation, scope',
  freshness: 'expired, not yet valid, stale head',
  content: 'content or baseline',
  activation: 'activation or health failed, previous restored; or not proven to enforce',
  registry: 'registry unavailable',
  state: 'state corrupt, lost or held by another process',
  lastKnownGood: 'running on last known good or baseline',
  hostUnsupported: 'host unsupported',
};

const RETRY = {
  backoff: 'tried again, later each time',
  quarantine: 'this digest waits in quarantine',
  never: 'a person acts',
};

/** The whole document. */
export function errorsDocument(): string {
  const exits = Object.entries(EXIT)
    .map(([name, code]) => `| ${code} | ${EXIT_MEANING[name as keyof typeof EXIT]} |`)
    .join('\n');
  const table: Record<string, ErrorSpec> = ERRORS;
  const sections = Object.entries(PREFIXES).map(([prefix, title]) => section(prefix, title, table));
  return `# Errors

Every failure carries one of these codes. A code never changes its meaning; a retired one is not used again. An
error on a terminal tells, in this order: what failed, its code, its causes, what is still enforced, and a hint. With
\`--output json\` the same record is the one document on standard output.

## Exit codes

| exit | meaning |
|---|---|
${exits}

## Codes

The part before the slash is the stage that failed, or the thing that is at fault.

${sections.join('\n')}`;
}

const PREFIXES: Record<ErrorPrefix, string> = {
  cli: 'the command line',
  config: 'configuration files',
  policy: 'policies and their tests',
  publish: 'building and publishing',
  glass: 'break-glass and orders to disable',
  trust: 'the trust policy',
  resolve: 'from a reference to a digest',
  fetch: 'fetching a bundle',
  verify: 'verifying a bundle',
  stage: 'preparing a generation',
  activate: 'bringing a generation into force',
  confirm: 'proving that it works',
  record: 'writing down what is in force',
  restore: 'returning to an earlier generation',
  state: 'persistent state',
  host: 'this host',
};

function section(prefix: string, title: string, table: Record<string, ErrorSpec>): string {
  const rows = Object.entries(table)
    .filter(([code]) => code.startsWith(`${prefix}/`))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, it]) => `| \`${code}\` | ${it.meaning} | ${it.exit} | ${RETRY[it.retry]} |`);
  return [
    `### ${prefix}: ${title}`,
    '',
    '| code | what happened | exit | what Warder does next |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}
