// SPDX-License-Identifier: Apache-2.0

import { describe, expect, it } from 'vitest';
import { STATUS } from '../../../test/support/enforcer-answers.ts';
import { HOST } from '../../../test/support/host-facts.ts';
import { diagnose } from './doctor.ts';

const enforceable = (of: ReturnType<typeof diagnose>) =>
  of.operations.filter((it) => it.enforceable).map((it) => it.operation);
const without = (hook: string, change: object) => ({
  ...HOST,
  hooks: HOST.hooks.map((it) => (it.hook === hook ? { ...it, ...change } : it)),
});

describe('diagnose', () => {
  it('finds that a whole host enforces every operation', () => {
    const found = diagnose(HOST, null);
    expect(found).toMatchObject({ able: true, concerns: [] });
    expect(found.operations.filter((it) => !it.enforceable)).toEqual([]);
  });

  it('says which operations a hook takes with it, and why it is not there', () => {
    const found = diagnose(without('inode_link', { program: null, nargs: null }), null);
    expect(found.hooks.find((it) => it.hook === 'inode_link')?.state).toBe('absent');
    expect(enforceable(found)).not.toContain('link');
    expect(found.operations.find((it) => it.operation === 'link')?.missing).toContain('inode_link');
  });

  it('tells another prototype from a hook that is not there', () => {
    const found = diagnose(without('inode_setattr', { program: null, nargs: 9 }), null);
    const hook = found.hooks.find((it) => it.hook === 'inode_setattr');
    expect(hook).toMatchObject({ state: 'other-prototype' });
    expect(hook?.detail).toContain('9');
    expect(enforceable(found)).not.toContain('setattr');
  });

  it('misses nothing in a hook that only newer kernels have', () => {
    const found = diagnose(without('inode_set_acl', { program: null, nargs: null }), null);
    expect(found.hooks.find((it) => it.hook === 'inode_set_acl')?.state).toBe('absent');
    expect(enforceable(found)).toContain('setattr');
  });

  it('believes a running enforcer that the verifier refused a program', () => {
    const hooks = [
      { hook: 'inode_link', program: 'inode_link', state: 'rejected', detail: 'load EINVAL' },
    ] as const;
    const found = diagnose(HOST, { ...STATUS, hooks });
    expect(found.hooks.find((it) => it.hook === 'inode_link')).toMatchObject(hooks[0]);
    expect(enforceable(found)).not.toContain('link');
  });

  it('counts on a program that a running enforcer attaches on demand', () => {
    const hooks = [
      { hook: 'inode_link', program: 'inode_link', state: 'idle', detail: '' },
    ] as const;
    expect(enforceable(diagnose(HOST, { ...STATUS, hooks }))).toContain('link');
  });

  it.each([
    ['lockdown', { lockdown: 'confidentiality' }],
    ['preemption', { preemption: 'full', release: '6.1.0-1-amd64' }],
  ] as const)('names %s as a concern', (what, change) => {
    const { able, concerns } = diagnose({ ...HOST, ...change }, null);
    expect({ able, concerns: concerns.map((it) => it.what) }).toEqual({
      able: true,
      concerns: [what],
    });
  });

  it('has no concern about preemption from 6.2 on', () => {
    expect(diagnose({ ...HOST, preemption: 'full', release: '6.2.0' }, null).concerns).toEqual([]);
    expect(diagnose({ ...HOST, preemption: 'full', release: '7.3.0' }, null).concerns).toEqual([]);
  });
});
