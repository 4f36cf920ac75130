/**
 * Which SYNs a ledger will ask for, told beforehand: of a million connections few were lost or late, and an index of those alone takes
 * a fraction of the memory and the time of one of all. Who asks for another one – of a
 * proxy, or of an engine that does not know its ports – still gets it, from an index of all (`tap-index.ts`).
 */
import { timeAt } from '../observe/narrow.js';
import { OUTGOING, type TapTable, TcpFlag } from '../observe/observations.js';
import type { TrafficPlan } from '../traffic/engine.js';
import type { Outcomes } from '../traffic/outcomes.js';
import { isAskedFor } from './asked-for.js';
import { type RoughSet, roughSet } from './rough-set.js';

const NS_PER_SECOND = 1e9;
/** One number for a client, its port and a second; others share it now and then. */
const momentOf = (client: number, port: number, ns: number) =>
  (Math.floor(ns / NS_PER_SECOND) << 16) ^ port ^ Math.imul(client, 0x85eb_ca6b);

/** Initial sequence numbers of the SYNs by which the rows that are asked for were opened, as far as engines know their ports and clients have taps. */
export function expectedSyns(
  { clients }: TrafficPlan,
  outcomes: Outcomes,
  openerOf: (connection: number) => number | undefined,
  tapOf: (host: string) => TapTable | undefined,
): RoughSet {
  const moments = roughSet();
  for (let row = 0; row < outcomes.rows; row++) {
    if (!isAskedFor(outcomes, row) || outcomes.connection[row] < 0) continue;
    const opener = Number.isNaN(outcomes.connectNs[row]) ? openerOf(outcomes.connection[row]) : row;
    if (opener === undefined) continue;
    const client = outcomes.client[opener];
    // A SYN leaves right after connect(), in this second or in the next.
    for (const second of [0, NS_PER_SECOND])
      moments.add(momentOf(client, outcomes.localPort[opener], outcomes.connectNs[opener] + second));
  }
  const expected = roughSet();
  clients.forEach(({ host }, client) => {
    const tap = tapOf(host);
    if (tap === undefined) return;
    for (let row = 0; row < tap.length; row++) {
      if ((tap.flags[row] & (OUTGOING | TcpFlag.syn | TcpFlag.ack)) !== (OUTGOING | TcpFlag.syn)) continue;
      if (moments.has(momentOf(client, tap.sourcePort[row], timeAt(tap.times, row)))) expected.add(tap.isn[row]);
    }
  });
  return expected;
}
