/** Why squid found no peer to ask: all were DEAD, or those that lived had as many connections as they may. */
import type { AccessLine } from './access-log.js';
import type { PeerState } from './cache-log.js';

/**
 * Tells of a request that was sent to nobody whether some peer with a limit of connections was alive then: so it was the limit.
 * @param config squid.conf, for the peers' names and limits
 */
export function peers(
  config: string,
  states: Map<string, PeerState[]>,
  lines: AccessLine[],
): (access: AccessLine) => boolean {
  const limited = limitedPeers(config);
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

/** Names of the peers whose connections are limited. */
function limitedPeers(config: string): string[] {
  return [...config.matchAll(/^\s*cache_peer\s+(\S+)(.*)$/gm)]
    .filter(([, , options]) => /\smax-conn=\d/.test(options))
    .map(([, address, options]) => /\sname=(\S+)/.exec(options)?.[1] ?? address);
}
