/** The story of one trial: which resource ran out, when, how full it was, who suffered, what followed, what would help. Pure. */
import type { Aftershock } from '../ledger/aftershocks.js';
import type { ProxyTries } from '../ledger/proxy-tries.js';
import type { ChainRecord } from '../record/chain-record.js';
import type { RequestRow } from '../record/read-requests.js';
import type { TrialRecord } from '../record/run-record.js';
import { type Chapter, chapterOf, type Gathered, gather, weight } from './chapter.js';
import type { PoolPoint } from './pool-times.js';

/** What a story is told from. */
export interface StoryInput {
  variant: string;
  /** The trial's numbers; undefined where it was cut short. */
  trial: TrialRecord | undefined;
  trialNumber: number;
  chain: ChainRecord | undefined;
  requests: Iterable<RequestRow>;
  /** The time series, in its order. */
  samples: PoolPoint[];
  events: StoryEvent[];
}

/** Something that was done to the chain; ms since the trial's start. */
export interface StoryEvent {
  timeMs: number | null;
  event: string;
  outcome?: string;
}

/** Repeated tries. */
export interface Retries {
  /** Requests that visitors tried more than once, their further tries, and how those requests ended. */
  requests: number;
  further: number;
  rescued: number;
  lost: number;
  /** Tries per request that came due. */
  perRequest: number;
  /** What the proxies tried at their backends, by node. */
  proxies: Record<string, ProxyTries>;
}

/** The story of one trial. */
export interface Story {
  variant: string;
  trial: number;
  /** False where the trial was cut short: its causes were never decided. */
  isWhole: boolean;
  requests: { due: number; completed: number; dropped: number; underWay: number; late: number };
  visitors: { arrived: number; turnedAway: number };
  /** From the first planned request to the last end, ms. */
  lastedMs: number;
  /** Largest first. */
  chapters: Chapter[];
  aftershocks: Aftershock[];
  retries: Retries;
  events: StoryEvent[];
  /** Where nothing was lost: the fullest pool. */
  fullest?: { node: string; capacity: number; peak: number };
}

/** Reads the requests once. */
export function tellStory(input: StoryInput): Story {
  const { trial, chain, samples } = input;
  const roots = new Map<string, Gathered>();
  const connections: { openedMs: number; got: boolean; client: string }[] = [];
  const duePerSecond = new Map<number, number>();
  const dueMs: number[] = [];
  let tookMs = 0;
  const counts = { due: 0, completed: 0, dropped: 0, underWay: 0, late: 0 };
  const retries: Retries = {
    requests: 0,
    further: 0,
    rescued: 0,
    lost: 0,
    perRequest: 1,
    proxies: trial?.proxies ?? {},
  };
  const [arrived, turnedAway] = [new Set<number>(), new Set<number>()];
  let lastMs = 0;

  for (const row of input.requests) {
    counts.due++;
    counts[row.state === 'under-way' ? 'underWay' : row.state]++;
    arrived.add(row.visitor);
    if (row.state === 'dropped') turnedAway.add(row.visitor);
    add(duePerSecond, Math.floor(row.dueMs / 1000));
    dueMs.push(row.dueMs);
    if (row.state === 'completed' && row.doneMs !== null) tookMs += row.doneMs - (row.lastTryMs ?? row.dueMs);
    lastMs = Math.max(lastMs, row.doneMs ?? row.dueMs);
    if (row.connectMs !== null)
      connections.push({ openedMs: row.connectMs, got: row.connectedMs !== null, client: row.client });
    if (row.attempts > 1) {
      retries.requests++;
      retries.further += row.attempts - 1;
      if (row.state === 'completed') retries.rescued++;
      if (row.state === 'dropped') retries.lost++;
    }
    if (row.cause === null) continue;
    if (row.state === 'completed') counts.late++;
    gather(roots, row, { cause: row.cause, at: row.at ?? '' });
  }
  retries.perRequest = counts.due === 0 ? 1 : (counts.due + retries.further) / counts.due;
  const peakPerSecond = Math.max(0, ...duePerSecond.values());
  const sorted = [...roots.values()].sort((a, b) => weight(b) - weight(a) || b.late - a.late);
  const chapters = sorted.map((root) =>
    chapterOf(root, {
      trial,
      chain,
      samples,
      connections,
      peakPerSecond,
      dueMs,
      tookMs: counts.completed === 0 ? undefined : tookMs / counts.completed,
    }),
  );
  const fullest = Object.entries(trial?.ports ?? {}).sort(([, a], [, b]) => b.peakShare - a.peakShare)[0];
  return {
    variant: input.variant,
    trial: input.trialNumber,
    isWhole: trial !== undefined,
    requests: counts,
    visitors: { arrived: arrived.size, turnedAway: turnedAway.size },
    lastedMs: lastMs,
    chapters,
    aftershocks: trial?.aftershocks ?? [],
    retries,
    events: input.events,
    ...(chapters.length === 0 &&
      fullest !== undefined && { fullest: { node: fullest[0], capacity: fullest[1].capacity, peak: fullest[1].peak } }),
  };
}

function add(counts: Map<number, number>, key: number): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
