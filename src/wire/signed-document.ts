// A document of its own that keys sign: it stands as the predicate of an in-toto statement about its hash,
// in canonical JSON. Trust policies and orders of break-glass travel so; what is in them is theirs to read.
//
// SPDX-License-Identifier: Apache-2.0

import { createHash } from 'node:crypto';
import { ok, type Result } from '../core/result.ts';
import { toCanonicalJson } from './canonical-json.ts';
import { parseSigstoreBundle } from './sigstore-bundle.ts';
import { parseStatement } from './statement.ts';

/** The statement that keys sign: the whole document, which is canonical JSON. */
export function encodeDocumentStatement(
  { name, predicateType }: { readonly name: string; readonly predicateType: string },
  document: Uint8Array,
): Uint8Array {
  const sha256 = createHash('sha256').update(document).digest('hex');
  return toCanonicalJson({
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name, digest: { sha256 } }],
    predicateType,
    predicate: JSON.parse(new TextDecoder().decode(document)),
  });
}

/**
 * The document inside signed statements, verified by nobody yet; they must agree about it. `invalid` names
 * what is wrong with the statements together; what is wrong with one of them has the code of its reader.
 */
export function readSignedDocument(
  statements: readonly Uint8Array[],
  predicateType: string,
  invalid: (why: string) => Result<never>,
): Result<Uint8Array> {
  const documents = new Set<string>();
  for (const it of statements) {
    const bundle = parseSigstoreBundle(it, false);
    if (!bundle.ok) return bundle;
    const statement = parseStatement(bundle.value.payload);
    if (!statement.ok) return statement;
    if (statement.value.predicateType !== predicateType) return invalid('of another type');
    documents.add(new TextDecoder().decode(toCanonicalJson(statement.value.predicate ?? null)));
  }
  const [document] = documents;
  if (document === undefined || documents.size > 1) return invalid('not about one document');
  return ok(new TextEncoder().encode(document));
}
