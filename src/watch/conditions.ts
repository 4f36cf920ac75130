/** When to warn, and with which words: a pool or the connection table that fills, connections that are turned away. Does no I/O. */
import type { Condition } from './alarms.js';
import type { ConntrackSample, ListenerSample, PoolSample, ProcessSample } from './sample.js';

/** Where warnings begin. */
export interface WarnLines {
  /** Share of a pool or of the connection table, 0 to 1. */
  at: number;
  /** Time until it is full at this rate, s. */
  withinSeconds: number;
}

/** A warning by share ends when so much less is in use (0 to 1); one by time, when there is so many times as much of it. */
const SHARE_BACK = 0.1;
const TIME_BACK = 2;
/** Below this share no forecast warns: a pool that is nearly empty fills fast whenever something starts. Its end is a little lower. */
export const FORECAST_FROM = 0.25;
const FORECAST_BACK = 0.2;
/** A warning of connections turned away ends when none was for so long, s. */
const QUIET_SECONDS = 60;

interface Filling {
  share: number;
  secondsUntilFull: number | null;
}

/** Whether to warn of something that fills, and whether it is well again. */
export function judgeFilling(
  { share, secondsUntilFull }: Filling,
  lines: WarnLines,
): Pick<Condition, 'raise' | 'clear'> {
  const left = secondsUntilFull ?? Number.POSITIVE_INFINITY;
  return {
    raise: share >= lines.at || (share >= FORECAST_FROM && left <= lines.withinSeconds),
    clear: share < lines.at - SHARE_BACK && (share < FORECAST_BACK || left > TIME_BACK * lines.withinSeconds),
  };
}

/** The condition of a pool; `busiest` gives the process that holds the most ports of this machine, where it is known. */
export function poolCondition(
  pool: PoolSample,
  capacity: number,
  lines: WarnLines,
  busiest: () => ProcessSample | undefined,
): Condition {
  const { source, destination, taken, timeWait } = pool;
  const text = () => {
    const owner = busiest();
    const facts = [
      `${taken} of ${capacity} taken (${Math.floor(pool.share * 100)}%)`,
      ...(timeWait > 0 ? [`${timeWait} sockets in TIME_WAIT`] : []),
      ...motion(pool),
      ...(owner === undefined ? [] : [`the process with the most ports is ${owner.command} (pid ${owner.pid})`]),
    ];
    return `ports from ${source} to ${destination}: ${facts.join(', ')}`;
  };
  return { key: `pool ${source} ${destination}`, ...judgeFilling(pool, lines), text };
}

/** The condition of the connection table. */
export function conntrackCondition(table: ConntrackSample, lines: WarnLines): Condition {
  const text = () =>
    `connection table: ${[`${table.entries} of ${table.limit} entries (${Math.floor(table.share * 100)}%)`, ...motion(table)].join(', ')}`;
  return { key: 'conntrack', ...judgeFilling(table, lines), text };
}

/** Follows a counter of losses: its condition begins when it rises, and ends after a minute in which it did not. */
export function lossWatch(key: string): (total: number, seconds: number, text: () => string) => Condition {
  let last: number | undefined;
  let roseAt = Number.NEGATIVE_INFINITY;
  return (total, seconds, text) => {
    const raise = last !== undefined && total > last;
    if (raise) roseAt = seconds;
    last = total;
    return { key, raise, clear: seconds - roseAt >= QUIET_SECONDS, text };
  };
}

/** The warning of connections turned away. */
export function turnedAwayText(drops: number, fullest: ListenerSample | null): string {
  const queue =
    fullest === null
      ? ''
      : `, the fullest queue is that of ${fullest.address} (${fullest.queued} of ${fullest.backlog})`;
  return `connections turned away by listening sockets: ${drops} since boot${queue}`;
}

function motion({
  growthPerSecond,
  secondsUntilFull,
}: Pick<PoolSample, 'growthPerSecond' | 'secondsUntilFull'>): string[] {
  const rate = growthPerSecond === null || Math.abs(growthPerSecond) < 0.05 ? [] : [`${signed(growthPerSecond)}/s`];
  if (secondsUntilFull === null) return rate;
  return [
    ...rate,
    secondsUntilFull === 0 ? 'none left' : `none left in ${Math.max(1, Math.round(secondsUntilFull))} s at this rate`,
  ];
}

/** `+12`, `-0.4`. */
function signed(value: number): string {
  return `${value > 0 ? '+' : ''}${Number(value.toFixed(Math.abs(value) < 10 ? 1 : 0))}`;
}
