// User and group names of this host, from its account files only: a privileged process asks no
// directory service who may talk to it.
//
// SPDX-License-Identifier: Apache-2.0

import { readFileSync } from 'node:fs';
import { err, failure, ok, type Result } from '../core/result.ts';

/** The number of a user or a group; a number stands for itself. */
export function findAccount(kind: 'user' | 'group', account: string | number): Result<number> {
  if (typeof account === 'number') return ok(account);
  const file = kind === 'user' ? '/etc/passwd' : '/etc/group';
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [name, , number] = line.split(':');
    if (name === account && /^\d+$/.test(number ?? '')) return ok(Number(number));
  }
  return err(
    failure('config/invalid', `there is no ${kind} ${account} in ${file}`, {
      hints: [`create the ${kind}, or write its number in the configuration`],
    }),
  );
}
