/** The options of `portparty watch` as text to values, every mistake told by its option (exit 2). Does no I/O. */
import type { z } from 'zod';
import { usageError } from '../errors.js';
import { duration, share } from '../scenario/units.js';
import type { WatchLogOptions } from './log.js';
import type { ListenAddress } from './metrics.js';
import type { WatcherOptions } from './watcher.js';

/** The options as they are typed. */
export interface WatchFlags {
  interval: string;
  once?: boolean;
  failAt?: string;
  json?: boolean;
  prometheus?: string;
  top: string;
  warnAt: string;
  warnWithin: string;
  cpu: string;
  log?: string;
  logSize: string;
  logKeep: string;
}

/** What a watch does. */
export interface WatchOptions {
  watcher: WatcherOptions;
  /** Between two samples, ms. */
  intervalMs: number;
  /** End after the first interval. */
  once: boolean;
  /** Share from which `once` ends with exit code 1, 0 to 1. */
  failAt: number | undefined;
  json: boolean;
  prometheus: ListenAddress | undefined;
  log: WatchLogOptions | undefined;
}

/** A shorter interval would be mostly the watch itself. */
const SHORTEST_INTERVAL_MS = 100;

/** Throws a PortPartyError (exit 2) with the option that is wrong, and what would be right. */
export function readWatchOptions(flags: WatchFlags): WatchOptions {
  const once = flags.once === true;
  if (flags.failAt !== undefined && !once)
    throw usageError('a watch without --once has no end to fail at', `--fail-at ${flags.failAt}`, 'add --once');
  if (once && flags.prometheus !== undefined)
    throw usageError(
      'nobody could read it: --once ends at once',
      `--prometheus ${flags.prometheus}`,
      'leave one of them out',
    );
  const intervalMs = read(duration, '--interval', flags.interval);
  if (intervalMs < SHORTEST_INTERVAL_MS)
    throw usageError('too often', `--interval ${flags.interval}`, `at least ${SHORTEST_INTERVAL_MS}ms`);
  return {
    watcher: {
      top: wholeNumber('--top', flags.top, 1),
      lines: {
        at: read(share, '--warn-at', flags.warnAt),
        withinSeconds: read(duration, '--warn-within', flags.warnWithin) / 1000,
      },
      cpuShare: positiveShare('--cpu', flags.cpu),
    },
    intervalMs,
    once,
    failAt: flags.failAt === undefined ? undefined : read(share, '--fail-at', flags.failAt),
    json: flags.json === true,
    prometheus: flags.prometheus === undefined ? undefined : listenAddress(flags.prometheus),
    log:
      flags.log === undefined
        ? undefined
        : { file: flags.log, size: fileSize(flags.logSize), keep: wholeNumber('--log-keep', flags.logKeep, 1) },
  };
}

/** `:9464`, `127.0.0.1:9464`, `[::1]:9464`. */
export function listenAddress(text: string): ListenAddress {
  const parts = /^(\[[0-9a-f:.]+\]|[^:[\]]*):(\d{1,5})$/i.exec(text);
  const port = Number(parts?.[2]);
  if (parts === null || port > 65_535)
    throw usageError('expected an address and a port', `--prometheus ${text}`, 'write it like :9464 or 127.0.0.1:9464');
  const host = parts[1].replace(/^\[|\]$/g, '');
  return { host: host === '' ? undefined : host, port };
}

function fileSize(text: string): string {
  if (!/^[1-9]\d*[KMG]$/.test(text))
    throw usageError('expected a size', `--log-size ${text}`, 'write it like 500K, 10M or 1G');
  return text;
}

function wholeNumber(option: string, text: string, least: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least) return value;
  throw usageError(`expected a whole number, ${least} or more`, `${option} ${text}`);
}

function positiveShare(option: string, text: string): number {
  const value = read(share, option, text);
  if (value > 0) return value;
  throw usageError('expected more than nothing', `${option} ${text}`, `write it like ${option} 0.4%`);
}

function read(unit: z.ZodType<number, string>, option: string, text: string): number {
  const result = unit.safeParse(text);
  if (result.success) return result.data;
  const [message, hint] = result.error.issues[0].message.split('; ');
  throw usageError(message, `${option} ${text}`, hint);
}
