// The configuration of `warder agent`: YAML, strict, every problem with its line and column.
// docs/reference/agent-config.md describes each field; a test keeps the two together.
//
// SPDX-License-Identifier: Apache-2.0

import * as z from 'zod';
import {
  formatRepository,
  parseReference,
  type Reference,
  type Repository,
} from '../core/reference.ts';
import { CAUSES_MAX, err, failure, ok, type Result } from '../core/result.ts';
import { escapeAndCut } from '../core/text.ts';
import { parseYaml } from './policy/yaml.ts';
import { sourceName } from './protocol.ts';
import { fitShape, hintsOf } from './zod-words.ts';

const DAY_MS = 86_400_000;
const absolute = z.string().regex(/^\/[^\0]*$/, 'an absolute path');
const hostPort = z
  .string()
  .regex(/^[a-z0-9.:[\]-]+$/, 'HOST or HOST:PORT')
  .max(300);
const name = z.string().regex(/^[a-z0-9][a-z0-9.-]{0,62}$/, 'lower-case letters, digits, - and .');

const reference = z.string().transform((text, context): Reference => {
  const parsed = parseReference(text);
  if (!parsed.ok) {
    context.addIssue({ code: 'custom', message: parsed.error.causes[0] ?? parsed.error.message });
    return z.NEVER;
  }
  if (parsed.value.tag !== null && parsed.value.digest === null) return parsed.value;
  context.addIssue({
    code: 'custom',
    message: 'a reference with a tag is needed, without a digest',
  });
  return z.NEVER;
});

const probe = z.strictObject({
  name,
  command: z
    .tuple([absolute], z.string().max(4096))
    .refine((it) => it.length <= 64, 'at most 64 arguments'),
  timeoutMs: z.int().min(100).max(60_000).default(10_000),
});

const poll = z
  .strictObject({
    intervalMs: z.int().min(1_000).max(DAY_MS).default(60_000),
    timeoutMs: z.int().min(1_000).max(3_600_000).default(120_000),
    backoffMinMs: z.int().min(100).max(DAY_MS).default(1_000),
    backoffMaxMs: z.int().min(100).max(DAY_MS).default(900_000),
  })
  .refine((it) => it.backoffMinMs <= it.backoffMaxMs, {
    message: 'is above backoffMaxMs',
    path: ['backoffMinMs'],
  });

const registry = z.strictObject({
  oras: absolute.optional(),
  insecure: z.array(hostPort).max(64).default([]),
  endpoints: z.record(hostPort, hostPort).default({}),
  credentialsDir: absolute.optional(),
  tokenRealms: z.array(hostPort).max(16).default([]),
});

const mirrorRepository = z.string().transform((text, context): Repository => {
  const parsed = parseReference(text);
  if (parsed.ok && parsed.value.tag === null && parsed.value.digest === null) {
    return parsed.value.repository;
  }
  const why = parsed.ok
    ? 'has a tag or a digest'
    : (parsed.error.causes[0] ?? parsed.error.message);
  context.addIssue({ code: 'custom', message: `not a repository without tag and digest: ${why}` });
  return z.NEVER;
});

const mirror = z.strictObject({
  repository: mirrorRepository,
  tokenRealms: z.array(hostPort).max(16).default([]),
});

const shape = z
  .strictObject({
    apiVersion: z.literal('warder.dev/agent/v1'),
    reference,
    /** What bundles are signed for, when the reference is a mirror or a layout. */
    repository: z.string().min(1).max(512).optional(),
    channel: z.string().min(1).max(64),
    /** A named source of the enforcer; without it the main one. Each source has an agent of its own. */
    source: sourceName.optional(),
    labels: z.record(z.string().max(64), z.string().max(256)).default({}),
    trust: absolute.default('/etc/warder/trust.yaml'),
    stateDir: absolute.optional(),
    statusFile: absolute.optional(),
    enforcerSocket: absolute.default('/run/warder/enforcer.sock'),
    /** Other places of the same repository, in the order in which they are asked. */
    mirrors: z.array(mirror).max(7).default([]),
    registry: registry.prefault({}),
    poll: poll.prefault({}),
    probes: z
      .array(probe)
      .max(32)
      .refine((it) => new Set(it.map((one) => one.name)).size === it.length, 'two have one name')
      .default([]),
    keepPrevious: z.int().min(1).max(100).default(2),
    onLostState: z.enum(['refuse', 'start-over']).default('refuse'),
    metricsFile: absolute.optional(),
    logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  })
  .refine((it) => new Set(placesOf(it).map(formatRepository)).size === it.mirrors.length + 1, {
    message: 'names one place twice',
    path: ['mirrors'],
  });

/** Where the repository is kept, the reference first. */
export function placesOf({
  reference,
  mirrors,
}: {
  readonly reference: Reference;
  readonly mirrors: readonly { readonly repository: Repository }[];
}): readonly Repository[] {
  return [reference.repository, ...mirrors.map((it) => it.repository)];
}

/** The configuration after parsing. */
export type AgentConfig = ReturnType<typeof withPlaces>;

// Two agents never share a folder by default.
function withPlaces(config: z.infer<typeof shape>) {
  const { source } = config;
  const name = source === undefined ? 'agent' : `agent-${source}`;
  const { stateDir = `/var/lib/warder/${name}` } = config;
  const { statusFile = `/run/warder/${name}/status.json` } = config;
  return { ...config, stateDir, statusFile };
}

/** Reads a configuration file; every problem is told, the first one as the failure itself. */
export function parseAgentConfig(bytes: Uint8Array, file: string): Result<AgentConfig> {
  const source = parseYaml(file, bytes);
  if (!source.ok) {
    const [first] = source.error;
    const at = first?.at === undefined ? {} : { at: first.at };
    return err(failure('config/invalid', first?.message ?? 'not YAML', at));
  }
  const parsed = fitShape(shape, source.value.value);
  if (parsed.success) return ok(withPlaces(parsed.data));
  const problems = parsed.error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({
          text: `${[...issue.path, key].join('.')}: unknown field`,
          at: source.value.atKey(issue.path, key),
        }))
      : [
          {
            text: `${issue.path.map(String).join('.') || 'document'}: ${issue.message}`,
            at: source.value.at(issue.path),
          },
        ],
  );
  const [first, ...rest] = problems;
  return err(
    failure('config/invalid', escapeAndCut(first?.text ?? 'does not fit', 300), {
      causes: rest
        .slice(0, CAUSES_MAX)
        .map(({ text, at }) => `${at.line}:${at.column} ${escapeAndCut(text, 200)}`),
      hints: [...hintsOf(parsed.error.issues), 'docs/reference/agent-config.md lists every field'],
      ...(first === undefined ? {} : { at: first.at }),
    }),
  );
}
