/** One chapter of a story: all that goes back to one cause at one place, gathered request by request. */
import type { ChainRecord } from '../record/chain-record.js';
import type { Placed, RequestRow } from '../record/read-requests.js';
import type { TrialRecord } from '../record/run-record.js';
import { type Advice, adviceFor, adviceOnAftershock } from './advice.js';
import { destinationsOf, nodeOf } from './destinations.js';
import { neededPorts } from './needed-ports.js';
import { type Fullness, fullness, type PoolPoint } from './pool-times.js';

/** All that goes back to one cause at one place. */
export interface Chapter extends Placed {
  /** Requests lost to the cause itself. */
  lost: number;
  /** Requests lost to what followed from it. */
  wake: (Placed & { count: number })[];
  /** Requests that completed, but late because of it. */
  late: number;
  /** When the first and the last of the lost ones (or, where none was lost, the late ones) made their last try, ms. */
  firstMs: number;
  lastMs: number;
  /** Of the late ones: how long the handshake took, ms. */
  lateByMs?: { median: number; longest: number };
  /** The pool that ran out, where the place owns one. */
  pool?: Fullness & { capacity: number; peak: number; towards: string };
  /** Ports towards one destination that this burst would have needed, where that can be told. */
  neededPorts?: number;
  /** Whom it struck. */
  visitors: number;
  byClient: Record<string, number>;
  byStep: Record<string, number>;
  /** One of the lost, or else of the late ones, to look at. */
  example: string;
  advice: Advice[];
}

/** What is gathered under one root while the requests are read. */
export interface Gathered extends Placed {
  lost: number;
  late: number;
  wake: Map<string, Placed & { count: number }>;
  lostAtMs: number[];
  /** Those among them that were lost to the cause itself. */
  ownAtMs: number[];
  lateAtMs: number[];
  waitsMs: number[];
  visitors: Set<number>;
  byClient: Record<string, number>;
  byStep: Record<string, number>;
  example: { id: string; isLost: boolean } | undefined;
}

/** All that was lost to it, its wake included. */
export const weight = ({ lost, wake }: Gathered) => lost + wakeOf(wake);
const wakeOf = (wake: Gathered['wake']) => [...wake.values()].reduce((sum, { count }) => sum + count, 0);

/** Takes up one request under its root. */
export function gather(roots: Map<string, Gathered>, row: RequestRow, own: Placed): void {
  const first = row.because ?? own;
  const key = `${first.cause}@${first.at}`;
  let root = roots.get(key);
  if (root === undefined) {
    root = {
      ...first,
      lost: 0,
      late: 0,
      wake: new Map(),
      lostAtMs: [],
      ownAtMs: [],
      lateAtMs: [],
      waitsMs: [],
      visitors: new Set(),
      byClient: {},
      byStep: {},
      example: undefined,
    };
    roots.set(key, root);
  }
  const atMs = row.lastTryMs ?? row.dueMs;
  const isLost = row.state === 'dropped';
  if (root.example === undefined || (isLost && !root.example.isLost)) root.example = { id: row.id, isLost };
  if (row.state === 'completed') {
    root.late++;
    root.lateAtMs.push(atMs);
    if (row.connectMs !== null && row.connectedMs !== null) root.waitsMs.push(row.connectedMs - row.connectMs);
    return;
  }
  root.lostAtMs.push(atMs);
  root.visitors.add(row.visitor);
  root.byClient[row.client] = (root.byClient[row.client] ?? 0) + 1;
  root.byStep[row.step] = (root.byStep[row.step] ?? 0) + 1;
  if (row.because === null) {
    root.lost++;
    root.ownAtMs.push(atMs);
  } else {
    const place = `${own.cause}@${own.at}`;
    const after = root.wake.get(place) ?? { ...own, count: 0 };
    after.count++;
    root.wake.set(place, after);
  }
}

/** What a chapter is told from beside its own requests. */
export interface Surroundings {
  trial: TrialRecord | undefined;
  chain: ChainRecord | undefined;
  samples: PoolPoint[];
  connections: { openedMs: number; got: boolean; client: string }[];
  peakPerSecond: number;
  dueMs: number[];
  tookMs: number | undefined;
}

/** The chapter of one root. */
export function chapterOf(root: Gathered, around: Surroundings): Chapter {
  const { trial, chain, samples, connections, peakPerSecond, dueMs, tookMs } = around;
  const { cause, at, lost, late } = root;
  const node = chain?.nodes[at];
  const times = (root.lostAtMs.length > 0 ? root.lostAtMs : root.lateAtMs).sort((a, b) => a - b);
  const peak = cause === 'ports-exhausted' ? trial?.ports[at] : undefined;
  const sampled = peak && fullness(samples, at, peak.capacity);
  // Whoever got no port proves it full at that moment, sampled or not.
  const own = root.ownAtMs.sort((a, b) => a - b);
  const full = sampled && {
    ...sampled,
    fullFromMs: least(sampled.fullFromMs, own[0]),
    fullToMs: most(sampled.fullToMs, own.at(-1)),
  };
  const needed =
    peak === undefined || node === undefined
      ? undefined
      : neededPorts({
          capacity: peak.capacity,
          lostAtMs: root.lostAtMs,
          full,
          node,
          connections,
          at,
          destinations: destinationsOf(chain, at).length,
          dueMs,
          tookMs,
        });
  const wake = [...root.wake.values()].sort((a, b) => b.count - a.count);
  const waits = root.waitsMs.sort((a, b) => a - b);
  return {
    cause,
    at,
    lost,
    wake,
    late,
    firstMs: times[0] ?? 0,
    lastMs: times.at(-1) ?? 0,
    ...(waits.length > 0 && { lateByMs: { median: waits[waits.length >> 1], longest: waits.at(-1)! } }),
    ...(peak !== undefined &&
      full !== undefined && {
        pool: { capacity: peak.capacity, peak: peak.peak, ...full, towards: towards(chain, at) },
      }),
    ...(needed !== undefined && { neededPorts: needed }),
    visitors: root.visitors.size,
    byClient: root.byClient,
    byStep: root.byStep,
    example: root.example?.id ?? '',
    advice:
      node === undefined || chain === undefined
        ? []
        : [
            ...adviceFor({
              cause,
              at,
              node,
              chain,
              lost: weight(root),
              ...(peak !== undefined && { pool: peak }),
              ...(needed !== undefined && { neededPorts: needed }),
              isTimeWait: (full?.timeWaitShare ?? 0) >= MOSTLY,
              peakPerSecond,
              lostPerSecond: mostPerSecond(root.lostAtMs),
            }),
            ...wake
              .filter((after) => after.cause === 'backend-held-down')
              .flatMap((after) => adviceOnAftershock(chain, after.at)),
          ],
  };
}

const least = (sampled: number | null, other = Number.POSITIVE_INFINITY) =>
  sampled === null && !Number.isFinite(other) ? null : Math.min(sampled ?? other, other);
const most = (sampled: number | null, other = Number.NEGATIVE_INFINITY) =>
  sampled === null && !Number.isFinite(other) ? null : Math.max(sampled ?? other, other);

/** TIME_WAIT is what fills a pool when it has at least this share of it. */
const MOSTLY = 0.5;

function mostPerSecond(times: number[]): number {
  const seconds = new Map<number, number>();
  for (const atMs of times) {
    const second = Math.floor(atMs / 1000);
    seconds.set(second, (seconds.get(second) ?? 0) + 1);
  }
  return Math.max(0, ...seconds.values());
}

/** `balancer (198.18.0.18:80)`, or the busiest of several. */
function towards(chain: ChainRecord | undefined, at: string): string {
  const all = destinationsOf(chain, at);
  if (all.length === 0) return 'its busiest destination';
  const [{ host, address, port }] = all;
  return all.length === 1
    ? `${host} (${address}:${port})`
    : `the busiest of ${all.length} addresses of ${nodeOf(host)}`;
}
