/** Whether the connection of a proxy's try stood, where its log leaves that open: the SYN that left when the try began tells. */
import type { Sighting, UpstreamTry } from '../nodes/kind.js';
import { ipToNumber } from '../sys/ip.js';
import type { CaseFile } from './case-file.js';

/** How far a try and its SYN may be apart: the log is written a little after the fact, and a busy machine takes its time. */
const SLACK_NS = 50e6;

/** The try as one that was still connecting, or as one that waited for an answer, with the time that its handshake took. */
export function settledTry(file: CaseFile, sighting: Sighting, one: UpstreamTry & { startedAt: number }): UpstreamTry {
  const [address, port] = one.to!.split(':');
  // It had no connection while it waited for its turn.
  const waitedMs = sighting.queuedAt === one.startedAt ? (sighting.queuedMs ?? 0) : 0;
  const atNs = file.fromUnixMs(one.startedAt + waitedMs);
  const bounds = { fromNs: atNs - SLACK_NS, toNs: atNs + SLACK_NS };
  const to = { address: ipToNumber(address), port: Number(port) };
  const ns = file.upstream(sighting.host).handshakeNs(to, atNs, bounds);
  if (ns === Number.POSITIVE_INFINITY) return { ...one, result: 'connect-timeout' };
  return { ...one, result: 'response-timeout', ...(ns === undefined ? {} : { connectMs: ns / 1e6 }) };
}
