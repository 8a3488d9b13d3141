// SPDX-License-Identifier: Apache-2.0
// Set-up as a person runs it, where it has to say no before it changes anything.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT } from './paths.mjs';

const SETUP = join(ROOT, 'packaging/setup/setup.mjs');
const STEPS = join(ROOT, 'packaging/setup/steps.mjs');

function runNode(args, env = {}) {
  const options = { encoding: 'utf8', env: { ...process.env, ...env } };
  return spawnSync(process.execPath, args, options);
}

describe('set-up', () => {
  it('tells an old Node which one it needs, without a stack', () => {
    const pretend = "Object.defineProperty(process.versions, 'node', { value: '16.20.2' })";
    const { status, stdout, stderr } = runNode([
      '--import',
      `data:text/javascript,${pretend}`,
      SETUP,
    ]);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr).toMatch(/^error: .*Node 18 or newer.*\nhint: .*\n$/);
  });

  it('names the setting when the cache folder cannot be made', () => {
    const { status, stderr } = runNode([SETUP], { WARDER_LAB_CACHE: '/dev/null/cache' });
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^error: cannot write to \/dev\/null\/cache.*\nhint: .*WARDER_LAB_CACHE/,
    );
  });
});

describe('steps', () => {
  const script = (body) => `
    import { runSteps } from ${JSON.stringify(STEPS)};
    const fail = (code) => { throw Object.assign(new Error(code), { code }); };
    console.log(await runSteps(${body}));`;
  const steps = (body) => runNode(['--input-type=module', '--eval', script(body)]);

  it('stop at the first that fails', () => {
    const { status, stdout, stderr } = steps(
      "[['one', () => true], ['two', () => fail('ENOSPC')], ['three', () => true]]",
    );
    expect(status).toBe(1);
    expect(stdout).toMatch(/^setup {2}one .*\nsetup {2}two +failed\nfalse\n$/);
    expect(stderr).toMatch(/^error: the disk is full\nhint: /);
  });

  it('let a bug keep its stack', () => {
    const { status, stderr } = steps("[['one', () => fail('EBUG')]]");
    expect(status).toBe(1);
    expect(stderr).toContain('    at ');
  });

  it('tell what they did, and nothing of what they only checked', () => {
    const { status, stdout } = steps("[['one', () => undefined], ['two', () => false]]");
    expect({ status, stdout }).toMatchObject({ status: 0 });
    expect(stdout).toMatch(/^setup {2}two +up to date\ntrue\n$/);
  });
});
