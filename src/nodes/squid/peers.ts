/** The peers of a squid.conf, and why squid found none to ask: all were DEAD, or those that lived had as many connections as they may. */
import type { AccessLine } from './access-log.js';
import type { PeerState } from './cache-log.js';

/** A `cache_peer` of a configuration. */
export interface Peer {
  name: string;
  address: string;
  port: string;
  /** It has a `max-conn`. */
  limited: boolean;
}

/** The peers that a configuration names; those of included files are not seen. */
export function peersIn(config: string): Peer[] {
  return [...config.matchAll(/^\s*cache_peer\s+(\S+)\s+\w+\s+(\d+)(.*)$/gm)].map(([, address, port, options]) => ({
    name: /\sname=(\S+)/.exec(options)?.[1] ?? address,
    address,
    port,
    limited: /\smax-conn=\d/.test(options),
  }));
}

/**
 * Tells of a request that was sent to nobody whether some peer with a limit of connections was alive then: so it was the limit.
 */
export function onlyLimited(
  peers: Peer[],
  states: Map<string, PeerState[]>,
  lines: AccessLine[],
): (access: AccessLine) => boolean {
  const limited = peers.filter((peer) => peer.limited).map(({ name }) => name);
  if (limited.length === 0) return () => false;
  const byTransaction = new Map(lines.map((line) => [line.transaction, line]));
  const timed = new Map(
    limited.map((name) => [name, (states.get(name) ?? []).map((state) => ({ ...state, at: timeOf(state) }))]),
  );

  /** The log has seconds; the request in whose course it happened has milliseconds. */
  function timeOf({ second, transaction }: PeerState): number {
    const endedAt = byTransaction.get(transaction ?? '')?.endedAt;
    return endedAt === undefined || Math.floor(endedAt / 1000) * 1000 !== second ? second : endedAt;
  }

  return ({ endedAt }) => limited.some((name) => !timed.get(name)?.findLast(({ at }) => at <= endedAt)?.dead);
}
