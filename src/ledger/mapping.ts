/** Tells whether a gateway had forgotten a connection: its own connection table says when the entry went. */
import type { UpstreamTry } from '../nodes/kind.js';
import type { ConntrackEvent } from '../observe/observations.js';
import { secondsOfNs } from '../seconds.js';
import { ipToNumber } from '../sys/ip.js';
import type { CaseFile } from './case-file.js';
import type { Verdict } from './causes.js';

/** The table's event and the packet that caused it carry different clocks' stamps. */
const CLOCK_SLACK_NS = 5e6;

/**
 * The gateway between this row's client and its target that destroyed the connection's entry before its answer came.
 * Expiry is lazy: the entry may go only at the moment when the late packet arrives.
 */
export function expiredMapping(file: CaseFile, row: number, client: string, target: string): Verdict | undefined {
  const { outcomes: out, traffic } = file;
  const opened = file.openingRow(out.connection[row]);
  if (opened === undefined || out.localPort[row] === 0) return undefined;
  const to = traffic.clients[out.client[row]].targets[out.target[row]];
  const destination = `${to.address}:${to.port}`;
  const addresses = file.host(client).interfaces.flatMap((attached) => attached.addresses);
  // What the next gateway sees as the connection's source.
  let sources = addresses.map((address) => `${address}:${out.localPort[row]}`);
  for (const gateway of file.gatewaysFrom(client).flat()) {
    const events = sources
      .flatMap((source) => file.tableEvents(gateway.name, source))
      .filter((event) => event.destination === destination);
    const entered = events.findLast(({ type, timeNs }) => type === 'new' && timeNs < out.connectedNs[opened]);
    if (entered !== undefined) sources = [entered.translated];
    const gone = events.findIndex(
      (event) =>
        event.type === 'destroy' &&
        event.timeNs > out.connectedNs[opened] &&
        event.timeNs < out.doneNs[row] + CLOCK_SLACK_NS,
    );
    if (gone < 0) continue;
    const taken = events.slice(gone).find((event) => event.type === 'new');
    if (isHarmless(events[gone], taken, out.lastTryNs[row])) continue;
    const state = events[gone].state === undefined ? '' : ` in state ${events[gone].state}`;
    return {
      cause: 'mapping-expired',
      at: gateway.node,
      evidence: [
        `${gateway.name}: conntrack DESTROY of ${events[gone].source} as ${events[gone].translated}${state} at ${secondsOfNs(events[gone].timeNs)}, while the connection to ${target} was open`,
        ...(taken === undefined ? [] : [`${gateway.name}: taken up again in mid-stream as ${taken.translated}`]),
      ],
    };
  }
  return undefined;
}

/** A request that finds no entry is at the gateway within this time; its repetition comes later (TCP_RTO_MIN is 200 ms). */
const TAKING_UP_NS = 100e6;

/**
 * Taken up again in mid-stream under the same address and port, as a firewall does it, by the request itself or one before it:
 * nobody has noticed anything. Forgotten while an answer was under way, the answer found no way back.
 */
function isHarmless(gone: ConntrackEvent, taken: ConntrackEvent | undefined, sentNs: number): boolean {
  return (
    taken !== undefined &&
    taken.translated === gone.translated &&
    taken.destination === gone.destination &&
    taken.timeNs < sentNs + TAKING_UP_NS
  );
}

/** A proxy opens a connection at once when a try begins; its log has whole milliseconds. */
const OPENING_NS = 10e6;

/**
 * The gateway behind a proxy that had dropped an open connection's entry, when this try was sent on a connection kept from before.
 * Its backend must not have seen the request. A proxy does not log its local port: of several entries the last one before stands for all.
 */
export function expiredUpstream(
  file: CaseFile,
  proxy: string,
  one: UpstreamTry,
  startedMs: number,
): Verdict | undefined {
  const gateways = file.gatewaysFrom(proxy).flat();
  if (one.to === undefined || gateways.length === 0) return undefined;
  const [address, port] = one.to.split(':');
  const [startedNs, endedNs] = [startedMs, one.endedAt].map(file.fromUnixMs);
  const around = { fromNs: startedNs - OPENING_NS, toNs: startedNs + OPENING_NS };
  if (file.upstream(proxy).opened({ address: ipToNumber(address), port: Number(port) }, around)) return undefined;
  for (const gateway of gateways) {
    const gone = file.forgotten(gateway.name, one.to).findLast((event) => {
      if (event.timeNs >= endedNs + CLOCK_SLACK_NS) return false;
      const later = file.tableEvents(gateway.name, event.source).filter(({ timeNs }) => timeNs >= event.timeNs);
      const taken = later.find(({ type }) => type === 'new');
      return !isHarmless(event, taken, startedNs);
    });
    if (gone === undefined) continue;
    return {
      cause: 'mapping-expired',
      at: gateway.node,
      evidence: [
        `${proxy}: sent it on a connection that it had kept`,
        `${gateway.name}: conntrack DESTROY of ${gone.source} as ${gone.translated} in state ESTABLISHED at ${secondsOfNs(gone.timeNs)}`,
      ],
    };
  }
  return undefined;
}
