/** Tells whether a gateway had forgotten a connection: its own connection table says when the entry went. */
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
  const opened = openingRow(file, row);
  if (opened === undefined || out.localPort[row] === 0) return undefined;
  const to = traffic.clients[out.client[row]].targets[out.target[row]];
  const destination = `${to.address}:${to.port}`;
  const addresses = file.host(client).interfaces.flatMap((attached) => attached.addresses);
  const sources = new Set(addresses.map((address) => `${address}:${out.localPort[row]}`));
  for (const gateway of file.gatewaysFrom(client).flat()) {
    const events = file.observations.conntrack[gateway.name]?.events ?? [];
    const gone = events.findIndex(
      (event) =>
        event.type === 'destroy' &&
        sources.has(event.source) &&
        event.destination === destination &&
        event.timeNs > out.connectedNs[opened] &&
        event.timeNs < out.doneNs[row] + CLOCK_SLACK_NS,
    );
    if (gone < 0) continue;
    const taken = events
      .slice(gone)
      .find((event) => event.type === 'new' && sources.has(event.source) && event.destination === destination);
    const state = events[gone].state === undefined ? '' : ` in state ${events[gone].state}`;
    return {
      cause: 'mapping-expired',
      at: gateway.node,
      evidence: [
        `${gateway.name}: conntrack DESTROY of ${events[gone].source} as ${events[gone].translated}${state} at ${(events[gone].timeNs / 1e9).toFixed(3)} s, while the connection to ${target} was open`,
        ...(taken === undefined ? [] : [`${gateway.name}: taken up again in mid-stream as ${taken.translated}`]),
      ],
    };
  }
  return undefined;
}

/** The row whose request opened the connection that carried this row. */
function openingRow(file: CaseFile, row: number): number | undefined {
  const { outcomes: out } = file;
  const first = Math.floor(row / out.steps) * out.steps;
  // A kept connection serves one visitor; a pooled one is known by its number alone.
  for (let candidate = row; candidate >= first; candidate--) {
    if (out.connection[candidate] === out.connection[row] && !Number.isNaN(out.connectNs[candidate])) return candidate;
  }
  for (let candidate = 0; candidate < out.rows; candidate++) {
    if (out.connection[candidate] === out.connection[row] && !Number.isNaN(out.connectNs[candidate])) return candidate;
  }
  return undefined;
}
