// Which relative paths a bundle may carry. A path is text that a registry sent: it must be harmless on
// every system on which somebody might write it to a disk, whatever that system does with names.
//
// SPDX-License-Identifier: Apache-2.0

const SEGMENT = /^[A-Za-z0-9_][A-Za-z0-9._+-]*$/;
const DEVICE = /^(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?$/i;
const PATH_LENGTH_MAX = 240;
const SEGMENT_LENGTH_MAX = 100;

/** Says why a path may not be in a bundle, or null when it may. */
export function pathProblem(path: string): string | null {
  if (path.length === 0) return 'it is empty';
  if (path.length > PATH_LENGTH_MAX) return `it is longer than ${PATH_LENGTH_MAX} characters`;
  for (const segment of path.split('/')) {
    if (segment.length === 0) return 'it is absolute, or has an empty part';
    if (segment.length > SEGMENT_LENGTH_MAX) {
      return `a part is longer than ${SEGMENT_LENGTH_MAX} characters`;
    }
    if (!SEGMENT.test(segment) || segment.endsWith('.')) {
      return 'a part has other characters than letters, digits and ._+- or begins or ends with a dot';
    }
    if (DEVICE.test(segment)) return 'a part is the name of a device on some systems';
  }
  return null;
}
