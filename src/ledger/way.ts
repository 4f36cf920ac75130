/**
 * One request's whole way, put together from taps, connection tables and logs: its connection, what the host that answered did
 * with it, that host's own connections to its backends, and so on to the end of the chain.
 */
import type { Sighting, UpstreamResult, UpstreamTry } from '../nodes/kind.js';
import { requestId } from '../traffic/engine.js';
import type { CaseFile } from './case-file.js';
import { sentSyns } from './client-side.js';
import { defined, type Leg, legOf, synFromPeer, toMs } from './legs.js';
import { parties } from './parties.js';
import { hostOf, startOf, synOf } from './upstream-syn.js';

/** What one L7 node or server did with a request, by its own log. Times are ms since the trial's start, as exact as the log. */
export interface Visit {
  host: string;
  startedMs: number;
  endedMs: number;
  /** HTTP status that it answered; 0 nothing; 499 when whoever asked had left. */
  status: number;
  /** The other end of the connection that it came on, as this host saw it. */
  peer: string;
  /** Time in its queue for a backend, ms. */
  queuedMs?: number;
  /** Its own refusal, in its own words. */
  refusal?: string;
  tries: BackendTry[];
  /** The log line. */
  said: string;
}

/** A try of a proxy at a backend: what its log says, with the connection and the visit that belong to it. */
export interface BackendTry {
  /** `address:port` and name of the backend; absent where none was chosen. */
  to?: string;
  host?: string;
  result: UpstreamResult;
  startedMs: number;
  endedMs: number;
  connectMs?: number;
  /** The proxy says that because of this one it holds the backend down. */
  markedDown?: true;
  /** The connection that carried it; absent where none came about or the taps cannot tell which it was. */
  leg?: Leg;
  /** What the backend did with it. */
  visit?: Visit;
  /** The log's words, where they are others than those of the visit. */
  said?: string;
}

/** A try of the client: the connection that carried it, and the host that answered. */
export interface ClientTry {
  /** 1 is the first. */
  number: number;
  /** The connection that carried it, as far as it is known: that of the last try. */
  leg?: Leg;
  /** The request that had opened this connection; absent where it was this one. */
  openedBy?: string;
  visit?: Visit;
}

/** A request's way. */
export interface Way {
  id: string;
  tries: ClientTry[];
}

/** Longest text that is kept of a log line. */
const MOST_WORDS = 600;
const words = (text: string) => (text.length <= MOST_WORDS ? text : `${text.slice(0, MOST_WORDS - 1)}…`);

/** The way of the request of this row. Pure. */
export function wayOf(file: CaseFile, row: number): Way {
  const { outcomes: out, traffic } = file;
  const [visitor, step] = [Math.floor(row / out.steps), row % out.steps];
  const targets = traffic.clients[out.client[row]].targets.map(({ host }) => host);
  const last = Math.max(1, out.attempts[row]);
  const tries = Array.from({ length: last }, (_, index): ClientTry => {
    const id = requestId(traffic.idPrefix, visitor, step, index);
    const sighting = targets.map((target) => file.sighting(id, target)).find((seen) => seen !== undefined);
    return {
      number: index + 1,
      ...(index + 1 === last && clientConnection(file, row, sighting)),
      ...(sighting !== undefined && { visit: visitOf(file, sighting) }),
    };
  });
  return { id: requestId(traffic.idPrefix, visitor, step, 0), tries };
}

/** The connection of the last try: its own, or one that an earlier request had opened. */
function clientConnection(
  file: CaseFile,
  row: number,
  sighting: Sighting | undefined,
): Pick<ClientTry, 'leg' | 'openedBy'> {
  const { outcomes: out, traffic } = file;
  const opener = Number.isNaN(out.connectNs[row]) ? file.openingRow(out.connection[row]) : row;
  const who = parties(file, row);
  const toNs = Number.isNaN(out.doneNs[row]) ? Number.POSITIVE_INFINITY : out.doneNs[row];
  const own = opener === undefined ? undefined : sentSyns(file, opener, who)[0];
  const target = traffic.clients[out.client[row]].targets[out.target[row]];
  // Not every engine knows its local ports; whoever took the connection does.
  const seen =
    own === undefined && sighting !== undefined
      ? synFromPeer(
          file,
          who.target,
          sighting.peer,
          `${target.address}:${target.port}`,
          file.fromUnixMs(sighting.startedAt),
        )
      : undefined;
  const syn = own ?? (seen && { sequence: seen.sequence, fromNs: firstSentNs(file, who.client, seen) });
  if (syn === undefined) return {};
  const leg = legOf(file, { host: who.client, target: who.target, sequence: syn.sequence, fromNs: syn.fromNs, toNs });
  if (leg === undefined) return {};
  if (opener === undefined || opener === row) return { leg };
  const openedBy = requestId(traffic.idPrefix, Math.floor(opener / out.steps), opener % out.steps, 0);
  return { leg, openedBy };
}

function visitOf(file: CaseFile, sighting: Sighting): Visit {
  const { host, status, peer, queuedMs, refusal, evidence } = sighting;
  return {
    host,
    startedMs: msOf(file, sighting.startedAt),
    endedMs: msOf(file, sighting.endedAt),
    status,
    peer,
    ...defined({ queuedMs, refusal: refusal && words(refusal.evidence) }),
    tries: sighting.tries.map((one, index) => tryOf(file, sighting, one, index)),
    said: words(evidence),
  };
}

function tryOf(file: CaseFile, sighting: Sighting, one: UpstreamTry, index: number): BackendTry {
  const backend = hostOf(file, sighting.host, one.to);
  // A backend logs a request once, though a proxy may have tried it before in vain.
  const isLast = sighting.tries.findLastIndex(({ to }) => to === one.to) === index;
  const further =
    backend === undefined || backend === sighting.host || !isLast ? undefined : file.sighting(sighting.id, backend);
  const leg = backend === undefined ? undefined : legOfTry(file, sighting, one, backend, further);
  const { to, result, connectMs } = one;
  return {
    ...defined({ to, host: backend }),
    result,
    startedMs: msOf(file, startOf(sighting, one)),
    endedMs: msOf(file, one.endedAt),
    ...defined({ connectMs, leg, markedDown: one.markedDown === true ? (true as const) : undefined }),
    ...(further !== undefined && { visit: visitOf(file, further) }),
    ...(one.evidence !== sighting.evidence && { said: words(one.evidence) }),
  };
}

/** A proxy's connection to a backend: by the local port that it logs, by the one that the backend saw, else by time. */
function legOfTry(
  file: CaseFile,
  sighting: Sighting,
  one: UpstreamTry,
  backend: string,
  further: Sighting | undefined,
): Leg | undefined {
  const { host } = sighting;
  if (one.to === undefined || one.result === 'no-local-port' || one.result === 'no-live-backend') return undefined;
  const toNs = file.fromUnixMs(one.endedAt);
  const known =
    (one.from === undefined ? undefined : synFromPeer(file, host, one.from, one.to, toNs)) ??
    (further === undefined
      ? undefined
      : synFromPeer(file, backend, further.peer, one.to, file.fromUnixMs(further.startedAt)));
  if (known !== undefined) {
    const fromNs = firstSentNs(file, host, known);
    return legOf(file, { host, target: backend, sequence: known.sequence, fromNs, toNs });
  }
  if (one.result === 'answered') return undefined;
  const syn = synOf(file, sighting, one, backend, 'unanswered');
  return syn && legOf(file, { host, target: backend, sequence: syn.sequence, fromNs: syn.fromNs, toNs });
}

/** The same sequence number comes up again by chance only, and not within this time. */
const MOST_HANDSHAKE_NS = 130e9;

/** When the opener sent the first copy of a SYN that was seen further on. */
function firstSentNs(file: CaseFile, opener: string, seen: { sequence: number; timeNs: number }): number {
  const tap = file.tap(opener);
  const [row] =
    tap?.syns(seen.sequence, { fromNs: seen.timeNs - MOST_HANDSHAKE_NS, toNs: seen.timeNs + 1e6, outgoing: true }) ??
    [];
  return tap === undefined || row === undefined ? seen.timeNs : tap.timeNs(row);
}

const msOf = (file: CaseFile, unixMs: number) => toMs(file.fromUnixMs(unixMs));
