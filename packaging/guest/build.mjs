// SPDX-License-Identifier: Apache-2.0
// Prepares the guest's kernel and initramfs and prints where they are, as one line of JSON.
// usage: node packaging/guest/build.mjs [SERIES]

import { SetupError } from '../setup/errors.mjs';
import { DEFAULT_SERIES } from '../setup/kernel-series.mjs';
import { prepareImage } from './image.mjs';

try {
  const image = await prepareImage(process.argv[2] ?? DEFAULT_SERIES);
  process.stdout.write(`${JSON.stringify(image)}\n`);
} catch (cause) {
  if (!(cause instanceof SetupError)) throw cause;
  process.stderr.write(`error: ${cause.message}\n${cause.hint ? `hint: ${cause.hint}\n` : ''}`);
  process.exitCode = 1;
}
