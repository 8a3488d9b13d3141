// `warder verify` as a start-up snapshot: what it reads bundles with is loaded once, when the snapshot is
// made, and not at each start. Nothing but modules is in it: no key, no file, no state of a process.
// Made by packaging/program/snapshot.mjs, which leaves other commands out.
//
// SPDX-License-Identifier: Apache-2.0

import { startupSnapshot } from 'node:v8';
import { runProcess } from './process.ts';

startupSnapshot.setDeserializeMainFunction(() => void runProcess());

// Late imports of the command, whose modules are to be there already.
void Promise.all([
  import('./adapters/oci-layout/registry.ts'),
  import('./adapters/sigstore/once.ts'),
  import('./adapters/sigstore/trust-file.ts'),
  import('./cli/groups/verify.ts'),
]);
