/** A watch from its first look to its end: each sample goes to the terminal or stdout, to the log, and to the endpoint; warnings to stderr. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ExitCode } from '../errors.js';
import { terminalOptions } from '../report/terminal.js';
import { watchLine } from '../report/watch-line.js';
import { type PastEvent, watchTable } from '../report/watch-table.js';
import { openWatchLog } from './log.js';
import { serveMetrics } from './metrics.js';
import type { WatchOptions } from './options.js';
import type { WatchSample } from './sample.js';
import { openScreen } from './screen.js';
import { type Look, openWatcher } from './watcher.js';

/** Where a watch speaks. */
export interface WatchOutput {
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
}

/** As many warnings are kept for the screen. */
const EVENTS_KEPT = 20;

/** Watches until `stop` is aborted, or with `once` for one interval. Resolves with the exit code (docs/exit-codes.md). */
export async function runWatch(
  options: WatchOptions,
  stop: AbortSignal,
  { stdout, stderr }: WatchOutput = process,
): Promise<ExitCode> {
  const { once, json, intervalMs } = options;
  const watcher = openWatcher(options.watcher);
  const endpoint = options.prometheus === undefined ? undefined : await serveMetrics(options.prometheus);
  const log = options.log === undefined ? undefined : openWatchLog(options.log);
  const live = !once && !json && stdout.isTTY === true && process.env.TERM !== 'dumb';
  if (endpoint !== undefined && !live) stderr.write(`metrics at ${endpoint.url}\n`);
  const screen = live ? openScreen(stdout) : undefined;
  const events: PastEvent[] = [];
  let latest: WatchSample | undefined;

  const table = (sample: WatchSample, height?: number) =>
    watchTable(sample, events, { ...terminalOptions(stdout), height, warnAt: options.watcher.lines.at });
  const paint = () => {
    if (latest !== undefined) screen?.paint(table(latest, stdout.rows));
  };
  stdout.on('resize', paint);

  function tell({ sample, events: news }: Look): void {
    latest = sample;
    for (const event of news) {
      const past = { at: sample.at, ...event };
      events.push(past);
      log?.write({ type: 'warning', ...past });
      // On the terminal that the table is painted on, the table tells it.
      if (!(live && stderr.isTTY === true))
        stderr.write(`${sample.at} ${event.kind === 'raised' ? 'warning' : 'over'}: ${event.text}\n`);
    }
    events.splice(0, events.length - EVENTS_KEPT);
    log?.write({ type: 'sample', ...sample });
    endpoint?.show(sample);
    if (json) stdout.write(`${JSON.stringify(sample)}\n`);
    else if (once) stdout.write(table(sample));
    else if (live) paint();
    else stdout.write(`${watchLine(sample)}\n`);
  }

  try {
    if (once) {
      // A rate needs two looks; only the second one is told.
      await watcher.look(true);
      await pause(intervalMs, stop);
      const look = await watcher.look(true);
      tell(look);
      return options.failAt !== undefined && fullestShare(look.sample) >= options.failAt
        ? ExitCode.gatesFailed
        : ExitCode.ok;
    }
    for (let due = performance.now(); !stop.aborted; ) {
      tell(await watcher.look());
      due += intervalMs;
      // What was missed, while the machine slept say, is not made up for.
      if (due < performance.now()) due = performance.now() + intervalMs;
      await pause(due - performance.now(), stop);
    }
    return ExitCode.ok;
  } finally {
    stdout.removeListener('resize', paint);
    screen?.restore();
    watcher.close();
    await endpoint?.close();
    await log?.close();
  }
}

/** The fullest thing that a watch knows: a pool of ports or the connection table, 0 to 1. */
function fullestShare({ pools, conntrack }: WatchSample): number {
  return Math.max(0, conntrack?.share ?? 0, ...pools.map(({ share }) => share));
}

async function pause(ms: number, stop: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal: stop }).catch((error: Error) => {
    if (error.name !== 'AbortError') throw error;
  });
}
