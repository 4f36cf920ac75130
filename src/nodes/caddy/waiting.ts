/**
 * How long tries waited for a connection to their backend. Caddy logs no word of it: with as many connections open as
 * `max_conns_per_host` allows, Go's transport lets a request wait, in the order of their coming, until one of the others has
 * had its answer (net/http/transport.go, queueForDial). So who waited, and until when, follows from when each try began and
 * when its connection was free again.
 */
import type { UpstreamTry } from '../kind.js';

/** A try that may have waited. */
export interface Waiter {
  one: UpstreamTry;
  /** Unix time in ms at which its connection, if it had one, was free for another. */
  freeAt: number;
  /** Whether its client left. */
  left: boolean;
}

/** How far the times of two lines may be apart, ms. */
const SLACK_MS = 5;

/** By try, how long it waited, ms; of one whose client left before its turn came, its whole time. Tries that did not wait are left out. */
export function waitsFor(limit: number, waiters: Waiter[]): Map<UpstreamTry, { ms: number; inVain: boolean }> {
  const waits = new Map<UpstreamTry, { ms: number; inVain: boolean }>();
  const slots = new Map<string, number[]>();
  for (const { one, freeAt, left } of waiters.toSorted((a, b) => a.one.startedAt! - b.one.startedAt!)) {
    const free = slots.get(one.to!) ?? Array<number>(limit).fill(0);
    slots.set(one.to!, free);
    const slot = free.indexOf(Math.min(...free));
    const [began, turn] = [one.startedAt!, Math.max(one.startedAt!, free[slot])];
    if (left && turn + SLACK_MS >= one.endedAt && turn > began) {
      waits.set(one, { ms: one.endedAt - began, inVain: true });
      continue;
    }
    free[slot] = freeAt;
    if (turn - began > SLACK_MS) waits.set(one, { ms: Math.min(turn, one.endedAt) - began, inVain: false });
  }
  return waits;
}

/** The limit of connections to a backend, where a Caddyfile has one and the same for all. */
export function connectionsPerBackend(config: string): number | undefined {
  const limits = new Set(
    [...config.matchAll(/^[ \t]*max_conns_per_host[ \t]+(\d+)/gm)].map(([, text]) => Number(text)),
  );
  const [limit] = limits;
  return limits.size === 1 && limit > 0 ? limit : undefined;
}
