// Changes inputs by chance: in bytes, in the structure of JSON (also of JSON in base64 in JSON), in lines. Chance comes from a seed, so that every run
// can be played again.
//
// SPDX-License-Identifier: Apache-2.0

/** Chance that can be repeated (xorshift, 32 bits). */
export interface Chance {
  /** A whole number below `bound`. */
  below(bound: number): number;
  pick<T>(items: readonly [T, ...T[]]): T;
}

/** Makes chance from a seed. */
export function makeChance(seed: number): Chance {
  let state = (seed ^ 0x9e3779b9) >>> 0 || 1;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state;
  };
  return {
    below: (bound) => next() % bound,
    pick: (items) => items[next() % items.length] ?? items[0],
  };
}

const TOKENS: readonly [string, ...string[]] = [
  ...([
    '{',
    '}',
    '[',
    ']',
    '"',
    ',',
    ':',
    '\\',
    '\\u0000',
    '\0',
    '\n',
    '\t',
    ' ',
    '-',
    '%',
    '..',
  ] as const),
  ...(['null', 'true', '0', '-0', '-1', '1e3', '1e309', '9007199254740993', '01', '0x10'] as const),
  ...([
    '"__proto__":1',
    '"constructor":{}',
    '__proto__',
    '&a',
    '*a',
    '<<: *a',
    '!!js/function',
  ] as const),
  ...([
    '../',
    '/etc/shadow',
    '*',
    '@',
    '/',
    '//',
    '\u00e9',
    '\u202e',
    '\ufeff',
    'sha256:',
  ] as const),
];
const VALUES: readonly [unknown, ...unknown[]] = [
  null,
  ...[true, false, 0, -1, 1.5, 2 ** 53, '', '*', 'x'.repeat(5000), '\0', '__proto__', '../..'],
  ...[
    [],
    {},
    [[]],
    [null],
    { a: 1 },
    Number.MAX_SAFE_INTEGER,
    '01',
    'AAAA',
    'sha256:',
    '9'.repeat(30),
  ],
];

/** What an input is made of: most changes keep to it, so that they get past the first check. */
export type Form = 'json' | 'lines' | 'bytes';

/** A changed copy; one to four changes. */
export function mutate(
  input: Uint8Array,
  others: readonly [Uint8Array, ...Uint8Array[]],
  chance: Chance,
  form: Form,
): Uint8Array {
  let result: Buffer = Buffer.from(input);
  for (let count = 1 + chance.below(4); count > 0; count -= 1) {
    const isKept = chance.below(8) !== 0;
    const changed = isKept ? mutateForm(result, others, chance, form) : null;
    result = changed ?? mutateBytes(result, others, chance);
  }
  return result.subarray(0, INPUT_BYTES_MAX);
}

const INPUT_BYTES_MAX = 64 * 1024;

function mutateForm(
  input: Buffer,
  others: readonly [Uint8Array, ...Uint8Array[]],
  chance: Chance,
  form: Form,
): Buffer | null {
  if (form === 'json') return mutateJson(input, chance);
  return form === 'lines' ? mutateLines(input, others, chance) : null;
}

/** Changes one line: gone, twice, moved, deeper, of another input, or with another value. */
function mutateLines(
  input: Buffer,
  others: readonly [Uint8Array, ...Uint8Array[]],
  chance: Chance,
): Buffer {
  const lines = input.toString('utf8').split('\n');
  const at = chance.below(lines.length);
  const line = lines[at] ?? '';
  const foreign = () => {
    const found = Buffer.from(chance.pick(others)).toString('utf8').split('\n');
    return found[chance.below(found.length)] ?? '';
  };
  switch (chance.below(7)) {
    case 0:
      lines.splice(at, 1);
      break;
    case 1:
      lines.splice(at, 0, line);
      break;
    case 2:
      lines.splice(chance.below(lines.length), 0, ...lines.splice(at, 1));
      break;
    case 3:
      lines[at] = chance.below(2) === 0 ? `  ${line}` : line.replace(/^ {2}/, '');
      break;
    case 4:
      lines.splice(at, 0, foreign());
      break;
    case 5:
      lines[at] = line.replace(/:.*$/, `: ${chance.pick(TOKENS)}`);
      break;
    default:
      lines[at] = line.replace(/[^ :-]+$/, () => foreign().trim());
  }
  return Buffer.from(lines.join('\n'));
}

function mutateBytes(
  input: Buffer,
  others: readonly [Uint8Array, ...Uint8Array[]],
  chance: Chance,
): Buffer {
  const at = chance.below(input.length + 1);
  const length = 1 + chance.below(16);
  const [before, after] = [input.subarray(0, at), input.subarray(at)];
  const token = () => Buffer.from(chance.pick(TOKENS));
  switch (chance.below(8)) {
    case 0: {
      const copy = Buffer.from(input);
      if (at < copy.length) copy[at] = (copy[at] ?? 0) ^ (1 << chance.below(8));
      return copy;
    }
    case 1:
      return Buffer.concat([before, after.subarray(length)]);
    case 2:
      return Buffer.concat([before, token(), after]);
    case 3:
      return Buffer.concat([before, token(), after.subarray(length)]);
    case 4:
      return Buffer.concat([before, after.subarray(0, length), after]);
    case 5:
      return Buffer.from(before);
    case 6: {
      const other = chance.pick(others);
      const from = chance.below(other.length + 1);
      return Buffer.concat([before, other.subarray(from, from + 8 * length), after]);
    }
    default:
      return Buffer.concat([before, Buffer.of(chance.below(256)), after.subarray(1)]);
  }
}

/** Changes one place of a JSON document; null when it is none. */
function mutateJson(input: Buffer, chance: Chance): Buffer | null {
  let document: unknown;
  try {
    document = JSON.parse(input.toString('utf8'));
  } catch {
    return null;
  }
  const places: { readonly holder: Record<string, unknown>; readonly key: string }[] = [];
  const walk = (value: unknown, depth: number) => {
    if (typeof value !== 'object' || value === null || depth > 12) return;
    for (const key of Object.keys(value)) {
      const holder = value as Record<string, unknown>;
      places.push({ holder, key });
      walk(holder[key], depth + 1);
    }
  };
  walk(document, 0);
  const [first, ...rest] = places;
  if (first === undefined) return null;
  const { holder, key } = chance.pick([first, ...rest]);
  const kind = chance.below(6);
  if (kind === 0) delete holder[key];
  else if (kind === 1) holder[`${key}x`] = holder[key];
  else if (kind === 2) holder[key] = [holder[key], holder[key]];
  else if (kind === 3 && typeof holder[key] === 'string') {
    holder[key] = mutateText(holder[key], chance);
  } else if (kind === 4) {
    const other = chance.pick([first, ...rest]);
    // A copy: a value that is in itself could not be written.
    holder[key] = structuredClone(other.holder[other.key]);
  } else holder[key] = chance.pick(VALUES);
  return Buffer.from(JSON.stringify(document));
}

// Base64 inside of JSON hides most of a signed bundle from changes of bytes.
function mutateText(text: string, chance: Chance): string {
  const bytes = Buffer.from(text, 'base64');
  const isBase64 = bytes.length > 8 && bytes.toString('base64') === text;
  const isNested = isBase64 && bytes[0] === 0x7b && chance.below(4) !== 0;
  const nested = isNested ? mutateJson(bytes, chance) : null;
  if (nested !== null) return nested.toString('base64');
  const chosen = isBase64 ? bytes : Buffer.from(text);
  const changed = mutateBytes(chosen, [chosen], chance);
  return changed.toString(isBase64 ? 'base64' : 'utf8');
}
