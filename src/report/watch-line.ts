/** A sample of `portparty watch` as one plain line, for pipes and files. */
import type { WatchSample } from '../watch/sample.js';
import { count, plural } from './format.js';
import { perSecond, poolName, until, wholePercent } from './watch-words.js';

/** The line, without its end. */
export function watchLine({ at, ports, pools, sockets, conntrack, listening, opened }: WatchSample): string {
  const [fullest] = pools;
  const parts = [
    fullest === undefined
      ? `no ports in use of ${count(ports.capacity)}`
      : `fullest ${poolName(fullest)} ${count(fullest.taken)}/${count(ports.capacity)} (${wholePercent(fullest.share)})` +
        `, ${perSecond(fullest.growthPerSecond)}${fullest.secondsUntilFull === null ? '' : `, full ${fullest.secondsUntilFull === 0 ? 'now' : `in ${until(fullest.secondsUntilFull)}`}`}`,
    plural(sockets.inUse, 'socket'),
    `${count(sockets.timeWait)} TIME_WAIT`,
    ...(opened.perSecond === null ? [] : [`${count(opened.perSecond)} opened/s`]),
    conntrack === null
      ? 'no connection table'
      : `conntrack ${count(conntrack.entries)}/${count(conntrack.limit)}${conntrack.drops === null ? '' : `, ${count(conntrack.drops.drop + conntrack.drops.insertFailed)} dropped`}`,
    `listen ${count(listening.overflows)} overflows, ${count(listening.drops)} drops`,
  ];
  return `${at.slice(11, 19)}  ${parts.join(' · ')}`;
}
