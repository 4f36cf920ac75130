/** varnish's health checks that failed: what they tell of is why a backend was taken for sick. */
import type { Sighting, UpstreamResult } from '../kind.js';
import { resultOfConnect } from './fetches.js';

/** `  0 Backend_health - backend0 Went sick -------- 0 1 2 0.000000 0.012351 "Open error 111 (Connection refused)"` */
const CHECK = /^\s*0 Backend_health\s+- (\S+) (Still|Went|Back) (healthy|sick) (?:\S+ ){6}"(.*)"$/;
/** Unix time in a record: of a request's time stamp, or of the manager's ping. */
const TIME = / (?:Timestamp +[cb] \w+: |CLI +- Wr 200 \d+ PONG )(\d+(?:\.\d+)?)/;

/**
 * The checks that failed, each as a sighting whose id says in words what it was. They bear no time: theirs is the last one that was
 * logged before. One that varnish did not make, because it held the backend down at that time, is left out.
 */
export function readChecks(host: string, text: string, addresses: Map<string, string>): Sighting[] {
  const failed: Sighting[] = [];
  let at = 0;
  for (const line of text.split('\n')) {
    at = Math.max(at, Number(TIME.exec(line)?.[1] ?? 0) * 1000);
    const check = CHECK.exec(line);
    if (check === null) continue;
    const [, name, change, state, words] = check;
    const result = resultOf(words);
    if (result === undefined) continue;
    const markedDown = change === 'Went' && state === 'sick';
    failed.push({
      id: `the health check of ${name}`,
      host,
      startedAt: at,
      endedAt: at,
      status: 0,
      peer: '',
      tries: [
        {
          to: addresses.get(name),
          result,
          endedAt: at,
          ...(markedDown ? { markedDown } : {}),
          evidence: `health check of ${name}: ${words}`,
        },
      ],
      evidence: line.trim(),
    });
  }
  return failed;
}

/** How a check ended, by varnish's own words (bin/varnishd/cache/cache_backend_probe.c); undefined for a good one and one not made. */
function resultOf(words: string): UpstreamResult | undefined {
  const errno = /^Open error (\d+)/.exec(words)?.[1];
  if (errno !== undefined) return errno === '0' ? undefined : resultOfConnect(Number(errno));
  return words.startsWith('Poll ') ? 'response-timeout' : undefined;
}
