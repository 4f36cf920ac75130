/** Requests that still stood in a queue when haproxy was told to end: it may end without a line for them. */
import type { Incident } from '../kind.js';

const HEADING = /^0x[0-9a-f]+: \[(\d+)\/(\w+)\/(\d+):(\S+)\] .*source=(\S+)/;
/** The side towards the backend (src/stream.c, `sc_state_str`). */
const QUEUED = /^\s+scb=.* state=QUE /m;

/** From the answer to `show sess all` of the Runtime API; each at the time when its request came. */
export function stillQueued(host: string, open: string): Incident[] {
  return open.split(/\n(?=0x)/).flatMap((session): Incident[] => {
    const [heading, day, month, year, time, peer] = HEADING.exec(session) ?? [];
    if (heading === undefined || !QUEUED.test(session)) return [];
    const at = Date.parse(`${day} ${month} ${year} ${time.slice(0, 12)} UTC`);
    const evidence = `${host}: ${peer} still in the queue for a backend at the end, since ${time}`;
    return [{ host, at, cause: 'queue-timeout', peer, evidence }];
  });
}
