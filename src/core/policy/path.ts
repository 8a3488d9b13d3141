// Paths in policies and requests: absolute, canonical, compared as text. What a path leads to is the
// enforcer's business; here a path is a list of names.
//
// SPDX-License-Identifier: Apache-2.0

import { byteLength } from './text.ts';

const NAME_BYTES_MAX = 255;
const PATH_BYTES_MAX = 4095;

/** Says why the text is not a canonical absolute path, or null when it is. `/` is one. */
export function whyNotPath(text: string): string | null {
  if (!text.startsWith('/')) return 'a path is absolute: it begins with "/"';
  if (text.includes('\0')) return 'a path has no zero byte';
  if (/[\ud800-\udfff]/u.test(text)) return 'a path is valid Unicode';
  if (byteLength(text) > PATH_BYTES_MAX) return `a path has at most ${PATH_BYTES_MAX} bytes`;
  if (text === '/') return null;
  const names = text.slice(1).split('/');
  if (names.some((name) => name === '')) return 'a path has no "//" and no "/" at its end';
  if (names.some((name) => name === '.' || name === '..')) return 'a path has no "." and no ".."';
  if (names.some((name) => byteLength(name) > NAME_BYTES_MAX)) {
    return `a name in a path has at most ${NAME_BYTES_MAX} bytes`;
  }
  return null;
}

/** Tells whether the text looks like a pattern; policies name files, they do not match them. */
export function isGlob(text: string): boolean {
  return /[*?[\]{}]/.test(text);
}

/** The directory that holds the path's name; `/` is its own. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash <= 0 ? '/' : path.slice(0, slash);
}

/** The last name of the path; empty for `/`. */
export function basenameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Tells whether `path` lies strictly below `directory`. */
export function isBelow(path: string, directory: string): boolean {
  if (path === directory) return false;
  return directory === '/' || path.startsWith(`${directory}/`);
}

/** Tells whether `path` is `directory` or lies below it. */
export function isWithin(path: string, directory: string): boolean {
  return path === directory || isBelow(path, directory);
}
