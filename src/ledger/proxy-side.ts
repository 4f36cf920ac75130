/** Decides a lost request by the log of the proxy or server that handled it, and follows it to its backend. */
import type { Sighting, UpstreamTry } from '../nodes/kind.js';
import { TcpFlag } from '../observe/observations.js';
import { ipToNumber } from '../sys/ip.js';
import type { CaseFile } from './case-file.js';
import type { Cause, Verdict } from './causes.js';
import { fateOfSyn, type SentSyn } from './syn-fate.js';

/** nginx logs whole milliseconds, and a little after the fact. */
const LOG_SLACK_NS = 50e6;

/** Results that need no look at another host: the proxy's own log line is the proof. */
const OWN_CAUSE: Partial<Record<UpstreamTry['result'], Cause>> = {
  'no-local-port': 'ports-exhausted',
  'connection-limit': 'connection-limit',
  'file-limit': 'file-limit',
  'queue-timeout': 'queue-timeout',
  unreachable: 'unreachable',
};

/** Why the request that this host logged was not answered well. */
export function verdictOfSighting(file: CaseFile, sighting: Sighting): Verdict {
  const { node, layer } = file.host(sighting.host);
  if (sighting.refusal !== undefined) {
    return { cause: sighting.refusal.cause, at: node, evidence: [`${sighting.host}: ${sighting.refusal.evidence}`] };
  }
  const decisive = decisiveTry(sighting);
  if (decisive !== undefined) return verdictOfTry(file, sighting, decisive);
  const evidence = [`${sighting.host}: ${sighting.evidence}`];
  if (sighting.status === 429) return { cause: 'throttled', at: node, evidence };
  if (layer !== 'server') return { cause: 'unattributed', at: node, evidence };
  const answered = sighting.status >= 500;
  return { cause: answered ? 'http-error' : 'response-timeout', at: node, evidence };
}

/** The try that decides: the last one, but a real failure before a refusal without trying. */
function decisiveTry(sighting: Sighting): UpstreamTry | undefined {
  const last = sighting.tries.at(-1);
  if (last?.result !== 'no-live-backend') return last;
  return sighting.tries.findLast((one) => one.result !== 'no-live-backend' && one.result !== 'answered') ?? last;
}

function verdictOfTry(file: CaseFile, sighting: Sighting, one: UpstreamTry): Verdict {
  const { node } = file.host(sighting.host);
  const evidence = [`${sighting.host}: ${one.evidence}`];
  const own = OWN_CAUSE[one.result];
  if (own !== undefined) return { cause: own, at: node, evidence };
  if (one.result === 'no-live-backend') return heldDown(file, sighting, one, evidence);
  const backend = file.plan.targets[sighting.host]?.find((target) => `${target.address}:${target.port}` === one.to);
  if (backend === undefined) return { cause: 'unattributed', at: node, evidence };
  const backendNode = file.host(backend.host).node;
  const further = file.sighting(sighting.id, backend.host);
  switch (one.result) {
    case 'refused':
      return { cause: 'refused', at: backendNode, evidence };
    case 'answered':
      if (further !== undefined) return prefixed(evidence, verdictOfSighting(file, further));
      return { cause: sighting.status === 429 ? 'throttled' : 'http-error', at: backendNode, evidence };
    case 'connect-timeout':
      return prefixed(evidence, verdictOfUpstreamSyn(file, sighting, one, backend.host, node));
    case 'response-timeout':
      if (further !== undefined && further.tries.length > 0)
        return prefixed(evidence, verdictOfSighting(file, further));
      return { cause: 'response-timeout', at: backendNode, evidence };
    case 'reset':
    case 'closed-early': {
      const [from, to] = [sighting.startedAt, one.endedAt].map(file.fromUnixMs);
      const incident = file.incident(backend.host, from, to);
      if (further === undefined && incident !== undefined)
        return { cause: incident.cause, at: backendNode, evidence: [...evidence, incident.evidence] };
      return { cause: 'reset', at: backendNode, evidence };
    }
    default:
      return { cause: 'unattributed', at: node, evidence };
  }
}

function prefixed(evidence: string[], verdict: Verdict): Verdict {
  return { ...verdict, evidence: [...evidence, ...verdict.evidence] };
}

/** Refused without trying: the quake is the last real failure towards a backend before it. */
function heldDown(file: CaseFile, sighting: Sighting, one: UpstreamTry, evidence: string[]): Verdict {
  const { node } = file.host(sighting.host);
  let quake: { sighting: Sighting; failed: UpstreamTry } | undefined;
  for (const other of file.sightingsAt(sighting.host)) {
    for (const failed of other.tries) {
      if (failed.result === 'answered' || failed.result === 'no-live-backend') continue;
      if (failed.endedAt > one.endedAt + LOG_SLACK_NS / 1e6) continue;
      if (quake === undefined || failed.endedAt > quake.failed.endedAt) quake = { sighting: other, failed };
    }
  }
  if (quake === undefined) return { cause: 'backend-held-down', at: node, evidence };
  const root = verdictOfTry(file, quake.sighting, quake.failed);
  return {
    cause: 'backend-held-down',
    at: node,
    because: { cause: root.cause, at: root.at },
    evidence: [
      ...evidence,
      `follows request ${quake.sighting.id} at ${(file.fromUnixMs(quake.failed.endedAt) / 1e9).toFixed(3)} s: ${root.evidence[0]}`,
    ],
  };
}

/** A proxy's connect() that timed out: among its unanswered SYNs to that backend the one that began nearest to the try. */
function verdictOfUpstreamSyn(
  file: CaseFile,
  sighting: Sighting,
  one: UpstreamTry,
  backend: string,
  node: string,
): Verdict {
  const syn = nearestSyn(file, sighting, one, backend, false);
  const fate = syn === undefined ? undefined : fateOfSyn(file, syn);
  return (
    fate ?? { cause: 'unattributed', at: node, evidence: [`${sighting.host}: no unanswered SYN to ${backend} fits`] }
  );
}

/** The first copy of the SYN with which a proxy began this try. */
function nearestSyn(
  file: CaseFile,
  sighting: Sighting,
  one: UpstreamTry,
  backend: string,
  answered: boolean,
): SentSyn | undefined {
  const tap = file.tap(sighting.host);
  if (tap === undefined || one.to === undefined) return undefined;
  const [address, port] = one.to.split(':');
  const destination = ipToNumber(address);
  const { table } = tap;
  const before = sighting.tries[sighting.tries.indexOf(one) - 1];
  const startedNs = file.fromUnixMs(before?.endedAt ?? sighting.startedAt);
  let best: SentSyn | undefined;
  for (let row = 0; row < table.length; row++) {
    if (table.outgoing[row] !== 1 || table.destination[row] !== destination) continue;
    if (table.destinationPort[row] !== Number(port)) continue;
    if ((table.flags[row] & (TcpFlag.syn | TcpFlag.ack)) !== TcpFlag.syn) continue;
    const fromNs = table.timeNs[row];
    if (fromNs < startedNs - LOG_SLACK_NS || fromNs > file.fromUnixMs(one.endedAt) + LOG_SLACK_NS) continue;
    const sequence = table.sequence[row];
    const copies = tap.syns(sequence, { outgoing: true });
    if (copies[0] !== row) continue;
    const whole = tap.answers(sequence, 'syn-ack', { outgoing: false }).length > 0;
    if (whole !== answered || (answered && copies.length < 2)) continue;
    if (best !== undefined && Math.abs(fromNs - startedNs) >= Math.abs(best.fromNs - startedNs)) continue;
    const toNs = copies.length > 1 ? table.timeNs[copies[1]] : file.fromUnixMs(one.endedAt) + LOG_SLACK_NS;
    best = { host: sighting.host, sequence, fromNs, toNs, target: backend };
  }
  return best;
}

/** Why a proxy's connection to a backend, which was answered in the end, needed more than one SYN. */
export function verdictOfLateUpstream(file: CaseFile, sighting: Sighting, one: UpstreamTry): Verdict | undefined {
  const backend = file.plan.targets[sighting.host]?.find((target) => `${target.address}:${target.port}` === one.to);
  if (backend === undefined) return undefined;
  const syn = nearestSyn(file, sighting, one, backend.host, true);
  const fate = syn === undefined ? undefined : fateOfSyn(file, syn);
  return fate && prefixed([`${sighting.host}: ${one.evidence}`], fate);
}
