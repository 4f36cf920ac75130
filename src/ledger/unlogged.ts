/**
 * Requests that a proxy handed on and wrote no line for. haproxy does so with every request but the first of a client's connection
 * when its backend ends the connection before an answer, or when it is told to end meanwhile: it closes towards the client without
 * a word (src/http_ana.c, `abort_keep_alive`; measured with 2.6).
 */
import { groupBy } from '../collections.js';
import type { Sighting, UpstreamTry } from '../nodes/kind.js';
import { ipToNumber, numberToIp } from '../sys/ip.js';
import { ClientError, RequestState } from '../traffic/outcomes.js';
import type { CaseFile } from './case-file.js';
import { parties } from './parties.js';
import { hostOf } from './upstream-syn.js';

/** A request and the connection that a proxy opens for it are noted by two clocks' readings, ns. */
const CLOCK_SLACK_NS = 2e6;

/** A lost request on a connection that an earlier one had opened, for which the proxy that it went to has no line. */
interface Unlogged {
  row: number;
  id: string;
  proxy: string;
  /** The client's end of the connection, as the proxy logged it for the request that opened it. */
  peer: string;
}

/** An answered connection of a proxy to one of its backends. */
interface Opened {
  atNs: number;
  connectMs: number;
  from: string;
  to: string;
}

/**
 * What the proxies would have logged, by request id: the backend is the one that logged the request itself, else the one that a
 * connection was opened to just then which no line of the log speaks of, else the one that an event killed as the connection
 * ended. Only for proxies whose log names their source ports.
 */
export function unloggedSightings(file: CaseFile): Map<string, Sighting> {
  const found = new Map<string, Sighting>();
  for (const [proxy, requests] of groupBy(unloggedRequests(file), (request) => request.proxy)) {
    const claimed = sourcesInLog(file, proxy);
    if (claimed.size === 0) continue;
    const opened = new Map(openedBy(file, proxy).map((one) => [one.from, one]));
    const known = new Map(
      requests.flatMap((request) => {
        const own = opened.get(peerOfServer(file, proxy, request.id) ?? '');
        return own === undefined ? [] : [[request, own] as const];
      }),
    );
    for (const { from } of known.values()) claimed.add(from);
    const free = [...opened.values()].filter(({ from }) => !claimed.has(from));
    const open = requests.filter((request) => !known.has(request));
    for (const [request, own] of inTurn(file, open, free)) known.set(request, own);
    for (const request of requests) {
      const own = known.get(request);
      const sighting = own === undefined ? killedMeanwhile(file, request) : overConnection(file, request, own);
      if (sighting !== undefined) found.set(request.id, sighting);
    }
  }
  return found;
}

/** Both in the order of their time: each request takes the first connection that was opened after it. */
function inTurn(file: CaseFile, requests: Unlogged[], opened: Opened[]): [Unlogged, Opened][] {
  const { lastTryNs, doneNs } = file.outcomes;
  let next = 0;
  return requests.flatMap((request): [Unlogged, Opened][] => {
    while (next < opened.length && opened[next].atNs < lastTryNs[request.row] - CLOCK_SLACK_NS) next++;
    return next < opened.length && opened[next].atNs <= doneNs[request.row] ? [[request, opened[next++]]] : [];
  });
}

/** Ends of a request whose connection stood. */
const BROKEN: ReadonlySet<number> = new Set([ClientError.responseTimeout, ClientError.reset, ClientError.closedEarly]);

/** In the order in which they were sent. */
function unloggedRequests(file: CaseFile): Unlogged[] {
  const { outcomes: out } = file;
  const requests: Unlogged[] = [];
  for (let row = 0; row < out.rows; row++) {
    if (out.state[row] !== RequestState.dropped || !BROKEN.has(out.error[row])) continue;
    const opener = file.openingRow(out.connection[row]);
    if (opener === undefined || opener === row) continue;
    const { id, target } = parties(file, row);
    if (file.host(target).layer !== 'L7' || loggedAt(file, id, target) !== undefined) continue;
    const peer = loggedAt(file, parties(file, opener).id, target)?.peer;
    if (peer !== undefined) requests.push({ row, id, proxy: target, peer });
  }
  return requests.sort((a, b) => out.lastTryNs[a.row] - out.lastTryNs[b.row]);
}

const loggedAt = ({ observations }: CaseFile, id: string, hostName: string) =>
  observations.sightings.get(id)?.find(({ host }) => host === hostName);

/** Every source of a try that this proxy's log names. */
function sourcesInLog({ observations }: CaseFile, proxy: string): Set<string> {
  const seen = [...observations.sightings.values()].flat().filter(({ host }) => host === proxy);
  return new Set(seen.flatMap(({ tries }) => tries.flatMap(({ from }) => from ?? [])));
}

/** Connections to its backends that were answered, in the order of their time. */
function openedBy(file: CaseFile, proxy: string): Opened[] {
  const tap = file.tap(proxy);
  if (tap === undefined) return [];
  const { table } = tap;
  return (file.plan.targets[proxy] ?? [])
    .flatMap(({ address, port }) => file.upstream(proxy).syns({ address: ipToNumber(address), port }))
    .flatMap((row) => {
      const [answer] = tap.answers(table.sequence[row], 'syn-ack', { outgoing: false });
      if (answer === undefined) return [];
      return {
        atNs: table.timeNs[row],
        connectMs: (table.timeNs[answer] - table.timeNs[row]) / 1e6,
        from: `${numberToIp(table.source[row])}:${table.sourcePort[row]}`,
        to: `${numberToIp(table.destination[row])}:${table.destinationPort[row]}`,
      };
    })
    .sort((a, b) => a.atNs - b.atNs);
}

/** The other end of the connection on which a backend of this proxy got the request, by the backend's own log. */
function peerOfServer(file: CaseFile, proxy: string, id: string): string | undefined {
  const backends = new Set(file.plan.targets[proxy]?.map(({ host }) => host));
  return file.observations.sightings.get(id)?.find(({ host }) => backends.has(host))?.peer;
}

const SILENT = 'wrote no line for it, the request was not the first of its connection';

function overConnection(file: CaseFile, request: Unlogged, { atNs, connectMs, from, to }: Opened): Sighting {
  const sentNs = file.outcomes.lastTryNs[request.row];
  const said = `${SILENT}; its connection ${from} to ${hostOf(file, request.proxy, to)} stood`;
  // A connection that was opened for another request had no handshake left to do.
  const handshake = atNs < sentNs - CLOCK_SLACK_NS ? {} : { connectMs };
  return sightingOf(file, request, { to, from, ...handshake, startedAt: file.toUnixMs(Math.max(atNs, sentNs)) }, said);
}

/** How long a proxy may take to pass on that its backend has ended the connection, ns. */
const PASSED_ON_NS = 0.5e9;

/** The backend that an event had killed just before the proxy closed towards its client. */
function killedMeanwhile(file: CaseFile, request: Unlogged): Sighting | undefined {
  const { lastTryNs, doneNs, error } = file.outcomes;
  if (error[request.row] === ClientError.responseTimeout) return undefined;
  const [sentNs, endedNs] = [lastTryNs[request.row], doneNs[request.row]];
  const kill = file.observations.events.findLast(
    ({ kinds, startedNs = Number.NaN }) =>
      kinds.includes('kill') && startedNs <= endedNs && endedNs - startedNs < PASSED_ON_NS,
  );
  const backend = file.plan.targets[request.proxy]?.find(({ host }) => kill?.hosts.includes(host));
  if (backend === undefined) return undefined;
  const said = `${SILENT}; it closed ${((endedNs - kill!.startedNs!) / 1e6).toFixed(1)} ms after ${kill!.text}`;
  const to = `${backend.address}:${backend.port}`;
  return sightingOf(file, request, { to, startedAt: file.toUnixMs(sentNs) }, said);
}

function sightingOf(
  file: CaseFile,
  { row, id, proxy, peer }: Unlogged,
  way: Pick<UpstreamTry, 'to' | 'from' | 'connectMs' | 'startedAt'>,
  evidence: string,
): Sighting {
  const { lastTryNs, doneNs, error } = file.outcomes;
  const result = error[row] === ClientError.responseTimeout ? 'response-timeout' : 'reset';
  const [startedAt, endedAt] = [lastTryNs[row], doneNs[row]].map(file.toUnixMs);
  return {
    id,
    host: proxy,
    startedAt,
    endedAt,
    status: 0,
    peer,
    tries: [{ ...way, result, endedAt, evidence }],
    evidence,
  };
}
