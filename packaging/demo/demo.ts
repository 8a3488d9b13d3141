// "make demo": the whole way from a push to a policy repository to a kernel that enforces it, on this
// machine and in a guest. Prints one line for each observation; exit code 0 only if every one was made.
//
// usage: node packaging/demo/demo.ts [--keep] [--transcript FILE]
//   --keep             leave the temporary folder behind
//   --transcript FILE  also write the lines, with placeholders for what changes from run to run
//
// SPDX-License-Identifier: Apache-2.0

import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Lab, openLab } from '../../test/support/lab/lab.ts';
import { HEALTH_PROBE, INSTALL_APPLICATION } from './policies.ts';
import { ChapterFailed, formatObservation, NotObserved, normalize, paint } from './show.ts';
import { tell } from './story.ts';

const { values: options } = parseArgs({
  options: { keep: { type: 'boolean', default: false }, transcript: { type: 'string' } },
});
const INTERRUPTED = 130;
const startedMs = performance.now();
const transcript: string[] = [];

process.exitCode = await main();

async function main(): Promise<0 | 1> {
  process.stderr.write(
    'starting a registry, a policy repository and a guest with a Debian kernel\n',
  );
  const site = openLab({
    install: INSTALL_APPLICATION,
    probes: [HEALTH_PROBE],
    keep: options.keep,
  });
  const onSignal = () => void site.clear().finally(() => process.exit(INTERRUPTED));
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  let lab: Lab | null = null;
  try {
    lab = await site.built;
    for (const chapter of tell(lab)) {
      const shown = await chapter.run().catch((cause: unknown) => {
        throw new ChapterFailed(chapter.title, cause);
      });
      say(formatObservation(chapter.title, shown));
    }
    say([`ok  everything was observed in ${elapsed()} s`]);
    return 0;
  } catch (cause) {
    complain(cause, lab);
    return 1;
  } finally {
    await site.clear();
    if (options.keep) process.stderr.write(`kept ${site.dir}\n`);
    if (options.transcript !== undefined) {
      writeFileSync(options.transcript, `${transcript.map(normalize).join('\n')}\n`);
    }
  }
}

function say(lines: readonly string[]): void {
  transcript.push(...lines);
  const shown = process.stdout.isTTY && !process.env['NO_COLOR'] ? lines.map(paint) : lines;
  process.stdout.write(`${shown.join('\n')}\n`);
}

function complain(failed: unknown, lab: Lab | null): void {
  const title = failed instanceof ChapterFailed ? failed.title : 'the laboratory could not be made';
  const cause = failed instanceof ChapterFailed ? failed.cause : failed;
  say([`not ok  ${title}   (after ${elapsed()} s)`]);
  const lines =
    cause instanceof NotObserved
      ? [`expected: ${cause.expected}`, `seen: ${cause.seen}`]
      : [cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)];
  const logs = lab === null ? '' : `\nlast lines of the logs:\n${lab.host.logs}`;
  process.stderr.write(`${lines.join('\n')}\n${logs}`);
}

function elapsed(): string {
  return ((performance.now() - startedMs) / 1000).toFixed(1);
}
