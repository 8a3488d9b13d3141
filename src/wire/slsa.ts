// The SLSA provenance v1 predicate, as Warder writes it and the only shape that it believes. Unknown
// external parameters are refused (they could have steered the build); there are no times and no
// invocation ids, so that the same commit gives the same statement.
//
// SPDX-License-Identifier: Apache-2.0

import * as z from 'zod';
import type { Provenance } from '../core/provenance.ts';
import { err, failure, ok, type Result } from '../core/result.ts';
import { tokenSchema } from './descriptor.ts';
import { zodCauses } from './zod-causes.ts';
import { fitShape } from './zod-words.ts';

const externalParameters = z.strictObject({
  repository: tokenSchema,
  ref: tokenSchema,
  config: tokenSchema,
});

const predicateSchema = z.strictObject({
  buildDefinition: z.strictObject({
    buildType: tokenSchema,
    externalParameters,
    resolvedDependencies: z.tuple([
      z.strictObject({
        uri: tokenSchema,
        digest: z.strictObject({
          gitCommit: z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/, 'not a commit id'),
        }),
      }),
    ]),
  }),
  runDetails: z.strictObject({ builder: z.strictObject({ id: tokenSchema }) }),
});

/** Reads a provenance predicate; a parameter that Warder does not know is a refusal of its own. */
export function parseProvenancePredicate(predicate: unknown): Result<Provenance> {
  const parsed = fitShape(predicateSchema, predicate);
  if (!parsed.success) {
    const unknownParameter = parsed.error.issues.some(
      (issue) => issue.code === 'unrecognized_keys' && issue.path[1] === 'externalParameters',
    );
    const code = unknownParameter ? 'verify/external-parameters' : 'verify/provenance-invalid';
    return err(
      failure(code, 'not the provenance of a bundle', { causes: zodCauses(parsed.error) }),
    );
  }
  const { buildDefinition, runDetails } = parsed.data;
  const { buildType, externalParameters: given, resolvedDependencies } = buildDefinition;
  const [source] = resolvedDependencies;
  if (source.uri !== sourceUri(given)) {
    return err(
      failure('verify/provenance-inconsistent', 'the dependency is not the source repository'),
    );
  }
  return ok({
    buildType,
    builderId: runDetails.builder.id,
    ...given,
    commit: source.digest.gitCommit,
  });
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
