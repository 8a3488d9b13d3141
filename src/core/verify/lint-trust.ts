// What a trust policy allows that its author may not have meant. It is valid, or it would not have been
// read; these are the ways in which valid policies have failed their owners.
//
// SPDX-License-Identifier: Apache-2.0

import { lintScope, type TrustFinding } from './lint-scope.ts';
import type { TrustPolicy } from './trust.ts';

/** Everything worth a second look. */
export function lintTrust(trust: TrustPolicy, nowMs: number): readonly TrustFinding[] {
  return [
    ...lintRoots(trust),
    ...lintGlass(trust),
    ...trust.policies.flatMap((it) => lintScope(it, trust, nowMs)),
  ];
}

function lintRoots({ roots, force }: TrustPolicy): readonly TrustFinding[] {
  const found: TrustFinding[] = [];
  const say = (where: string, text: string, hint: string) => found.push({ where, text, hint });
  if (force)
    say(
      'force',
      'applies even where it distrusts what is active',
      'leave it out of the next version',
    );
  if (roots === null) {
    say(
      'roots',
      'whoever can write the file on a host decides alone',
      'name roots that sign versions',
    );
    return found;
  }
  const { threshold, keys } = roots;
  if (threshold === 1)
    say('roots', 'one root key alone can change everything', 'demand two of three');
  if (threshold === keys.length) {
    say('roots', 'one lost root key ends every change', 'name one root more than the threshold');
  }
  return found;
}

function lintGlass({ breakGlass, policies }: TrustPolicy): readonly TrustFinding[] {
  const say = (text: string, hint: string) => ({ where: 'breakGlass', text, hint });
  if (breakGlass === null) {
    return [
      say(
        'nobody can let go of a rule that locks you out',
        'name keys, or keep a way to the console',
      ),
    ];
  }
  const releasing = policies.flatMap((it) => it.release.anyOf.map((key) => key.fingerprint));
  return [
    ...(breakGlass.threshold === 1
      ? [say('one key alone can end enforcement on a host', 'demand two')]
      : []),
    ...breakGlass.keys
      .filter((it) => releasing.includes(it.fingerprint))
      .map((it) => say(`${it.id} signs releases too`, 'give it a key of its own')),
  ];
}
