// SPDX-License-Identifier: Apache-2.0
// Where this machine gets Debian from: read from its own apt configuration, never written down here.
//
// Both formats are understood: deb822 (*.sources) and one line per source (*.list).

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError } from './errors.mjs';

const ARCHIVE_KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Returns the archive that serves this machine's own release: { uri, signedBy }. */
export function findMirror({ etc = '/etc' } = {}) {
  const release = releaseCodename(etc);
  const sources = readSources(join(etc, 'apt'));
  const match = sources.find((it) => it.components.includes('main') && it.suites.includes(release));
  if (!match)
    throw new SetupError(`no Debian archive for "${release}" in this machine's apt configuration`, {
      hint: `add a source for ${release} main to /etc/apt/sources.list.d`,
    });
  return { uri: match.uri, signedBy: match.signedBy ?? ARCHIVE_KEYRING };
}

/** Returns every binary source of an apt configuration folder as { uri, suites, components, signedBy }. */
export function readSources(apt) {
  const parts = join(apt, 'sources.list.d');
  const names = existsSync(parts) ? readdirSync(parts).sort() : [];
  const files = [join(apt, 'sources.list'), ...names.map((name) => join(parts, name))];
  return files.filter((file) => existsSync(file)).flatMap(readSourceFile);
}

function readSourceFile(file) {
  const text = readFileSync(file, 'utf8');
  if (file.endsWith('.sources')) return text.split(/\n\s*\n/).flatMap(parseStanza);
  if (file.endsWith('.list')) return text.split('\n').flatMap(parseLine);
  return [];
}

function parseStanza(stanza) {
  const fields = new Map();
  let last = '';
  for (const line of stanza.split('\n').filter((it) => !it.startsWith('#'))) {
    const field = /^([A-Za-z-]+):\s*(.*)$/.exec(line);
    if (field) {
      last = field[1].toLowerCase();
      fields.set(last, field[2].trim());
    } else if (/^\s/.test(line)) fields.set(last, `${fields.get(last)}\n${line.trim()}`.trim());
  }
  if (/^no$/i.test(fields.get('enabled') ?? '')) return [];
  if (!words(fields.get('types')).includes('deb')) return [];
  const signedBy = fields.get('signed-by');
  return words(fields.get('uris'))
    .filter(isUsable)
    .map((uri) => ({
      uri,
      suites: words(fields.get('suites')),
      components: words(fields.get('components')),
      // A key given inline cannot be carried into another source list as a path.
      signedBy: signedBy?.startsWith('/') ? signedBy : undefined,
    }));
}

function parseLine(line) {
  const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#]*)/.exec(line);
  if (!match || !isUsable(match[2])) return [];
  const signedBy = /signed-by=(\S+)/.exec(match[1] ?? '')?.[1];
  return [{ uri: match[2], suites: [match[3]], components: words(match[4]), signedBy }];
}

// A CD or a mirror list cannot serve another suite.
function isUsable(uri) {
  return /^(https?|file|copy):/.test(uri);
}

function words(text = '') {
  return text.split(/\s+/).filter((word) => word !== '');
}

/** Tells whether this machine runs Debian itself, and not something made from it. */
export function isDebian({ etc = '/etc' } = {}) {
  return /^ID="?debian"?$/m.test(readOsRelease(etc));
}

function readOsRelease(etc) {
  const file = join(etc, 'os-release');
  return existsSync(file) ? readFileSync(file, 'utf8') : '';
}

function releaseCodename(etc) {
  const codename = /^VERSION_CODENAME="?([a-z]+)"?$/m.exec(readOsRelease(etc))?.[1];
  if (!codename || !isDebian({ etc }))
    throw new SetupError('this machine is not Debian: /etc/os-release does not say ID=debian', {
      hint: 'run it on Debian 12, in a container or a virtual machine',
    });
  return codename;
}
