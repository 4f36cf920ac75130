/** How often the proxies tried: a proxy that tries again and again multiplies a burst, and its own statistics do not say so. */
import type { Sighting } from '../nodes/kind.js';
import type { Plan } from '../topology/plan.js';

/** The tries of one node's hosts at their backends. */
export interface ProxyTries {
  /** Requests for which a backend was tried. */
  requests: number;
  /** Tries in all; what is above `requests` was tried again. */
  tries: number;
  /** Tries that failed. */
  failed: number;
}

/** By node, for every proxy that logs its tries. Its own checks of its backends do not count. */
export function proxyTriesOf(plan: Plan, sightings: Iterable<Sighting>): Record<string, ProxyTries> {
  const nodeOf = new Map(plan.hosts.filter(({ layer }) => layer === 'L7').map(({ name, node }) => [name, node]));
  const counts: Record<string, ProxyTries> = {};
  for (const { id, host, tries } of sightings) {
    const node = nodeOf.get(host);
    // A check's id is a sentence.
    if (node === undefined || id.includes(' ')) continue;
    const real = tries.filter(({ result }) => result !== 'no-live-backend');
    if (real.length === 0) continue;
    counts[node] ??= { requests: 0, tries: 0, failed: 0 };
    counts[node].requests++;
    counts[node].tries += real.length;
    counts[node].failed += real.filter(({ result }) => result !== 'answered').length;
  }
  return counts;
}
