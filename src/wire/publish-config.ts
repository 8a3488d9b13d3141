// `warder.yaml`: how a policy repository is published. Strict, with the place of every problem.
//
// SPDX-License-Identifier: Apache-2.0

import * as z from 'zod';
import { pathProblem } from '../core/bundle-path.ts';
import { isKernelAtLeast, KERNEL_MIN } from '../core/kernel-version.ts';
import { KNOWN_HOOKS } from '../core/policy/needed-hooks.ts';
import { PUBLISH_CONFIG_PATH, type PublishConfig } from '../core/publish/config.ts';
import { parseReference } from '../core/reference.ts';
import { err, type Failure, failure, invariant, ok, type Result } from '../core/result.ts';
import {
  agentVersionSchema,
  channelSchema,
  kernelMinimumSchema,
  nameSchema,
  repositorySchema,
  selectorsSchema,
  tokenSchema,
} from './descriptor.ts';
import { parseYaml } from './policy/yaml.ts';
import { fitShape, hintsOf, quote } from './zod-words.ts';

const UNIT_MS = { h: 3_600_000, d: 86_400_000 } as const;
const LIFETIME_MS_MAX = 1000 * UNIT_MS.d;
const DEFAULT_BUILD_TYPE = 'https://warder.dev/buildtypes/policy/v1';

const lifetime = z
  .string()
  .regex(/^[1-9][0-9]{0,4}[hd]$/, 'not a number of hours or days, such as 30d')
  .transform((text) => Number(text.slice(0, -1)) * UNIT_MS[text.endsWith('h') ? 'h' : 'd'])
  .refine((ms) => ms <= LIFETIME_MS_MAX, 'more than 1000d');

const configSchema = z.strictObject({
  apiVersion: z.literal('warder.dev/v1alpha1'),
  kind: z.literal('PolicyRepository'),
  name: nameSchema,
  tenant: nameSchema,
  channel: channelSchema,
  repository: repositorySchema,
  source: z.strictObject({
    repository: tokenSchema,
    ref: tokenSchema.regex(/^refs\/(?:heads|tags)\//, 'not refs/heads/NAME or refs/tags/NAME'),
  }),
  lifetime,
  policies: z
    .string()
    .refine((path) => pathProblem(path) === null, 'not a plain relative folder')
    .default('policies'),
  minAgentVersion: agentVersionSchema.default('0.1.0'),
  requires: z
    .strictObject({
      kernel: kernelMinimumSchema
        .refine(
          (it) => isKernelAtLeast(it, KERNEL_MIN),
          `below ${KERNEL_MIN}, which every host has`,
        )
        .default(KERNEL_MIN),
      hooks: z
        .array(z.enum(KNOWN_HOOKS, 'not a hook that Warder attaches for policies'))
        .max(KNOWN_HOOKS.length)
        .refine((it) => new Set(it).size === it.length, 'names a hook twice')
        .default([]),
    })
    .prefault({}),
  selectors: selectorsSchema.default({}),
  builder: z.strictObject({
    id: tokenSchema,
    buildType: tokenSchema.default(DEFAULT_BUILD_TYPE),
  }),
});

/** Reads `warder.yaml`. */
export function parsePublishConfig(bytes: Uint8Array): Result<PublishConfig, readonly Failure[]> {
  const yaml = parseYaml(PUBLISH_CONFIG_PATH, bytes);
  if (!yaml.ok) return yaml;
  const parsed = fitShape(configSchema, yaml.value.value);
  if (!parsed.success) {
    return err(
      parsed.error.issues.map((issue) => {
        const [unknown] = issue.code === 'unrecognized_keys' ? issue.keys : [];
        const at =
          unknown === undefined ? yaml.value.at(issue.path) : yaml.value.atKey(issue.path, unknown);
        const name = quote(issue.path.map(String).join('.')).slice(1, -1) || 'document';
        const sentence = `${PUBLISH_CONFIG_PATH}: ${name}: ${quote(issue.message).slice(1, -1)}`;
        return failure('config/invalid', sentence, { at, hints: hintsOf([issue]) });
      }),
    );
  }
  const {
    repository,
    policies,
    lifetime: lifetimeMs,
    apiVersion: _v,
    kind: _k,
    ...rest
  } = parsed.data;
  const reference = parseReference(repository);
  invariant(reference.ok, 'the schema has read the repository');
  return ok({
    ...rest,
    repository: reference.value.repository,
    lifetimeMs,
    policiesDir: policies,
  });
}
