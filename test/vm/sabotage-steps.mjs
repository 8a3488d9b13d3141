// SPDX-License-Identifier: Apache-2.0
// Runs as root in the guest for sabotage.test.ts: breaks what Warder stands on, one thing at a time, asks the
// enforcer what it says after proofs that were made later than that, repairs it, and prints everything
// as one line of JSON.
//
//   node sabotage-steps.mjs PROGRAMS CONFIG PROTOCOL short|long
//
// A second build of the same object gives programs with the right names, hooks and tags that look into
// maps of their own: the best forgery that somebody without the object's key can make.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createConnection } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

const [programs, config, protocol, length] = process.argv.slice(2);
const isLong = length === 'long';
const ENFORCER = '/usr/bin/warder-enforcer';
const WARDER = '/usr/bin/warder';
const PINS = '/sys/fs/bpf/warder';
const CGROUPS = '/sys/fs/cgroup';
const MUTE = `${CGROUPS}/mute`;
const KEPT = '/sys/fs/bpf/kept';
const SOCKET = '/run/warder/enforcer.sock';
const START_MS = 180_000;
const PROOFS_MS = 90_000;
const SILENCE_MS = 8_000;
const LOOK_MS = 100;
const PROOFS_AFTER = isLong ? 2 : 1;
const FILE_OPEN_HOOK = 1; // WD_HOOK_FILE_OPEN

const now = () => Date.now();
// Remembered: some trials hide it.
let known = '';
function build() {
  const found = existsSync(PINS) ? readdirSync(PINS).find((it) => /^[0-9a-f]{16}$/.test(it)) : null;
  if (found) known = `${PINS}/${found}`;
  return known;
}

function sh(script) {
  const { status, stdout, stderr } = spawnSync('sh', ['-c', `set -e\n${script}`], {
    encoding: 'utf8',
    env: { PATH: '/usr/local/bin:/usr/sbin:/usr/bin', B: build() },
  });
  return { status, text: `${stdout}${stderr}`.trim() };
}

const does = (script) => () => {
  const { status, text } = sh(script);
  if (status !== 0) throw new Error(`${script}: ${text}`);
};

/** Asks one thing; null when there is no answer in time. */
function ask(request, timeoutMs = SILENCE_MS) {
  return new Promise((resolve) => {
    const socket = createConnection(SOCKET);
    const held = [];
    let greeted = false;
    const end = (answer) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => end(null), timeoutMs);
    const send = (value) => {
      const body = Buffer.from(JSON.stringify(value));
      const length = Buffer.alloc(4);
      length.writeUInt32BE(body.length);
      socket.write(Buffer.concat([length, body]));
    };
    socket.on('error', () => end(null));
    socket.on('connect', () => send({ hello: { protocol: Number(protocol), client: 'sabotage' } }));
    socket.on('data', (chunk) => {
      held.push(chunk);
      const bytes = Buffer.concat(held);
      if (bytes.length < 4 || bytes.length < 4 + bytes.readUInt32BE(0)) return;
      if (greeted) return end(JSON.parse(bytes.subarray(4).toString()));
      greeted = true;
      held.length = 0;
      send({ id: 1, ...request });
    });
  });
}

async function status() {
  const answer = await ask({ request: 'status' });
  return answer?.ok === true ? answer.value : null;
}

let enforcer = null;

function run(args) {
  const child = spawn(ENFORCER, ['--config', config, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: '/usr/local/bin:/usr/sbin:/usr/bin' },
  });
  const said = [];
  const done = new Promise((resolve) => child.once('close', (code) => resolve(code)));
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => said.push(chunk.toString()));
  }
  return { child, done, text: () => said.join('') };
}

/** Starts it; answers the exit code and the words of one that refused, null of one that serves. */
async function start() {
  const started = run([]);
  let code;
  void started.done.then((it) => {
    code = it;
  });
  for (const endMs = now() + START_MS; now() < endMs; await delay(LOOK_MS)) {
    if (code !== undefined) return { code, text: started.text() };
    if ((await status()) === null) continue;
    enforcer = started;
    return null;
  }
  throw new Error(`the enforcer does not serve: ${started.text()}`);
}

async function kill() {
  enforcer.child.kill('SIGKILL');
  await enforcer.done;
}

async function restart() {
  await kill();
  return { refused: await start() };
}

/** What `restart` refuses to adopt. */
async function repair() {
  await kill();
  const refused = await start();
  if (refused === null) await kill();
  does(`rm -f ${KEPT}`)();
  const repairing = run(['--repair']);
  const repaired = { code: await repairing.done, text: repairing.text() };
  return { refused, repaired, again: await start() };
}

/** The first answer of each of some proofs that were begun after a moment. */
async function afterProofs(sinceMs, count) {
  const seen = new Map();
  for (const endMs = now() + PROOFS_MS; now() < endMs && seen.size < count; await delay(LOOK_MS)) {
    const answer = await status();
    if (answer?.proof == null || Date.parse(answer.proof.at) <= sinceMs) continue;
    if (!seen.has(answer.proof.at))
      seen.set(answer.proof.at, { ...answer, beganMs: Date.parse(answer.proof.at) - sinceMs });
  }
  return [...seen.values()];
}

/** The first answer by a proof that was begun after a moment and holds; else the last one, if any. */
async function settled(sinceMs) {
  let last = null;
  for (const endMs = now() + PROOFS_MS; now() < endMs; await delay(LOOK_MS)) {
    const answer = await status();
    if (answer?.proof == null || Date.parse(answer.proof.at) <= sinceMs) continue;
    last = answer;
    // An answer that comes late is of a proof that has aged meanwhile: a slow machine, and no sabotage.
    if (answer.proof.state === 'proven' && answer.proof.ageMs <= answer.proof.periodMs) return last;
  }
  return last;
}

async function stopped() {
  enforcer.child.kill('SIGSTOP');
  const answer = await status();
  const told = spawnSync(WARDER, ['status', '-o', 'json'], {
    encoding: 'utf8',
    env: { PATH: '/usr/local/bin:/usr/sbin:/usr/bin' },
  });
  enforcer.child.kill('SIGCONT');
  return { answer, exit: told.status, document: JSON.parse(told.stdout) };
}

/** Ids of links and programs of another build of the same object, by program. */
function forge() {
  const addon = createRequire(import.meta.url)(`${programs}/warder.node`);
  const object = readFileSync(`${programs}/warder.bpf.o`);
  const opened = addon.open({ object, build: 'badbadbadbadbad0', pinDir: '/sys/fs/bpf/forged' });
  const found = opened.kernel.proof().programs;
  return Object.fromEntries(
    found.map(({ program, linkId, progId }) => [program, { linkId, progId }]),
  );
}

/** Puts another thing under a pin's name; what was there can be put back. */
const pinned = (program, what, id) =>
  does(`mv $B/links/${program} ${KEPT}; bpftool ${what} pin id ${id} $B/links/${program}`);
const putBack = (kind, name) => does(`rm -f $B/${kind}/${name}; mv ${KEPT} $B/${kind}/${name}`);

// A header begins with the number of its generation; rebuilt ones are higher.
function generationOf(header) {
  const [row] = JSON.parse(sh(`bpftool -j map dump pinned ${header}`).text);
  return Buffer.from(row.value.slice(0, 8).map(Number)).readBigUInt64LE();
}

function putOlderBack() {
  const headers = readdirSync(`${build()}/banks`).map((it) => `${build()}/banks/${it}`);
  headers.sort((a, b) => Number(generationOf(a) - generationOf(b)));
  if (headers.length < 2) throw new Error('there is no older generation');
  does(`bpftool map update pinned $B/maps/committed key 0 0 0 0 value pinned ${headers[0]}`)();
}

async function changeStore() {
  const { DatabaseSync } = await import('node:sqlite');
  const database = new DatabaseSync('/var/lib/warder/enforcer/enforcer.db');
  database.exec("UPDATE generations SET image_digest = 'sha256:' || hex(zeroblob(32))");
  database.close();
}

async function mountAndRestart() {
  const mounted = sh('mount -t bpf -o mode=700 bpf /sys/fs/bpf');
  return { mounted, ...(await restart()) };
}

// What is remembered of a program: its tag comes first.
async function changeLoaded() {
  const row = `pinned $B/maps/loaded key ${FILE_OPEN_HOOK} 0 0 0`;
  const { value } = JSON.parse(sh(`bpftool -j map lookup ${row}`).text);
  const [first, ...others] = value;
  const write = (bytes) => does(`bpftool map update ${row} value hex ${bytes}`);
  const other = Number(first) ^ 1;
  write([other.toString(16), ...others].join(' ').replaceAll('0x', ''))();
  const started = await restart();
  return { started, undo: write(value.join(' ').replaceAll('0x', '')) };
}

// Denials by somebody who is no canary, as fast as shells can ask.
function flood() {
  const file = `/run/warder/canary/${readdirSync('/run/warder/canary')[0]}/file`;
  const loop = `while :; do true < ${file}; done 2>/dev/null`;
  const flooding = [1, 2].map(() => spawn('sh', ['-c', loop], { stdio: 'ignore' }));
  return { undo: () => flooding.map((it) => it.kill('SIGKILL')) };
}

// No child can be started, so that no canary answers.
function mute() {
  does(`grep -q pids ${CGROUPS}/cgroup.subtree_control || echo +pids > ${CGROUPS}/cgroup.subtree_control
    mkdir -p ${MUTE}; echo ${enforcer.child.pid} > ${MUTE}/cgroup.procs; echo 0 > ${MUTE}/pids.max`)();
}

const EMPTY_COMMITTED = `cd /sys/fs/bpf
  size=$(bpftool -j map show pinned $(ls -d $B/banks/* | head -n 1) | sed 's/.*"bytes_value":\\([0-9]*\\).*/\\1/')
  bpftool map create header type array key 4 value $size entries 1 name header flags 128
  mv $B/maps/committed ${KEPT}
  bpftool map create $B/maps/committed type array_of_maps key 4 value 4 entries 1 \
    name committed inner_map pinned /sys/fs/bpf/header
  rm header`;

const EMPTY_ROWS = `cd /sys/fs/bpf
  bpftool map create rows type hash key 24 value 24 entries 1 name objects_0 flags 128
  for bank in 0 1 2 3; do
    bpftool map update pinned $B/maps/objects key $bank 0 0 0 value pinned /sys/fs/bpf/rows
  done
  rm rows`;

/** Name, what is done, what undoes or repairs it. */
function trialsWith({ file_open, inode_link }) {
  const tell = (script) => () => sh(script);
  return [
    ['nothing', () => null, null],
    ['detach', tell('bpftool link detach pinned $B/links/file_open'), null],
    ['canary-hidden', tell('mount -t tmpfs tmpfs /run/warder/canary'), null],
    ['flood', flood, (told) => told.undo()],
    ['link-unpinned', does('rm $B/links/inode_unlink'), restart],
    ['link-forged', pinned('file_open', 'link', file_open.linkId), putBack('links', 'file_open')],
    [
      'link-elsewhere',
      pinned('inode_rename', 'link', inode_link.linkId),
      putBack('links', 'inode_rename'),
    ],
    [
      'link-program',
      pinned('inode_link', 'prog', inode_link.progId),
      putBack('links', 'inode_link'),
    ],
    ['map-unpinned', does(`mv $B/maps/objects ${KEPT}`), putBack('maps', 'objects')],
    ['committed-emptied', does('bpftool map delete pinned $B/maps/committed key 0 0 0 0'), restart],
    [
      'loaded-changed',
      changeLoaded,
      (told) => {
        told.undo();
        return restart();
      },
    ],
    ['canary-silent', mute, does(`echo max > ${MUTE}/pids.max`)],
    [
      'pins-replaced',
      does('mv $B /sys/fs/bpf/aside; mkdir $B $B/links $B/maps $B/banks'),
      does('rmdir $B/links $B/maps $B/banks $B; mv /sys/fs/bpf/aside $B'),
    ],
    [
      'lsm-masked',
      does('echo lockdown,yama > /run/lsm; mount --bind /run/lsm /sys/kernel/security/lsm'),
      does('umount /sys/kernel/security/lsm'),
    ],
    [
      'lsm-hidden',
      does('mount -t tmpfs tmpfs /sys/kernel/security'),
      does('umount /sys/kernel/security'),
    ],
  ];
}

/** These take longer: what is in force is made anew, or every program is loaded again. */
function longTrialsWith({ file_open }) {
  return [
    ['rows-swapped', does(EMPTY_ROWS), restart],
    ['committed-older', putOlderBack, restart],
    ['store-changed', changeStore, restart],
    ['map-forged', does(EMPTY_COMMITTED), repair],
    ['links-unpinned', does('rm $B/links/*'), restart],
    ['link-forged-repaired', pinned('file_open', 'link', file_open.linkId), repair],
    ['map-unpinned-repaired', does('rm $B/maps/objects'), repair],
    [
      'pins-hidden',
      () => sh('mount -t tmpfs tmpfs /sys/fs/bpf/warder'),
      () => sh('umount /sys/fs/bpf/warder'),
    ],
    ['bpffs-unmounted', () => sh('umount -l /sys/fs/bpf'), mountAndRestart],
  ];
}

async function play([name, sabotage, undo]) {
  const before = await settled(0);
  try {
    const told = (await sabotage()) ?? null;
    const after = await afterProofs(now(), PROOFS_AFTER);
    const recovery = undo === null ? null : ((await undo(told)) ?? null);
    const recovered = undo === null ? null : await settled(now());
    return { name, told, before, after, recovery, recovered, atMs: now() };
  } catch (cause) {
    // One that cannot be played must not hide what the others showed.
    return { name, told: `${cause}`, before, after: [], recovery: null, recovered: null };
  }
}

const first = await start();
if (first !== null) throw new Error(JSON.stringify(first));
const forged = forge();
const trials = [];
for (const trial of trialsWith(forged)) trials.push(await play(trial));
const silence = await stopped();
const afterSilence = await settled(now());
if (isLong) for (const trial of longTrialsWith(forged)) trials.push(await play(trial));
await kill();
const gone = await status();
process.stdout.write(`${JSON.stringify({ trials, silence, afterSilence, gone })}\n`);
