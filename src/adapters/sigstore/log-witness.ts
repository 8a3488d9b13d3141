// Enters a signature into a transparency log. Rekor of version 2 keeps entries of one kind only, a hash and
// its signature: an envelope is entered by the hash of what was signed, its pre-authentication encoding. The
// library still sends the whole envelope, which such logs do not take and other clients do not accept.
//
// SPDX-License-Identifier: Apache-2.0

import { createHash } from 'node:crypto';
import { dsse } from '@sigstore/core';
import { HashAlgorithm } from '@sigstore/protobuf-specs';
import { RekorWitness, type Witness } from '@sigstore/sign';

type Options = ConstructorParameters<typeof RekorWitness>[0];

/** The witness of a log of version 1 or 2. */
export function logWitness(options: Options): Witness {
  const log = new RekorWitness(options);
  if (options.majorApiVersion !== 2) return log;
  return { testify: (content, publicKey) => log.testify(hashed(content), publicKey) };
}

function hashed(content: Parameters<Witness['testify']>[0]): typeof content {
  if (content.$case === 'messageSignature') return content;
  const { payloadType, payload, signatures } = content.dsseEnvelope;
  const signed = dsse.preAuthEncoding(payloadType, payload);
  const digest = createHash('sha256').update(signed).digest();
  const messageDigest = { algorithm: HashAlgorithm.SHA2_256, digest };
  const signature = signatures[0]?.sig ?? Buffer.alloc(0);
  return { $case: 'messageSignature', messageSignature: { messageDigest, signature } };
}
