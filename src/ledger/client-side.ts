/** Decides a lost or late request by what its client saw, and follows it to the next hop where the client cannot know. */
import type { Sighting } from '../nodes/kind.js';
import { TcpFlag } from '../observe/observations.js';
import { secondsOfNs } from '../seconds.js';
import { Errno, errnoName } from '../sys/errno.js';
import { ipToNumber } from '../sys/ip.js';
import { ClientError } from '../traffic/outcomes.js';
import type { CaseFile } from './case-file.js';
import type { Verdict } from './causes.js';
import { switchedOffOnTheWay } from './chain-events.js';
import { expiredMapping } from './mapping.js';
import { type Parties, parties } from './parties.js';
import { blamesFurther, LONG_WAIT_NS, verdictOfQueue, verdictOfSighting } from './proxy-side.js';
import { fateOfSyn, type SentSyn } from './syn-fate.js';
import { untilLeft } from './until-left.js';

const CLOCK_SLACK_NS = 2e6;

/** Why the request of this row was lost. */
export function verdictOfLost(file: CaseFile, row: number): Verdict {
  const { outcomes: out } = file;
  const who = parties(file, row);
  switch (out.error[row] as ClientError) {
    case ClientError.syscall:
      return verdictOfErrno(file, who, out.errno[row]);
    case ClientError.connectTimeout:
    case ClientError.connectFailed:
      return verdictOfHandshake(file, row, who);
    case ClientError.status:
      return verdictOfStatus(file, row, who);
    case ClientError.badResponse:
      return { cause: 'unattributed', at: who.targetNode, evidence: [`${who.client}: what came back is not HTTP`] };
    default:
      return verdictOfBrokenConnection(file, row, who);
  }
}

function verdictOfErrno(file: CaseFile, who: Parties, code: number): Verdict {
  const at = file.host(who.client).node;
  const evidence = [`${who.client}: connect() failed: ${errnoName(code)}`];
  switch (code) {
    case Errno.EADDRNOTAVAIL:
    case Errno.EADDRINUSE:
      return { cause: 'ports-exhausted', at, evidence };
    case Errno.EMFILE:
    case Errno.ENFILE:
      return { cause: 'file-limit', at, evidence };
    case Errno.ENETUNREACH:
    case Errno.EHOSTUNREACH:
      return { cause: 'unreachable', at, evidence };
    default:
      return { cause: 'unattributed', at, evidence };
  }
}

/** The copies of the SYN with which this row opened its connection, in the order of their time; none on one that was open. */
export function sentSyns(file: CaseFile, row: number, who: Parties): SentSyn[] {
  const { outcomes: out, traffic } = file;
  const tap = file.tap(who.client);
  if (tap === undefined || out.localPort[row] === 0 || Number.isNaN(out.connectNs[row])) return [];
  const target = traffic.clients[out.client[row]].targets[out.target[row]];
  const to = { address: ipToNumber(target.address), port: target.port };
  const fromNs = out.connectNs[row] - CLOCK_SLACK_NS;
  // A sender that has much to do at once reads its clock before what it notes by it.
  const untilNs = (Number.isNaN(out.connectedNs[row]) ? out.doneNs[row] : out.connectedNs[row]) + CLOCK_SLACK_NS;
  for (const own of file.addresses(who.client)) {
    const rows = tap.between(own, out.localPort[row], to.address, to.port, TcpFlag.syn, {
      fromNs,
      toNs: untilNs,
      outgoing: true,
    });
    if (rows.length === 0) continue;
    const sequence = tap.table.isn[rows[0]];
    const copies = rows.filter((index) => tap.table.isn[index] === sequence);
    return copies.map((index, position) => ({
      host: who.client,
      sequence,
      fromNs: tap.timeNs(index),
      toNs: position + 1 < copies.length ? tap.timeNs(copies[position + 1]) : untilNs,
      target: who.target,
    }));
  }
  return [];
}

function verdictOfHandshake(file: CaseFile, row: number, who: Parties): Verdict {
  const { outcomes: out } = file;
  const code = out.errno[row];
  const clientNode = file.host(who.client).node;
  if (code === Errno.EHOSTUNREACH || code === Errno.ENETUNREACH) {
    return { cause: 'unreachable', at: clientNode, evidence: [`${who.client}: ${errnoName(code)}`] };
  }
  // Only a pool's wait ends without any connect().
  if (out.connection[row] < 0 && out.error[row] === ClientError.connectTimeout && code === 0) {
    return {
      cause: 'queue-timeout',
      at: clientNode,
      evidence: [`${who.client}: no connection of its pool became free within timeout.connect`],
    };
  }
  const copies = sentSyns(file, row, who);
  if (copies.length === 0) {
    const lossy = file.host(who.client).spec.link?.loss !== undefined;
    const evidence = [`${who.client}: connect() was under way, no SYN left the host`];
    if (lossy) return { cause: 'lost', at: clientNode, evidence: [...evidence, `${who.client}: link.loss is set`] };
    // An engine that does not know its local ports can still be told that nothing listens there.
    if (code === Errno.ECONNREFUSED)
      return { cause: 'refused', at: who.targetNode, evidence: [`${who.client}: ECONNREFUSED`] };
    return { cause: 'unattributed', at: clientNode, evidence };
  }
  const fate = fateOfCopies(file, copies);
  // Where the SYN has come to its target and no tap tells of the reset: connect() does.
  if (fate?.cause === 'unattributed' && fate.at === who.targetNode && code === Errno.ECONNREFUSED)
    return { cause: 'refused', at: fate.at, evidence: [...fate.evidence, `${who.client}: ECONNREFUSED`] };
  if (fate !== undefined)
    return { ...fate, evidence: [...fate.evidence, file.shared(`${who.client}: ${copies.length} SYNs in all`)] };
  // In SYN-SENT a reset is ECONNREFUSED (tcp_reset() in net/ipv4/tcp_input.c): here the handshake was done, and the client had not seen it.
  if (code === Errno.ECONNRESET) return verdictOfBrokenConnection(file, row, who);
  return {
    cause: 'unattributed',
    at: who.targetNode,
    evidence: [
      `${who.client}: SYN ${copies[0].sequence} was answered, yet the handshake did not finish (${errnoName(code)})`,
    ],
  };
}

/** What is known of the first copy of a SYN whose end has a cause; else of the first that was not answered. */
function fateOfCopies(file: CaseFile, copies: SentSyn[]): Verdict | undefined {
  let unsure: Verdict | undefined;
  for (const syn of copies) {
    const fate = fateOfSyn(file, syn);
    if (fate !== undefined && fate.cause !== 'unattributed') return fate;
    unsure ??= fate;
  }
  return unsure;
}

function verdictOfStatus(file: CaseFile, row: number, who: Parties): Verdict {
  const { outcomes: out } = file;
  const status = out.status[row];
  const sighting = file.sighting(who.id, who.target);
  if (sighting !== undefined) return verdictOfSighting(file, sighting);
  const evidence = [`${who.client}: answered with status ${status}, ${who.target} logged no such request`];
  const incident = incidentNear(file, row, who.target);
  if (incident !== undefined)
    return { cause: incident.cause, at: who.targetNode, evidence: [...evidence, incident.evidence] };
  if (status === 429) return { cause: 'throttled', at: who.targetNode, evidence };
  if (file.host(who.target).layer === 'server') return { cause: 'http-error', at: who.targetNode, evidence };
  return { cause: 'unattributed', at: who.targetNode, evidence };
}

/** The handshake was done, and then no whole answer came. */
function verdictOfBrokenConnection(file: CaseFile, row: number, who: Parties): Verdict {
  const { outcomes: out } = file;
  const error = out.error[row];
  const seen =
    error === ClientError.responseTimeout
      ? `${who.client}: no whole answer within the time-out`
      : `${who.client}: ${error === ClientError.closedEarly ? 'closed' : errnoName(out.errno[row])} before the whole answer`;
  const expired = expiredMapping(file, row, who.client, who.target);
  if (expired !== undefined) return { ...expired, evidence: [seen, ...expired.evidence] };
  const off = switchedOffOnTheWay(file, who.client, { fromNs: out.lastTryNs[row], toNs: out.doneNs[row] });
  if (off !== undefined) return { ...off, evidence: [seen, ...off.evidence] };
  const logged = file.sighting(who.id, who.target);
  const leftMs = file.toUnixMs(out.doneNs[row]);
  const sighting = logged && error === ClientError.responseTimeout ? untilLeft(logged, leftMs) : logged;
  const late = error === ClientError.responseTimeout ? keptWaiting(file, row, who, sighting) : undefined;
  if (late !== undefined) return { ...late, evidence: [seen, ...late.evidence] };
  // Whoever has logged a good answer, or that the client had left, which it had not, and whose connection broke is not excused by its
  // backend: it closed an idle connection that a request was on its way to.
  const answered = sighting !== undefined && sighting.status >= 200 && sighting.status <= 499;
  const excusable = !answered || error === ClientError.responseTimeout;
  if (sighting !== undefined && excusable && (blamesFurther(file, sighting) || sighting.queuedMs !== undefined)) {
    const patience = { askedNs: out.lastTryNs[row], leftNs: out.doneNs[row] };
    const queued = error === ClientError.responseTimeout ? verdictOfQueue(file, sighting, patience) : undefined;
    const upstream = queued ?? verdictOfSighting(file, sighting);
    return { ...upstream, evidence: [seen, ...upstream.evidence] };
  }
  const incident = sighting === undefined ? incidentNear(file, row, who.target) : undefined;
  if (incident !== undefined) return { cause: incident.cause, at: who.targetNode, evidence: [seen, incident.evidence] };
  if (error === ClientError.responseTimeout) {
    const dropped = finalAckDropped(file, row, who);
    if (dropped !== undefined) return { ...dropped, evidence: [seen, ...dropped.evidence] };
    const reached =
      sighting === undefined ? 'accepted by the kernel, not read by the process in time' : sighting.evidence;
    return { cause: 'response-timeout', at: who.targetNode, evidence: [seen, `${who.target}: ${reached}`] };
  }
  return { cause: 'reset', at: who.targetNode, evidence: [seen, `${who.target}: ended the connection`] };
}

/** A daemon at a limit of its own left the connection in its accept queue for too long, and read the request only then. */
function keptWaiting(file: CaseFile, row: number, who: Parties, sighting: Sighting | undefined): Verdict | undefined {
  const { outcomes: out } = file;
  if (sighting === undefined || Number.isNaN(out.connectedNs[row])) return undefined;
  const waitedNs = file.fromUnixMs(sighting.startedAt) - out.connectedNs[row];
  const incident = waitedNs < LONG_WAIT_NS ? undefined : incidentNear(file, row, who.target);
  if (incident === undefined) return undefined;
  return {
    cause: incident.cause,
    at: who.targetNode,
    evidence: [`${who.target}: read the request ${secondsOfNs(waitedNs)} after the handshake`, incident.evidence],
  };
}

/** The client's last ACK met a full accept queue: it holds the connection for open, the server repeats its SYN+ACK. */
function finalAckDropped(file: CaseFile, row: number, who: Parties): Verdict | undefined {
  const [syn] = sentSyns(file, row, who);
  const tap = file.tap(who.target);
  if (syn === undefined || tap === undefined) return undefined;
  const repeated = tap.answers(syn.sequence, 'syn-ack', { outgoing: true }).length - 1;
  const overflows = file.counters(who.target)['TcpExt.ListenOverflows'] ?? 0;
  if (repeated < 1 || overflows === 0) return undefined;
  return {
    cause: 'accept-queue-full',
    at: who.targetNode,
    evidence: [
      `${who.target}: SYN+ACK repeated ${repeated} times, the last ACK found the accept queue full`,
      `${who.target}: TcpExt ListenOverflows +${overflows}`,
    ],
  };
}

function incidentNear(file: CaseFile, row: number, hostName: string) {
  const { outcomes: out } = file;
  return file.incident(hostName, out.lastTryNs[row], out.doneNs[row]);
}

/** Why a request that completed had to repeat its SYN; undefined when it did not. */
export function verdictOfDelayed(file: CaseFile, row: number): Verdict | undefined {
  const who = parties(file, row);
  const copies = sentSyns(file, row, who);
  if (copies.length < 2) return undefined;
  const fate = fateOfSyn(file, copies[0]);
  return (
    fate ?? {
      cause: 'unattributed',
      at: who.targetNode,
      evidence: [`${who.client}: SYN ${copies[0].sequence} was answered and yet repeated ${copies.length - 1} times`],
    }
  );
}
