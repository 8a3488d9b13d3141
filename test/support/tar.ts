// Tar entries as a hostile archive has them: every field of a header can be said, right or wrong.
//
// SPDX-License-Identifier: Apache-2.0

/** What a header says; the checksum is right unless `sum` says otherwise. */
export interface TarEntry {
  readonly name: string;
  readonly content?: Uint8Array;
  readonly type?: string;
  readonly mode?: number;
  readonly target?: string;
  readonly prefix?: string;
  /** The field of the size, as it stands there. */
  readonly size?: string | Buffer;
  readonly magic?: string;
  readonly sum?: number;
}

/** An archive of these entries, ended as it should be. */
export function makeTar(...entries: readonly TarEntry[]): Buffer {
  return Buffer.concat([...entries.map(entryOf), Buffer.alloc(1024)]);
}

function entryOf(entry: TarEntry): Buffer {
  const content = Buffer.from(entry.content ?? []);
  const header = Buffer.alloc(512);
  header.write(entry.name, 0, 100, 'latin1');
  header.write(`${(entry.mode ?? 0o644).toString(8).padStart(7, '0')}\0`, 100, 'latin1');
  header.write('0000000\x000000000\0', 108, 'latin1');
  const size = entry.size ?? `${content.length.toString(8).padStart(11, '0')}\0`;
  Buffer.from(size as string, 'latin1').copy(header, 124, 0, 12);
  header.write('00000000000\0', 136, 'latin1');
  header.write(entry.type ?? '0', 156, 'latin1');
  header.write(entry.target ?? '', 157, 100, 'latin1');
  header.write(entry.magic ?? 'ustar\x0000', 257, 'latin1');
  header.write(entry.prefix ?? '', 345, 155, 'latin1');
  header.write('        ', 148, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0) + (entry.sum ?? 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return Buffer.concat([header, content, Buffer.alloc(-content.length & 511)]);
}
