// The one table of error codes. Code, docs/errors.md and tests are fed from it; a test checks that
// each code is documented and emitted. Codes are `<prefix>/<reason>`; an area owns its file.
//
// SPDX-License-Identifier: Apache-2.0

import { ACTIVATE_ERRORS } from './errors/activate.ts';
import { CLI_ERRORS } from './errors/cli.ts';
import { CONFIG_ERRORS } from './errors/config.ts';
import { FETCH_ERRORS } from './errors/fetch.ts';
import { GLASS_ERRORS } from './errors/glass.ts';
import { HOST_ERRORS } from './errors/host.ts';
import { POLICY_ERRORS } from './errors/policy.ts';
import { PUBLISH_ERRORS } from './errors/publish.ts';
import { STATE_ERRORS } from './errors/state.ts';
import { TRUST_ERRORS } from './errors/trust.ts';
import { VERIFY_ERRORS } from './errors/verify.ts';

export const ERRORS = {
  ...CLI_ERRORS,
  ...CONFIG_ERRORS,
  ...HOST_ERRORS,
  ...POLICY_ERRORS,
  ...PUBLISH_ERRORS,
  ...TRUST_ERRORS,
  ...GLASS_ERRORS,
  ...FETCH_ERRORS,
  ...VERIFY_ERRORS,
  ...ACTIVATE_ERRORS,
  ...STATE_ERRORS,
} as const;

/** A stable identifier of what went wrong. Never reused for another meaning. */
export type ErrorCode = keyof typeof ERRORS;
