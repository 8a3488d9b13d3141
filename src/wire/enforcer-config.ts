// The configuration of warder-enforcer: YAML, strict, every problem with its line and column.
// docs/reference/enforcer-config.md describes each field.
//
// SPDX-License-Identifier: Apache-2.0

import * as z from 'zod';
import { err, failure, ok, type Result } from '../core/result.ts';
import { escapeAndCut } from '../core/text.ts';
import { parseYaml } from './policy/yaml.ts';
import { sourceName } from './protocol.ts';
import { fitShape, hintsOf } from './zod-words.ts';

const absolute = z.string().regex(/^\/[^\0]*$/, 'an absolute path');
// A number, or a name that the host's own account files know.
const account = z.union([z.int().min(0), z.string().min(1).max(64)]);

const shape = z
  .strictObject({
    apiVersion: z.literal('warder.dev/enforcer/v1'),
    stateDir: absolute.default('/var/lib/warder/enforcer'),
    pinDir: absolute.default('/sys/fs/bpf/warder'),
    canaryDir: absolute.default('/run/warder/canary'),
    socket: z
      .strictObject({
        path: absolute.default('/run/warder/enforcer.sock'),
        /** Owner uid or user of the agent. */
        agent: account.default('warder'),
        /** Members may read status and events. */
        group: account.default('warder'),
      })
      .prefault({}),
    trust: absolute.default('/etc/warder/trust.yaml'),
    repository: z.string().min(1).max(512),
    channel: z.string().min(1).max(64),
    /** Besides the main one; see docs/operating.md, several sources. */
    sources: z
      .array(
        z.strictObject({
          name: sourceName,
          repository: z.string().min(1).max(512),
          channel: z.string().min(1).max(64),
        }),
      )
      .max(15)
      .refine((it) => new Set(it.map((one) => one.name)).size === it.length, 'two have one name')
      .default([]),
    labels: z.record(z.string().max(64), z.string().max(256)).default({}),
    /** Of the addon and of the BPF object; default: where the build puts them. */
    addon: absolute.optional(),
    object: absolute.optional(),
    confirmWindowMs: z.int().min(1000).max(3_600_000).default(120_000),
    proofPeriodMs: z.int().min(1000).max(3_600_000).default(60_000),
    /** Written after each proof, for node_exporter's textfile collector. */
    metricsFile: absolute.optional(),
    drainMs: z.int().min(10).max(10_000).default(100),
    eventsMax: z.int().min(100).max(1_000_000).default(10_000),
    /** Closes Warder's own state to every other process; see docs/operating.md. */
    selfProtection: z.enum(['on', 'off']).default('on'),
    scanEntriesMax: z.int().min(1000).max(10_000_000).default(200_000),
  })
  .refine(hasDistinctPlaces, {
    message: 'two sources have one repository and channel',
    path: ['sources'],
  });

// Which source a bundle is of is known by these two.
function hasDistinctPlaces(config: {
  repository: string;
  channel: string;
  sources: readonly { repository: string; channel: string }[];
}): boolean {
  const places = [config, ...config.sources].map((it) => `${it.repository} ${it.channel}`);
  return new Set(places).size === places.length;
}

/** The configuration after parsing. */
export type EnforcerConfig = z.infer<typeof shape>;

/** Reads a configuration file. */
export function parseEnforcerConfig(bytes: Uint8Array, file: string): Result<EnforcerConfig> {
  const source = parseYaml(file, bytes);
  if (!source.ok) {
    const [first] = source.error;
    return err(
      failure('config/invalid', first?.message ?? 'not YAML', {
        ...(first?.at === undefined ? {} : { at: first.at }),
      }),
    );
  }
  const parsed = fitShape(shape, source.value.value);
  if (parsed.success) return ok(parsed.data);
  const problems = parsed.error.issues.map((issue) => ({
    text: `${issue.path.map(String).join('.') || 'document'}: ${issue.message}`,
    at: source.value.at(issue.path),
  }));
  const [first] = problems;
  return err(
    failure('config/invalid', escapeAndCut(first?.text ?? 'does not fit', 300), {
      causes: problems
        .slice(1)
        .map(({ text: problem, at }) => `${at.line}:${at.column} ${escapeAndCut(problem, 200)}`),
      hints: [
        ...hintsOf(parsed.error.issues),
        'docs/reference/enforcer-config.md lists every field',
      ],
      ...(first === undefined ? {} : { at: first.at }),
    }),
  );
}
