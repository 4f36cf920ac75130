/** How many ports a burst would have needed: those that there were, and those that the ones who got none would have held. */
import { mostWithin } from '../most-within.js';
import type { ChainNode } from '../record/chain-record.js';
import type { Fullness } from './pool-times.js';

/** What it is told from. */
export interface PortDemand {
  capacity: number;
  at: string;
  node: ChainNode;
  /** How many endpoints its connections are spread over. */
  destinations: number;
  /** When those who got no port asked for one, ms. */
  lostAtMs: number[];
  full: Fullness | undefined;
  /** Connections that clients opened, and whether they got through. */
  connections: { openedMs: number; got: boolean; client: string }[];
  /** When requests came due, and how long one that completed took on the average, ms. */
  dueMs: number[];
  tookMs: number | undefined;
}

/**
 * Ports towards one destination. By Little's law a full pool of N ports that lets S connections a second through holds each for N / S
 * seconds; L more a second would have held N × L / S ports beside. Those who got none ask only once, so never more than they are.
 * A proxy's port is taken for as long as a request takes: there it is the most requests that came due within that time.
 * undefined where the ports were held by nobody (TIME_WAIT): then a number of ports is no cure.
 */
export function neededPorts({
  dueMs,
  tookMs,
  capacity,
  node,
  at,
  lostAtMs,
  full,
  connections,
  destinations,
}: PortDemand): number | undefined {
  if (lostAtMs.length === 0 || (full !== undefined && full.timeWaitShare >= MOSTLY)) return undefined;
  const shares = Math.max(1, destinations) * (node.layer === 'L3' ? 1 : node.hosts.length);
  const lost = lostAtMs.length / shares;
  if (node.layer === 'L7') {
    const atATime =
      tookMs === undefined ? capacity + lost : mostWithin(Float64Array.from(dueMs).sort(), tookMs) / shares;
    return Math.ceil(Math.max(atATime, capacity + 1));
  }
  const [from, to] = [full?.fullFromMs ?? Math.min(...lostAtMs), full?.fullToMs ?? Math.max(...lostAtMs)];
  const isOwn = (client: string) => node.layer !== 'client' || client.replace(/\[\d+\]$/, '') === at;
  const through =
    connections.filter(({ openedMs, got, client }) => got && isOwn(client) && openedMs >= from && openedMs <= to)
      .length / shares;
  const beside = through === 0 ? lost : Math.min(lost, (capacity * lost) / through);
  return Math.ceil(capacity + beside);
}

const MOSTLY = 0.5;
