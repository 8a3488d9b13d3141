// Changes inputs by chance, in bytes and in the structure of JSON. Chance comes from a seed, so that every run
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

/** A changed copy; one to four changes. */
export function mutate(
  input: Uint8Array,
  others: readonly [Uint8Array, ...Uint8Array[]],
  chance: Chance,
  isJson: boolean,
): Uint8Array {
  let result: Buffer = Buffer.from(input);
  for (let count = 1 + chance.below(4); count > 0; count -= 1) {
    const changed = isJson && chance.below(2) === 0 ? mutateJson(result, chance) : null;
    result = changed ?? mutateBytes(result, others, chance);
  }
  return result.subarray(0, INPUT_BYTES_MAX);
}

const INPUT_BYTES_MAX = 64 * 1024;

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
  const kind = chance.below(5);
  if (kind === 0) delete holder[key];
  else if (kind === 1) holder[`${key}x`] = holder[key];
  else if (kind === 2) holder[key] = [holder[key], holder[key]];
  else if (kind === 3 && typeof holder[key] === 'string') {
    holder[key] = mutateText(holder[key], chance);
  } else holder[key] = chance.pick(VALUES);
  return Buffer.from(JSON.stringify(document));
}

// Base64 inside of JSON hides most of a signed bundle from changes of bytes.
function mutateText(text: string, chance: Chance): string {
  const bytes = Buffer.from(text, 'base64');
  const isBase64 = bytes.length > 8 && bytes.toString('base64') === text;
  const chosen = isBase64 ? bytes : Buffer.from(text);
  const changed = mutateBytes(chosen, [chosen], chance);
  return changed.toString(isBase64 ? 'base64' : 'utf8');
}
