/** A proxy's failed tries and its SYNs towards its backends, sorted by time, so that a question about one of them is a search. */
import type { Sighting, UpstreamTry } from '../nodes/kind.js';
import { OUTGOING, TcpFlag } from '../observe/observations.js';
import type { Bounds } from './bounds.js';
import type { TapIndex } from './tap-index.js';

/** A try that failed at a backend, and the request that it belonged to. */
export interface FailedTry {
  sighting: Sighting;
  failed: UpstreamTry;
}

/** How a SYN was answered: never, or only after it had been repeated. */
export type SynAnswer = 'unanswered' | 'repeated';

/** What a proxy did towards its backends. Log times are Unix ms, a tap's times ns since the run's start. */
export interface UpstreamIndex {
  /** The try that had backends held down at this Unix time in ms: the last of those that the proxy says were it, else the last that really failed. */
  failureBefore(unixMs: number): FailedTry | undefined;
  /** Rows of the first copies of the SYNs towards that endpoint, in the order of their time. */
  syns(to: Endpoint): number[];
  /** Whether a connection to that endpoint was begun between these times. */
  opened(to: Endpoint, bounds: Bounds): boolean;
  /**
   * How long the handshake took whose first SYN towards that endpoint left nearest to `atNs`, ns; infinite for one that was never
   * answered; undefined where no SYN left within the bounds.
   */
  handshakeNs(to: Endpoint, atNs: number, bounds: Bounds): number | undefined;
  /**
   * Row of the first copy of the SYN towards that endpoint that left nearest to `atNs`, within the bounds. Each SYN belongs to one
   * try: one that was given out is given again to the same try, and to another only where no other is left.
   */
  nearestSyn(owner: UpstreamTry, to: Endpoint, answer: SynAnswer, atNs: number, bounds: Bounds): number | undefined;
}

interface Endpoint {
  address: number;
  port: number;
}

/** Indexes what one host logged and what its tap saw; each part when it is first asked for. */
export function upstreamIndex(sightings: () => Sighting[], tap: TapIndex | undefined): UpstreamIndex {
  let failures: ReturnType<typeof failuresOf> | undefined;
  let firsts: Map<string, number[]> | undefined;
  const given = new Map<UpstreamTry, number>();
  const taken = new Set<number>();

  function rowsOf(index: TapIndex, to: Endpoint, answer: SynAnswer | 'any'): number[] {
    firsts ??= firstCopies(index);
    return firsts.get(keyOf(to.address, to.port, answer)) ?? [];
  }

  return {
    failureBefore(unixMs) {
      failures ??= failuresOf(sightings());
      const { all, known, markedDown } = failures;
      const before = (some: FailedTry[]) => some[firstAfter(some, unixMs, ({ failed }) => failed.endedAt) - 1];
      return before(markedDown) ?? before(known) ?? before(all);
    },
    syns: (to) => (tap === undefined ? [] : rowsOf(tap, to, 'any')),
    opened(to, { fromNs, toNs }) {
      if (tap === undefined) return false;
      const rows = rowsOf(tap, to, 'any');
      return firstAfter(rows, toNs, tap.timeNs) > firstAfter(rows, fromNs, tap.timeNs);
    },
    handshakeNs(to, atNs, bounds) {
      if (tap === undefined) return undefined;
      const { timeNs } = tap;
      const row = nearest(rowsOf(tap, to, 'any'), timeNs, atNs, bounds);
      if (row === undefined) return undefined;
      const [answer] = tap.answers(tap.table.isn[row], 'syn-ack', { outgoing: false });
      return answer === undefined ? Number.POSITIVE_INFINITY : timeNs(answer) - timeNs(row);
    },
    nearestSyn(owner, to, answer, atNs, bounds) {
      if (tap === undefined) return undefined;
      const before = given.get(owner);
      if (before !== undefined) return before;
      const rows = rowsOf(tap, to, answer);
      const { timeNs } = tap;
      const found =
        nearest(rows, timeNs, atNs, bounds, (row) => !taken.has(row)) ?? nearest(rows, timeNs, atNs, bounds);
      if (found === undefined) return undefined;
      given.set(owner, found);
      taken.add(found);
      return found;
    },
  };
}

const isFailure = ({ result }: UpstreamTry) => result !== 'answered' && result !== 'no-live-backend';

/** The tries that really failed, by the time of their end; those of which is known how, and those that the proxy says had a backend held down. */
function failuresOf(sightings: Sighting[]): Record<'all' | 'known' | 'markedDown', FailedTry[]> {
  const all = sightings
    .flatMap((sighting) => sighting.tries.filter(isFailure).map((failed) => ({ sighting, failed })))
    .sort((a, b) => a.failed.endedAt - b.failed.endedAt);
  return {
    all,
    known: all.filter(({ failed }) => failed.result !== 'failed'),
    markedDown: all.filter(({ failed }) => failed.markedDown),
  };
}

const keyOf = (address: number, port: number, answer: SynAnswer | 'any') => `${address}:${port} ${answer}`;

/** First copies of outgoing SYNs by destination and answer, in the order of their time. */
function firstCopies(tap: TapIndex): Map<string, number[]> {
  const { table } = tap;
  const found = new Map<string, number[]>();
  const add = (row: number, answer: SynAnswer | 'any') => {
    const key = keyOf(table.addresses[table.destination[row]], table.destinationPort[row], answer);
    const rows = found.get(key);
    if (rows === undefined) found.set(key, [row]);
    else rows.push(row);
  };
  for (let row = 0; row < table.length; row++) {
    if ((table.flags[row] & (TcpFlag.syn | TcpFlag.ack | OUTGOING)) !== (TcpFlag.syn | OUTGOING)) continue;
    const sequence = table.isn[row];
    const copies = tap.syns(sequence, { outgoing: true });
    if (copies[0] !== row) continue;
    add(row, 'any');
    const answered = tap.answers(sequence, 'syn-ack', { outgoing: false }).length > 0;
    if (!answered) add(row, 'unanswered');
    else if (copies.length > 1) add(row, 'repeated');
  }
  return found;
}

/** Looks outwards from `atNs` on both sides. */
function nearest(
  rows: number[],
  timeNs: (row: number) => number,
  atNs: number,
  { fromNs, toNs }: Bounds,
  wanted: (row: number) => boolean = () => true,
): number | undefined {
  let right = firstAfter(rows, atNs, timeNs);
  let left = right - 1;
  for (;;) {
    const toLeft = left >= 0 && timeNs(rows[left]) >= fromNs ? atNs - timeNs(rows[left]) : Number.POSITIVE_INFINITY;
    const toRight =
      right < rows.length && timeNs(rows[right]) <= toNs ? timeNs(rows[right]) - atNs : Number.POSITIVE_INFINITY;
    if (toLeft === Number.POSITIVE_INFINITY && toRight === Number.POSITIVE_INFINITY) return undefined;
    const row = toLeft <= toRight ? rows[left--] : rows[right++];
    if (wanted(row)) return row;
  }
}

/** Position of the first item that measures more than the limit; the items are sorted by it. */
function firstAfter<Item>(items: Item[], limit: number, measure: (item: Item) => number): number {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (measure(items[middle]) > limit) high = middle;
    else low = middle + 1;
  }
  return low;
}
