/** Decides a lost request by the log of the proxy or server that handled it, and follows it to its backend. */
import type { Sighting, UpstreamTry } from '../nodes/kind.js';
import { secondsOfNs } from '../seconds.js';
import type { CaseFile } from './case-file.js';
import type { Cause, Verdict } from './causes.js';
import { switchedOffOnTheWay } from './chain-events.js';
import { REPEATED_SYN_MS } from './late.js';
import { expiredUpstream } from './mapping.js';
import { settledTry } from './settled-try.js';
import { fateOfSyn } from './syn-fate.js';
import { untilLeft } from './until-left.js';
import { hostOf, LOG_SLACK_NS, startOf, synOf } from './upstream-syn.js';

/** A request is read at once; whoever reads it this much later was kept from it. */
export const LONG_WAIT_NS = 0.5e9;

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
  const decisive = blamesFurther(file, sighting) ? decisiveTry(sighting) : undefined;
  if (decisive !== undefined) return verdictOfTry(file, sighting, decisive);
  const evidence = [`${sighting.host}: ${sighting.evidence}`];
  if (sighting.status === 429) return { cause: 'throttled', at: node, evidence };
  // Whoever answers 5xx without asking anybody is the one to ask why.
  if (sighting.status >= 500) return { cause: 'http-error', at: node, evidence };
  return { cause: layer === 'server' ? 'response-timeout' : 'unattributed', at: node, evidence };
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
  const backend = hostOf(file, sighting.host, one.to);
  if (backend === undefined) return { cause: 'unattributed', at: node, evidence };
  const backendNode = file.host(backend).node;
  const further = file.sighting(sighting.id, backend);
  switch (one.result) {
    case 'refused':
      return prefixed(evidence, rejectedOnTheWay(file, sighting, one, backend) ?? refusedAt(backendNode));
    case 'backend-limit':
      return { cause: 'connection-limit', at: backendNode, evidence };
    case 'answered':
      if (further !== undefined) return prefixed(evidence, verdictOfSighting(file, further));
      return { cause: sighting.status === 429 ? 'throttled' : 'http-error', at: backendNode, evidence };
    case 'no-answer':
      return verdictOfTry(file, sighting, settledTry(file, sighting, { ...one, startedAt: startOf(sighting, one) }));
    case 'connect-timeout': {
      const verdict = verdictOfUpstreamSyn(file, sighting, one, backend, node);
      const before = sighting.tries[sighting.tries.indexOf(one) - 1];
      // Traffic Server may leave a connection unused that stands, where the tries before it found no port.
      if (verdict.cause === 'unattributed' && before?.result === 'connect-failed')
        return prefixed([...evidence, ...verdict.evidence], verdictOfTry(file, sighting, before));
      return prefixed(evidence, verdict);
    }
    case 'response-timeout':
      if (further !== undefined && (blamesFurther(file, further) || further.queuedMs !== undefined)) {
        const [askedNs, leftNs] = [startOf(sighting, one), one.endedAt].map(file.fromUnixMs);
        const then = untilLeft(further, one.endedAt);
        return prefixed(evidence, verdictOfQueue(file, then, { askedNs, leftNs }) ?? verdictOfSighting(file, then));
      }
      return prefixed(evidence, verdictOfSlowness(file, sighting, one, backend, further));
    case 'connect-failed':
      return prefixed(evidence, verdictOfFailedConnect(file, sighting, one, backend, node));
    case 'reset':
    case 'closed-early': {
      const expired =
        further === undefined ? expiredUpstream(file, sighting.host, one, startOf(sighting, one)) : undefined;
      if (expired !== undefined) return prefixed(evidence, expired);
      const [from, to] = [sighting.startedAt, one.endedAt].map(file.fromUnixMs);
      const incident = file.incident(backend, from, to);
      if (further === undefined && incident !== undefined)
        return { cause: incident.cause, at: backendNode, evidence: [...evidence, incident.evidence] };
      return { cause: 'reset', at: backendNode, evidence };
    }
    default:
      return { cause: 'unattributed', at: node, evidence };
  }
}

/** Whether what a host logged of a request leads on to its own backends: a server that its store has answered is the end of the way. */
export function blamesFurther(file: CaseFile, { host, status, tries }: Sighting): boolean {
  if (tries.length === 0) return false;
  return file.host(host).layer !== 'server' || status >= 500 || tries.at(-1)!.result !== 'answered';
}

function prefixed(evidence: string[], verdict: Verdict): Verdict {
  return { ...verdict, evidence: [...evidence, ...verdict.evidence] };
}

const refusedAt = (at: string): Verdict => ({ cause: 'refused', at, evidence: [] });

/** The RST that a proxy got as an answer came from a firewall in between, in the backend's name. */
function rejectedOnTheWay(file: CaseFile, sighting: Sighting, one: UpstreamTry, backend: string): Verdict | undefined {
  if (file.gatewaysFrom(sighting.host).length === 0) return undefined;
  const syn = synOf(file, sighting, one, backend, 'unanswered');
  const fate = syn === undefined ? undefined : fateOfSyn(file, syn);
  return fate?.cause === 'unattributed' ? undefined : fate;
}

/** A connection that stood, and no answer in time: the backend was slow, or something kept it from the request. */
function verdictOfSlowness(
  file: CaseFile,
  sighting: Sighting,
  one: UpstreamTry,
  backend: string,
  further: Sighting | undefined,
): Verdict {
  const at = file.host(backend).node;
  if (one.startedAt !== undefined && one.startedAt - sighting.startedAt > one.endedAt - one.startedAt) {
    const said = `${sighting.host}: asked its store only after ${((one.startedAt - sighting.startedAt) / 1000).toFixed(3)} s`;
    return { cause: 'response-timeout', at: file.host(sighting.host).node, evidence: [said] };
  }
  const [startedNs, endedNs] = [startOf(sighting, one), one.endedAt].map(file.fromUnixMs);
  const connectNs = (one.connectMs ?? 0) * 1e6;
  const readNs = further === undefined ? endedNs : file.fromUnixMs(further.startedAt);
  if (readNs - startedNs - connectNs >= LONG_WAIT_NS) {
    const incident = file.incident(backend, startedNs, endedNs);
    const said = further === undefined ? 'never read the request' : 'read the request late';
    if (incident !== undefined)
      return { cause: incident.cause, at, evidence: [`${backend}: ${said}`, incident.evidence] };
  }
  const expired = further === undefined ? expiredUpstream(file, sighting.host, one, startOf(sighting, one)) : undefined;
  if (expired !== undefined) return expired;
  const off = switchedOffOnTheWay(file, sighting.host, { fromNs: startedNs, toNs: endedNs });
  if (off !== undefined) return off;
  const slow: Verdict = { cause: 'response-timeout', at, evidence: [] };
  if (one.connectMs === undefined || one.connectMs < REPEATED_SYN_MS || connectNs * 2 < endedNs - startedNs)
    return slow;
  const late = verdictOfLateUpstream(file, sighting, one);
  if (late === undefined) return slow;
  // Most of the time was gone before the backend had the request.
  return { ...slow, because: { cause: late.cause, at: late.at }, evidence: late.evidence.slice(1) };
}

/** Refused without trying: the quake is the last real failure towards a backend before it. */
function heldDown(file: CaseFile, sighting: Sighting, one: UpstreamTry, evidence: string[]): Verdict {
  const { node } = file.host(sighting.host);
  const quake = file.upstream(sighting.host).failureBefore(one.endedAt + LOG_SLACK_NS / 1e6);
  if (quake === undefined) return { cause: 'backend-held-down', at: node, evidence };
  const root = verdictOfTry(file, quake.sighting, quake.failed);
  return {
    cause: 'backend-held-down',
    at: node,
    because: root.because ?? { cause: root.cause, at: root.at },
    quakeNs: file.fromUnixMs(quake.failed.endedAt),
    evidence: [
      ...evidence,
      `follows ${wordsOf(quake.sighting)} at ${secondsOfNs(file.fromUnixMs(quake.failed.endedAt))}: ${root.evidence[0]}`,
    ],
  };
}

/** A request's id is one word; a proxy's own check of a backend tells what it was. */
const wordsOf = ({ id }: Sighting) => (id.includes(' ') ? id : `request ${id}`);

/**
 * Whoever asked gave up at `leftNs`, and its request stood in this proxy's queue: still, or for most of the time since `askedNs`.
 * undefined when the queue was not what took the time.
 */
export function verdictOfQueue(
  file: CaseFile,
  sighting: Sighting,
  { askedNs, leftNs }: { askedNs: number; leftNs: number },
): Verdict | undefined {
  const { node } = file.host(sighting.host);
  const queuedNs = (sighting.queuedMs ?? 0) * 1e6;
  const endNs = file.fromUnixMs(sighting.queuedAt ?? sighting.startedAt) + queuedNs;
  const waited = `${sighting.host}: ${secondsOfNs(queuedNs)} in its queue for a backend`;
  if (queuedNs > 0 && endNs + LOG_SLACK_NS >= leftNs)
    return { cause: 'queue-timeout', at: node, evidence: [`${waited}; nobody waited any more when its turn came`] };
  if (queuedNs * 2 < leftNs - askedNs) return undefined;
  const slow = verdictOfSighting(file, sighting);
  return { ...slow, because: { cause: 'queue-timeout', at: node }, evidence: [waited, ...slow.evidence] };
}

/** A proxy's connect() that timed out: among its unanswered SYNs to that backend the one that began nearest to the try. */
function verdictOfUpstreamSyn(
  file: CaseFile,
  sighting: Sighting,
  one: UpstreamTry,
  backend: string,
  node: string,
): Verdict {
  const syn = synOf(file, sighting, one, backend, 'unanswered');
  const fate = syn === undefined ? undefined : fateOfSyn(file, syn);
  return (
    fate ?? { cause: 'unattributed', at: node, evidence: [`${sighting.host}: no unanswered SYN to ${backend} fits`] }
  );
}

/** A proxy's connect() that failed for a reason that its log leaves out: without any SYN of its own it had no port. */
function verdictOfFailedConnect(
  file: CaseFile,
  sighting: Sighting,
  one: UpstreamTry,
  backend: string,
  node: string,
): Verdict {
  const syn = synOf(file, sighting, one, backend, 'unanswered');
  if (syn !== undefined || file.tap(sighting.host) === undefined)
    return verdictOfUpstreamSyn(file, sighting, one, backend, node);
  return { cause: 'ports-exhausted', at: node, evidence: [`${sighting.host}: no SYN left for ${backend} then`] };
}

/** Why a proxy's connection to a backend, which was answered in the end, needed more than one SYN. */
export function verdictOfLateUpstream(file: CaseFile, sighting: Sighting, one: UpstreamTry): Verdict | undefined {
  const backend = hostOf(file, sighting.host, one.to);
  if (backend === undefined) return undefined;
  const syn = synOf(file, sighting, one, backend, 'repeated');
  const fate = syn === undefined ? undefined : fateOfSyn(file, syn);
  return fate && prefixed([`${sighting.host}: ${one.evidence}`], fate);
}
