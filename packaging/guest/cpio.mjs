// SPDX-License-Identifier: Apache-2.0
// Writes a cpio archive in the "newc" form that the kernel unpacks as its first file system.
//
// Owners and times come from the caller and not from the host's files, so that the same contents give the
// same archive, and building one needs no root.

import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';

const TYPE_BITS = { directory: 0o040000, file: 0o100000, symlink: 0o120000 };
const ALIGNMENT = 4;
const TRAILER = 'TRAILER!!!';

/**
 * Writes entries to a file. Each is { path, kind, mode, uid?, gid? } with `source` (a host file) or `data`
 * for a file and `target` for a symlink; a folder must come before what it holds.
 */
export function writeCpio(file, entries) {
  const output = openSync(file, 'w');
  try {
    let inode = 1;
    for (const entry of entries) writeEntry(output, entry, inode++);
    writeEntry(output, { path: TRAILER, kind: null, mode: 0 }, 0);
  } finally {
    closeSync(output);
  }
}

function writeEntry(output, entry, inode) {
  const body = bodyOf(entry);
  const name = Buffer.from(`${entry.path}\0`);
  const fields = [
    inode,
    (TYPE_BITS[entry.kind] ?? 0) | entry.mode,
    entry.uid ?? 0,
    entry.gid ?? 0,
    entry.kind === 'directory' ? 2 : 1, // links
    0, // modified at
    body.length,
    0, // device, major and minor
    0,
    0, // device it stands for, major and minor
    0,
    name.length,
    0, // checksum, unused in this form
  ];
  const head = Buffer.from(
    `070701${fields.map((it) => it.toString(16).padStart(8, '0')).join('')}`,
  );
  for (const part of [head, name, padding(head.length + name.length), body, padding(body.length)])
    writeAll(output, part);
}

function bodyOf(entry) {
  if (entry.kind === 'symlink') return Buffer.from(entry.target);
  if (entry.kind !== 'file') return Buffer.alloc(0);
  return entry.data === undefined ? readFileSync(entry.source) : Buffer.from(entry.data);
}

function padding(size) {
  return Buffer.alloc((ALIGNMENT - (size % ALIGNMENT)) % ALIGNMENT);
}

function writeAll(output, bytes) {
  for (let at = 0; at < bytes.length; ) at += writeSync(output, bytes, at);
}
