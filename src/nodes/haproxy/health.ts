/** What haproxy's log tells of its backends' health: each failed check is evidence of why a backend was marked down. */
import type { Sighting, UpstreamResult, UpstreamTry } from '../kind.js';
import type { LogLine } from './logs.js';

/** `address:port` by `backend/server`, from the text of a configuration. */
export function serverAddresses(config: string): Map<string, string> {
  const addresses = new Map<string, string>();
  let section = '';
  for (const line of config.split('\n')) {
    const [word, name, address] = line.trim().split(/\s+/);
    if (word === 'backend' || word === 'listen') section = name;
    if (word === 'server' && address !== undefined) addresses.set(`${section}/${name}`, address.replace(/^ipv4@/, ''));
  }
  return addresses;
}

const FAILED =
  /^Health check for server (\S+) failed, reason: ([^,]+)(?:, code: \d+)?(?:, info: "(.*?)")?(?:, check duration: (\d+)ms)?, status: \d+\/\d+ (UP|DOWN)/;

/** haproxy's word for a backend that it marks down for the failures of requests; their own lines tell why. */
const BY_REQUESTS = 'Health analyze';

/** Every failed check as a sighting of its own, by the name `health check of …`, with the one try that it made. */
export function failedChecks(host: string, lines: LogLine[], addresses: Map<string, string>): Sighting[] {
  return lines.flatMap(({ at, text }): Sighting[] => {
    const [, server, reason, info = '', took = '0', state] = FAILED.exec(text) ?? [];
    if (server === undefined || reason === BY_REQUESTS) return [];
    const to = addresses.get(server);
    const result = resultOf(reason, info);
    const failed: UpstreamTry = { to, result, endedAt: at, evidence: text, markedDown: state === 'DOWN' };
    const id = `health check of ${server}`;
    return [
      { id, host, startedAt: at - Number(took), endedAt: at, status: 0, peer: '', tries: [failed], evidence: text },
    ];
  });
}

/** Words of a check (src/check.c) and of the errno behind it. */
function resultOf(reason: string, info: string): UpstreamResult {
  if (/Out of local source ports|Source port range exhausted|Cannot assign requested|already in use/.test(info))
    return 'no-local-port';
  if (/Too many (sockets|open files)|maxconn/.test(info)) return 'file-limit';
  if (/refused/.test(info)) return 'refused';
  if (/unreachable|No route/.test(info)) return 'unreachable';
  if (/^Layer[46] timeout/.test(reason)) return 'connect-timeout';
  if (/^Layer7 timeout/.test(reason)) return 'response-timeout';
  if (/reset|Broken pipe/.test(info)) return 'reset';
  return 'failed';
}
