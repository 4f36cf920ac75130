/**
 * Requests that a proxy handed on and wrote no line for. haproxy does so with every request but the first of a client's connection
 * when its backend ends the connection before an answer, or when it is told to end meanwhile: it closes towards the client without
 * a word (src/http_ana.c, `abort_keep_alive`; measured with 2.6).
 */
import { groupBy } from '../collections.js';
import type { Sighting, UpstreamTry } from '../nodes/kind.js';
import { ipToNumber } from '../sys/ip.js';
import { ClientError, RequestState } from '../traffic/outcomes.js';
import type { CaseFile } from './case-file.js';
import { parties } from './parties.js';
import { hostOf } from './upstream-syn.js';

/** A request and the connection that a proxy opens for it are noted by two clocks' readings, ns. */
const CLOCK_SLACK_NS = 2e6;
/** How long a host may take to pass on that what is behind it has ended a connection, ns. */
const PASSED_ON_NS = 0.5e9;

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
    const opened = openedBy(file, proxy);
    const lastBefore = byEnds(opened);
    const claimed = claimedByLog(file, proxy, lastBefore);
    if (claimed === undefined) continue;
    const known = new Map<Unlogged, Opened>();
    for (const request of requests) {
      const own = servedOver(file, request, lastBefore);
      if (own !== undefined) known.set(request, own);
    }
    if (!opensForItself(file, proxy)) {
      for (const own of known.values()) claimed.add(own);
      const free = opened.filter((one) => !claimed.has(one));
      const open = requests.filter((request) => !known.has(request));
      for (const [request, own] of inTurn(file, open, free)) known.set(request, own);
    }
    for (const request of requests) {
      const own = known.get(request);
      const sighting =
        own === undefined
          ? (loggedByBackend(file, request) ?? killedMeanwhile(file, request))
          : overConnection(file, request, own);
      if (sighting !== undefined) found.set(request.id, sighting);
    }
  }
  return found;
}

/** A proxy that checks its backends opens connections that belong to no request; what its user's own configuration does nobody knows. */
function opensForItself(file: CaseFile, proxy: string): boolean {
  const { spec } = file.host(proxy);
  return ('healthCheck' in spec && spec.healthCheck !== undefined) || ('config' in spec && spec.config !== undefined);
}

/** Finds the last connection between two ends that was opened by a time: ports are used again. */
type LastBefore = (from: string, to: string, ns: number) => Opened | undefined;

function byEnds(opened: Opened[]): LastBefore {
  const ends = groupBy(opened, ({ from, to }) => `${from} ${to}`);
  return (from, to, ns) => ends.get(`${from} ${to}`)?.findLast(({ atNs }) => atNs <= ns + CLOCK_SLACK_NS);
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
    if (file.host(target).layer !== 'L7' || file.logged(id, target) !== undefined) continue;
    if (wasKilled(file, target, row)) continue;
    const peer = file.logged(parties(file, opener).id, target)?.peer;
    if (peer !== undefined) requests.push({ row, id, proxy: target, peer });
  }
  return requests.sort((a, b) => out.lastTryNs[a.row] - out.lastTryNs[b.row]);
}

/** A proxy that an event ended meanwhile has a reason of its own to say nothing. */
function wasKilled({ observations, outcomes: out }: CaseFile, proxy: string, row: number): boolean {
  return observations.events.some(
    ({ kinds, hosts, startedNs = Number.NaN }) =>
      hosts.includes(proxy) &&
      (kinds.includes('kill') || kinds.includes('restart')) &&
      startedNs >= out.lastTryNs[row] - PASSED_ON_NS &&
      startedNs <= out.doneNs[row],
  );
}

/** The connections of the tries that this proxy's log tells of; undefined where it names no source port. */
function claimedByLog(file: CaseFile, proxy: string, lastBefore: LastBefore): Set<Opened> | undefined {
  const claimed = new Set<Opened>();
  let names = false;
  for (const { tries } of file.sightingsAt(proxy))
    for (const { from, to, endedAt } of tries) {
      if (from === undefined || to === undefined) continue;
      names = true;
      const own = lastBefore(from, to, file.fromUnixMs(endedAt));
      if (own !== undefined) claimed.add(own);
    }
  return names ? claimed : undefined;
}

/** Connections to its backends that were answered, in the order of their time. */
function openedBy(file: CaseFile, proxy: string): Opened[] {
  const tap = file.tap(proxy);
  if (tap === undefined) return [];
  return (file.plan.targets[proxy] ?? [])
    .flatMap(({ address, port }) => file.upstream(proxy).syns({ address: ipToNumber(address), port }))
    .flatMap((row) => {
      const [answer] = tap.answers(tap.table.isn[row], 'syn-ack', { outgoing: false });
      if (answer === undefined) return [];
      return {
        atNs: tap.timeNs(row),
        connectMs: (tap.timeNs(answer) - tap.timeNs(row)) / 1e6,
        from: tap.source(row),
        to: tap.destination(row),
      };
    })
    .sort((a, b) => a.atNs - b.atNs);
}

/** The connection on which a backend of this proxy got the request, by the backend's own log. */
function servedOver(file: CaseFile, request: Unlogged, lastBefore: LastBefore): Opened | undefined {
  const served = servedBy(file, request);
  return served && lastBefore(served.peer, served.to, file.outcomes.doneNs[request.row]);
}

/** The backend of this proxy that logged the request, and where it came from. */
function servedBy(file: CaseFile, { id, proxy }: Unlogged): { host: string; to: string; peer: string } | undefined {
  for (const { host, peer } of file.observations.sightings.get(id) ?? []) {
    const backend = file.plan.targets[proxy]?.find((target) => target.host === host);
    if (backend !== undefined) return { host, to: `${backend.address}:${backend.port}`, peer };
  }
  return undefined;
}

const SILENT = 'wrote no line for it, the request was not the first of its connection';

function overConnection(file: CaseFile, request: Unlogged, { atNs, connectMs, from, to }: Opened): Sighting {
  const sentNs = file.outcomes.lastTryNs[request.row];
  const said = `${SILENT}; its connection ${from} to ${hostOf(file, request.proxy, to)} stood`;
  // A connection that was opened for another request had no handshake left to do.
  const handshake = atNs < sentNs - CLOCK_SLACK_NS ? {} : { connectMs };
  return sightingOf(file, request, { to, from, ...handshake, startedAt: file.toUnixMs(Math.max(atNs, sentNs)) }, said);
}

/** Behind a gateway a backend sees another address than the proxy has. */
function loggedByBackend(file: CaseFile, request: Unlogged): Sighting | undefined {
  const served = servedBy(file, request);
  if (served === undefined) return undefined;
  const startedAt = file.toUnixMs(file.outcomes.lastTryNs[request.row]);
  return sightingOf(file, request, { to: served.to, startedAt }, `${SILENT}; ${served.host} logged it`);
}

/** The backend that an event had killed just before the proxy closed towards its client. */
function killedMeanwhile(file: CaseFile, request: Unlogged): Sighting | undefined {
  const { lastTryNs, doneNs, error } = file.outcomes;
  if (error[request.row] === ClientError.responseTimeout) return undefined;
  const [sentNs, endedNs] = [lastTryNs[request.row], doneNs[request.row]];
  const backends = file.plan.targets[request.proxy] ?? [];
  const kill = file.observations.events.findLast(
    ({ kinds, hosts, startedNs = Number.NaN }) =>
      kinds.includes('kill') &&
      startedNs <= endedNs &&
      endedNs - startedNs < PASSED_ON_NS &&
      backends.some(({ host }) => hosts.includes(host)),
  );
  const backend = backends.find(({ host }) => kill?.hosts.includes(host));
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
