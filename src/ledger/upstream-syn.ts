/** Which host, which moment and which SYN belong to a proxy's try to reach a backend. */
import type { Sighting, UpstreamTry } from '../nodes/kind.js';
import { TcpFlag } from '../observe/observations.js';
import { ipToNumber } from '../sys/ip.js';
import type { Bounds } from './bounds.js';
import type { CaseFile } from './case-file.js';
import type { SentSyn } from './syn-fate.js';
import type { TapIndex } from './tap-index.js';
import type { SynAnswer } from './upstream-index.js';

/** nginx logs whole milliseconds, and a little after the fact. */
export const LOG_SLACK_NS = 50e6;

/** The planned host that a proxy's try went to; undefined for an address outside the testbed. */
export function hostOf(file: CaseFile, proxy: string, to: string | undefined): string | undefined {
  if (to === undefined) return undefined;
  const target = file.plan.targets[proxy]?.find(({ address, port }) => `${address}:${port}` === to);
  if (target !== undefined) return target.host;
  // The user's own configuration may name a port where nothing is planned, or an address of the proxy itself.
  const [address] = to.split(':');
  if (address.startsWith('127.')) return proxy;
  return file.plan.hosts.find(({ interfaces }) => interfaces.some(({ addresses }) => addresses.includes(address)))
    ?.name;
}

/** When a try began, Unix ms: the one before it had ended. */
export function startOf(sighting: Sighting, one: UpstreamTry): number {
  return one.startedAt ?? sighting.tries[sighting.tries.indexOf(one) - 1]?.endedAt ?? sighting.startedAt;
}

/** The first copy of the SYN with which a proxy began this try. */
export function synOf(
  file: CaseFile,
  sighting: Sighting,
  one: UpstreamTry,
  backend: string,
  answer: SynAnswer,
): SentSyn | undefined {
  const tap = file.tap(sighting.host);
  if (tap === undefined || one.to === undefined) return undefined;
  const [address, port] = one.to.split(':');
  const startedNs = file.fromUnixMs(startOf(sighting, one));
  const toNs = file.fromUnixMs(one.endedAt) + LOG_SLACK_NS;
  const bounds = { fromNs: startedNs - LOG_SLACK_NS, toNs };
  const to = { address: ipToNumber(address), port: Number(port) };
  const row =
    ownSyn(tap, one, to, bounds) ?? file.upstream(sighting.host).nearestSyn(one, to, answer, startedNs, bounds);
  if (row === undefined) return undefined;
  const sequence = tap.table.isn[row];
  const [, second] = tap.syns(sequence, { outgoing: true });
  return {
    host: sighting.host,
    sequence,
    fromNs: tap.timeNs(row),
    toNs: second === undefined ? toNs : tap.timeNs(second),
    target: backend,
  };
}

/** The first SYN from the address and port that the proxy's log names for this try. */
function ownSyn(
  tap: TapIndex,
  { from }: UpstreamTry,
  to: { address: number; port: number },
  bounds: Bounds,
): number | undefined {
  if (from === undefined) return undefined;
  const [address, port] = from.split(':');
  const [first] = tap.between(ipToNumber(address), Number(port), to.address, to.port, TcpFlag.syn, {
    ...bounds,
    outgoing: true,
  });
  return first;
}
