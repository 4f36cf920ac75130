/** Which request's answer another one waited for, where squid coalesces requests for one page. */
import { groupBy } from '../../collections.js';
import type { UpstreamTry } from '../kind.js';
import type { AccessLine } from './access-log.js';

/** The try of the request that was sent on for all of them. */
export type Leader = Pick<UpstreamTry, 'to' | 'from' | 'connectMs' | 'result' | 'evidence'>;

/**
 * For a request whose client left while squid had asked nobody on its behalf: the one for the same page that was under way
 * then. undefined for any other.
 */
export function leaders(lines: AccessLine[]): (access: AccessLine) => Leader | undefined {
  const asked = groupBy(
    lines.filter(({ backend }) => backend !== undefined),
    pageOf,
  );
  return (access) => {
    if (!access.tag.includes('ABORTED')) return undefined;
    const leader = asked
      .get(pageOf(access))
      ?.find(({ startedAt, endedAt }) => startedAt <= access.endedAt && endedAt >= access.startedAt);
    if (leader === undefined) return undefined;
    return {
      to: leader.backend,
      from: leader.local,
      // It had no answer when its client left.
      result: leader.local === undefined ? 'connect-timeout' : 'response-timeout',
      evidence: leader.line,
    };
  };
}

const pageOf = ({ method, url }: AccessLine) => `${method} ${url}`;
