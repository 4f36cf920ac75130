/**
 * What became of a SYN, told hop by hop from the taps: its initial sequence number survives translation, so the same
 * number is looked for on every host along the way.
 */
import { TcpFlag } from '../observe/observations.js';
import { hasSyn } from '../observe/syn-table.js';
import { secondsOfNs } from '../seconds.js';
import { ipToNumber } from '../sys/ip.js';
import type { Bounds } from './bounds.js';
import type { CaseFile } from './case-file.js';
import type { Verdict } from './causes.js';
import { switchedOff } from './chain-events.js';

/** One SYN as it left a host: all its repetitions carry the same sequence number. */
export interface SentSyn {
  host: string;
  sequence: number;
  /** When this copy left and when the next one did (Infinity when it was the last), ns. */
  fromNs: number;
  toNs: number;
  /** The target host's name. */
  target: string;
}

/** A packet is seen at the next host within this time, whatever the machine's load. */
const HOP_SLACK_NS = 200e6;

/** A log time or a time-out lies at most this much before the packet that belongs to it. */
const CLOCK_SLACK_NS = 2e6;

const at = (ns: number) => ({ fromNs: ns, toNs: ns });
/** Where the copy of a SYN, or its answer, ended; undefined when it was answered by a SYN+ACK that came back. */
export function fateOfSyn(file: CaseFile, syn: SentSyn): Verdict | undefined {
  const evidence = [`${syn.host}: SYN ${syn.sequence} sent at ${secondsOfNs(syn.fromNs)}`];
  // What arrives after the next copy has left is that copy. Behind the last one there is only its sender's time-out.
  const repeated = file.tap(syn.host)?.syns(syn.sequence, { fromNs: syn.toNs, outgoing: true }).length;
  const window = { fromNs: syn.fromNs - CLOCK_SLACK_NS, toNs: repeated ? syn.toNs : syn.toNs + HOP_SLACK_NS };
  const crossed = [syn.host];

  for (const group of file.gatewaysFrom(syn.host)) {
    const gateway = group.find(
      (candidate) => file.tap(candidate.name)?.syns(syn.sequence, { ...window, outgoing: false }).length,
    );
    if (gateway === undefined) return lostOnLink(file, crossed.at(-1)!, `${group[0].node}: it never arrived`, evidence);
    const tap = file.tap(gateway.name)!;
    const [entered] = tap.syns(syn.sequence, { ...window, outgoing: false });
    const left = tap.syns(syn.sequence, { fromNs: window.fromNs, toNs: syn.toNs, outgoing: true });
    const source = tap.source(entered).split(':')[0];
    const off = left.length > 0 ? undefined : switchedOff(file, gateway.name, at(tap.timeNs(entered)));
    if (off !== undefined) return { ...off, evidence: [...evidence, ...off.evidence] };
    if (left.length === 0)
      return stoppedAtGateway(file, gateway.name, gateway.node, gateway.kind, source, syn.sequence, evidence);
    evidence.push(`${gateway.name}: passed it on as ${tap.source(left[0])}`);
    crossed.push(gateway.name);
  }
  return fateAtTarget(file, syn, crossed, window, evidence);
}

/** A packet vanished on the link that leads from `near` towards the next hop, whichever way it went. */
function lostOnLink(file: CaseFile, near: string, said: string, evidence: string[]): Verdict {
  const { node, spec } = file.host(near);
  if (spec.link?.loss !== undefined) {
    return { cause: 'lost', at: node, evidence: [...evidence, said, `${near}: link.loss is set`] };
  }
  const holes = Object.values(file.observations.taps).reduce((sum, tap) => sum + tap.kernelDrops, 0);
  const why = holes > 0 ? `the taps missed ${holes} packets` : 'no link between them is set to lose packets';
  return { cause: 'unattributed', at: node, evidence: [...evidence, said, why] };
}

/** Where a SYN+ACK that left the target ended on its way back over the hosts that its SYN had crossed. */
function fateOfAnswer(
  file: CaseFile,
  syn: SentSyn,
  crossed: string[],
  sentNs: number,
  evidence: string[],
): Verdict | undefined {
  // The target repeats its SYN+ACK on its own: one that arrives later came when the sender had given up or tried again.
  const window = { fromNs: sentNs - CLOCK_SLACK_NS, toNs: sentNs + HOP_SLACK_NS };
  let from = syn.target;
  for (const hop of crossed.toReversed()) {
    const arrived = file.tap(hop)?.answers(syn.sequence, 'syn-ack', { ...window, outgoing: false });
    if (arrived?.length === 0) {
      const off = file.host(from).layer === 'L3' ? switchedOff(file, from, at(sentNs)) : undefined;
      if (off !== undefined) return { ...off, evidence: [...evidence, ...off.evidence] };
      return lostOnLink(file, hop, `${hop}: the SYN+ACK of ${syn.target} never arrived from ${from}`, evidence);
    }
    from = hop;
  }
  return undefined;
}

/** How far a SYN came in a gateway that it never left, by whether its forward chain has noted it. */
const REACHED = {
  true: ', reached the forward chain and never left',
  false: ' and never reached the forward chain',
  undefined: ' and never left',
};

function stoppedAtGateway(
  file: CaseFile,
  host: string,
  node: string,
  kind: string,
  source: string,
  sequence: number,
  evidence: string[],
): Verdict {
  const refused = file.observations.refusedSyns[host]?.find(({ syns }) => syns.has(`${source}:${sequence}`));
  if (refused !== undefined) {
    return {
      cause: refused.cause,
      at: node,
      evidence: [...evidence, `${host}: it entered from ${source} and met ${refused.rule}`],
    };
  }
  const counters = file.counters(host);
  const forwarded = file.observations.forwarded[host];
  const insertFailed = counters['conntrack.insert_failed'] ?? 0;
  const drop = counters['conntrack.drop'] ?? 0;
  const earlyDrop = counters['conntrack.early_drop'] ?? 0;
  const noted = forwarded ? hasSyn(forwarded, ipToNumber(source), sequence) : undefined;
  // A SYN that finds no port counts in both (`nf_ct_resolve_clash` in net/netfilter/nf_conntrack_core.c): what is above it met a full table.
  if (noted === undefined && insertFailed > 0 && drop > insertFailed) {
    return {
      cause: 'unattributed',
      at: node,
      evidence: [
        ...evidence,
        file.shared(
          `${host}: it entered from ${source} and never left; whether it reached the forward chain was not noted`,
        ),
        file.shared(`${host}: conntrack insert_failed +${insertFailed}, drop +${drop}`),
      ],
    };
  }
  const reachedForward = noted ?? insertFailed > 0;
  const reached = REACHED[`${noted}`];
  if (kind === 'nat' && reachedForward && insertFailed > 0) {
    return {
      cause: 'ports-exhausted',
      at: node,
      evidence: [
        ...evidence,
        file.shared(`${host}: it entered from ${source}${reached}`),
        file.shared(`${host}: conntrack insert_failed +${insertFailed}`),
      ],
    };
  }
  if (!reachedForward && drop + earlyDrop > 0) {
    return {
      cause: 'conntrack-full',
      at: node,
      evidence: [
        ...evidence,
        file.shared(`${host}: it entered from ${source}${reached}`),
        file.shared(`${host}: conntrack drop +${drop}, early_drop +${earlyDrop}`),
      ],
    };
  }
  return {
    cause: 'unattributed',
    at: node,
    evidence: [...evidence, `${host}: it entered from ${source} and never left`],
  };
}

function fateAtTarget(
  file: CaseFile,
  syn: SentSyn,
  crossed: string[],
  window: Bounds,
  evidence: string[],
): Verdict | undefined {
  const target = file.host(syn.target);
  const tap = file.tap(syn.target);
  if (tap === undefined)
    return { cause: 'unattributed', at: target.node, evidence: [...evidence, `${syn.target}: no tap there`] };
  const [arrived] = tap.syns(syn.sequence, { ...window, outgoing: false });
  if (arrived === undefined) return lostOnLink(file, crossed.at(-1)!, `${target.node}: it never arrived`, evidence);
  const arrivedNs = tap.timeNs(arrived);
  evidence.push(`${syn.target}: it arrived at ${secondsOfNs(arrivedNs)}`);
  const answer = { fromNs: arrivedNs, toNs: syn.toNs };
  const accepted = tap.answers(syn.sequence, 'syn-ack', { ...answer, outgoing: true });
  if (accepted.length > 0) return fateOfAnswer(file, syn, crossed, tap.timeNs(accepted[0]), evidence);
  if (tap.answers(syn.sequence, 'rst', { ...answer, outgoing: true }).length > 0) {
    return {
      cause: 'refused',
      at: target.node,
      evidence: [...evidence, `${syn.target}: answered by RST, nothing listens there`],
    };
  }
  const counters = file.counters(syn.target);
  const { addresses, source, sourcePort, destination, destinationPort } = tap.table;
  const resets = tap.between(
    addresses[source[arrived]],
    sourcePort[arrived],
    addresses[destination[arrived]],
    destinationPort[arrived],
    TcpFlag.rst,
    {
      ...answer,
      outgoing: false,
    },
  );
  if (resets.length > 0) {
    return {
      cause: 'time-wait-collision',
      at: target.node,
      evidence: [
        ...evidence,
        `${syn.target}: no SYN+ACK; the client reset the old connection under ${tap.source(arrived)}`,
        `${syn.target}: TcpExt PAWSTimewait +${counters['TcpExt.PAWSTimewait'] ?? 0}`,
      ],
    };
  }
  const overflows = counters['TcpExt.ListenOverflows'] ?? 0;
  if (overflows > 0) {
    return {
      cause: 'accept-queue-full',
      at: target.node,
      evidence: [...evidence, `${syn.target}: no SYN+ACK left`, `${syn.target}: TcpExt ListenOverflows +${overflows}`],
    };
  }
  return {
    cause: 'unattributed',
    at: target.node,
    evidence: [...evidence, `${syn.target}: no SYN+ACK left, no counter says why`],
  };
}
