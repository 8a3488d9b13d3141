// Escaping of text that came from outside: registries, files and processes may say anything, and a
// terminal obeys control characters (bad input X03).
//
// SPDX-License-Identifier: Apache-2.0

// C0 and C1 controls, DEL, bidirectional controls, line separators, byte order mark, lone surrogates.
const UNSAFE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** The text with every character that could steer a terminal or break a line written as `\u001b`. */
export function escapeText(text: string): string {
  return text.replace(UNSAFE, (it) => `\\u${it.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The text cut to `charsMax` with an ellipsis, then escaped. */
export function escapeAndCut(text: string, charsMax: number): string {
  return escapeText(text.length <= charsMax ? text : `${text.slice(0, charsMax)}…`);
}
