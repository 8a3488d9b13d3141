// The SLSA provenance v1 predicate, in the two shapes that Warder believes: a generic builder, as Warder
// itself writes it, and GitHub Actions. Unknown external parameters are refused, because they could have
// steered the build. What Warder writes has no times and no invocation ids, so that the same commit
// gives the same statement.
//
// SPDX-License-Identifier: Apache-2.0

import * as z from 'zod';
import type { Provenance } from '../core/provenance.ts';
import { err, failure, ok, type Result } from '../core/result.ts';
import { tokenSchema } from './descriptor.ts';
import { zodCauses } from './zod-causes.ts';
import { fitShape } from './zod-words.ts';

const commitId = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/, 'not a commit id');
const sources = z.tuple([
  z.strictObject({ uri: tokenSchema, digest: z.strictObject({ gitCommit: commitId }) }),
]);
const run = z.strictObject({
  builder: z.strictObject({ id: tokenSchema, version: z.unknown().optional() }),
  metadata: z.looseObject({}).optional(),
});

/** The generic builder: what Warder's own publisher writes. */
const genericSchema = z.strictObject({
  buildDefinition: z.strictObject({
    buildType: tokenSchema,
    externalParameters: z.strictObject({
      repository: tokenSchema,
      ref: tokenSchema,
      config: tokenSchema,
    }),
    resolvedDependencies: sources,
  }),
  runDetails: run,
});

/** GitHub Actions. The parameters of a dispatch could steer the build, so there must be none. */
const GITHUB_TYPE = 'https://actions.github.io/buildtypes/workflow/v1';
const githubSchema = z.strictObject({
  buildDefinition: z.strictObject({
    buildType: z.literal(GITHUB_TYPE),
    externalParameters: z.strictObject({
      workflow: z.strictObject({ ref: tokenSchema, repository: tokenSchema, path: tokenSchema }),
    }),
    internalParameters: z
      .looseObject({
        github: z.looseObject({
          event_name: tokenSchema.optional(),
          repository_id: tokenSchema.optional(),
          repository_owner_id: tokenSchema.optional(),
        }),
      })
      .optional(),
    resolvedDependencies: sources,
  }),
  runDetails: run,
});

/** Reads a provenance predicate; a parameter that Warder does not know is a refusal of its own. */
export function parseProvenancePredicate(predicate: unknown): Result<Provenance> {
  return buildTypeOf(predicate) === GITHUB_TYPE ? parseGithub(predicate) : parseGeneric(predicate);
}

function buildTypeOf(predicate: unknown): unknown {
  const shape = z.looseObject({ buildDefinition: z.looseObject({ buildType: z.unknown() }) });
  return fitShape(shape, predicate).data?.buildDefinition.buildType;
}

function parseGeneric(predicate: unknown): Result<Provenance> {
  const parsed = fitShape(genericSchema, predicate);
  if (!parsed.success) return refuse(parsed.error);
  const { buildDefinition, runDetails } = parsed.data;
  const { buildType, externalParameters: given, resolvedDependencies } = buildDefinition;
  return checkSource(resolvedDependencies[0].uri, {
    buildType,
    builderId: runDetails.builder.id,
    ...given,
    commit: resolvedDependencies[0].digest.gitCommit,
    workflow: null,
    repositoryId: null,
    ownerId: null,
    trigger: null,
  });
}

function parseGithub(predicate: unknown): Result<Provenance> {
  const parsed = fitShape(githubSchema, predicate);
  if (!parsed.success) return refuse(parsed.error);
  const { buildDefinition, runDetails } = parsed.data;
  const { workflow } = buildDefinition.externalParameters;
  const [source] = buildDefinition.resolvedDependencies;
  const github = buildDefinition.internalParameters?.github;
  return checkSource(source.uri, {
    buildType: GITHUB_TYPE,
    builderId: runDetails.builder.id,
    repository: workflow.repository,
    ref: workflow.ref,
    config: workflow.path,
    commit: source.digest.gitCommit,
    workflow: workflow.path,
    repositoryId: github?.repository_id ?? null,
    ownerId: github?.repository_owner_id ?? null,
    trigger: github?.event_name ?? null,
  });
}

function refuse(error: z.ZodError): Result<never> {
  const unknownParameter = error.issues.some(
    (issue) => issue.code === 'unrecognized_keys' && issue.path[1] === 'externalParameters',
  );
  const code = unknownParameter ? 'verify/external-parameters' : 'verify/provenance-invalid';
  return err(failure(code, 'not the provenance of a bundle', { causes: zodCauses(error) }));
}

function checkSource(uri: string, provenance: Provenance): Result<Provenance> {
  if (uri === sourceUri(provenance)) return ok(provenance);
  return err(
    failure('verify/provenance-inconsistent', 'the dependency is not the source repository'),
  );
}

/** The predicate as a JSON value. */
export function encodeSlsaPredicate(provenance: Provenance): unknown {
  const { buildType, builderId, repository, ref, config, commit } = provenance;
  return {
    buildDefinition: {
      buildType,
      externalParameters: { repository, ref, config },
      resolvedDependencies: [
        { uri: sourceUri({ repository, ref }), digest: { gitCommit: commit } },
      ],
    },
    runDetails: { builder: { id: builderId } },
  };
}

function sourceUri(source: { readonly repository: string; readonly ref: string }): string {
  return `git+${source.repository}@${source.ref}`;
}
