/** What the taps saw of a SYN, and the cause and place that follow from it. */
import { describe, expect, it } from 'vitest';
import type { Cause } from '../../src/ledger/causes.js';
import { fateOfSyn } from '../../src/ledger/syn-fate.js';
import type { Observations, TapTable } from '../../src/observe/observations.js';
import type { Plan } from '../../src/topology/plan.js';
import { BUYERS, behindGateway, caseOf, EDGE, MS, observed, type Packet, SHOP, tapOf } from './hand-made.js';

const ISN = 1000;
const INSIDE = `${BUYERS}:30000`;
const OUTSIDE = `${EDGE}:20000`;
type Hop = 'buyers' | 'edge' | 'shop';

const segment = (ms: number, way: 'in' | 'out', from: string, to: string, kind: Packet['kind']): Packet => ({
  ms,
  way,
  from,
  to,
  kind,
  isn: ISN,
});

/** The packets of a SYN sent at `ms` that came as far as `last` says, at every hop. */
function synUpTo(ms: number, last: 'buyers' | 'edge-in' | 'edge-out' | 'shop'): Record<Hop, Packet[]> {
  const depth = ['buyers', 'edge-in', 'edge-out', 'shop'].indexOf(last);
  const inside = (at: number, way: 'in' | 'out') => segment(at, way, INSIDE, SHOP, 'syn');
  const outside = (at: number, way: 'in' | 'out') => segment(at, way, OUTSIDE, SHOP, 'syn');
  return {
    buyers: [inside(ms, 'out')],
    edge: [...(depth >= 1 ? [inside(ms + 0.1, 'in')] : []), ...(depth >= 2 ? [outside(ms + 0.2, 'out')] : [])],
    shop: depth >= 3 ? [outside(ms + 0.3, 'in')] : [],
  };
}

/** The packets of the shop's SYN+ACK sent at `ms` that came as far as `last` says. */
function answerUpTo(ms: number, last: 'shop' | 'edge' | 'buyers'): Record<Hop, Packet[]> {
  const depth = ['shop', 'edge', 'buyers'].indexOf(last);
  return {
    shop: [segment(ms, 'out', SHOP, OUTSIDE, 'syn-ack')],
    edge: depth >= 1 ? [segment(ms + 0.1, 'in', SHOP, OUTSIDE, 'syn-ack')] : [],
    buyers: depth >= 2 ? [segment(ms + 0.2, 'in', SHOP, INSIDE, 'syn-ack')] : [],
  };
}

const tapsOf = (...parts: Record<Hop, Packet[]>[]): TapTable[] =>
  (['buyers', 'edge', 'shop'] as const).map((host) =>
    tapOf(
      host,
      parts.flatMap((part) => part[host]).toSorted((a, b) => a.ms - b.ms),
    ),
  );

/** The fate of the copy that left at `fromMs`, while the next one left, or the client gave up, at `toMs`. */
function fate(seen: Observations, { plan = behindGateway(), fromMs = 0, toMs = 3000 }: Partial<Asked> = {}) {
  const syn = { host: 'buyers', sequence: ISN, fromNs: fromMs * MS, toNs: toMs * MS, target: 'shop' };
  return fateOfSyn(caseOf(plan, seen), syn);
}
interface Asked {
  plan: Plan;
  fromMs: number;
  toMs: number;
}

describe('a SYN that a gateway swallowed', () => {
  const taps = tapsOf(synUpTo(0, 'edge-in'));
  const full = { edge: { 'conntrack.insert_failed': 5 } };

  it('behind the forward chain found no port: ports-exhausted at the gateway', () => {
    const forwarded = { edge: new Set([`${BUYERS}:${ISN}`]) };
    const verdict = fate(observed({ taps, forwarded, counters: full }));
    expect(verdict).toMatchObject({ cause: 'ports-exhausted', at: 'edge' });
    expect(verdict?.evidence.join('\n')).toMatch(/reached the forward chain and never left\n.*insert_failed \+5/);
  });

  it('before the forward chain met a full table: conntrack-full', () => {
    const counters = { edge: { 'conntrack.drop': 3, 'conntrack.insert_failed': 5 } };
    const verdict = fate(observed({ taps, forwarded: { edge: new Set(['198.18.0.9:1000']) }, counters }));
    expect(verdict).toMatchObject({ cause: 'conntrack-full', at: 'edge' });
  });

  it('by a rule or limit of its own met that one, though the table was full and short of ports as well', () => {
    const refused = (cause: Cause, rule: string, isn: number) => ({ cause, rule, syns: new Set([`${BUYERS}:${isn}`]) });
    const refusedSyns = {
      edge: [
        refused('filtered', 'rules[0]: drop port 22', 7),
        refused('connection-limit', 'connectionsPerSource: 20', ISN),
      ],
    };
    const counters = { edge: { 'conntrack.drop': 3, 'conntrack.insert_failed': 5 } };
    const verdict = fate(observed({ taps, forwarded: { edge: new Set() }, refusedSyns, counters }));
    expect(verdict).toMatchObject({ cause: 'connection-limit', at: 'edge' });
    expect(verdict?.evidence.at(-1)).toBe(`edge: it entered from ${BUYERS} and met connectionsPerSource: 20`);
  });

  it('before the forward chain of a firewall met its full table as it would at a NAT gateway', () => {
    const plan = behindGateway();
    const firewall = {
      ...plan,
      hosts: plan.hosts.map((host) => ({ ...host, kind: host.kind.replace('nat', 'firewall') })),
    };
    const counters = { edge: { 'conntrack.drop': 3 } };
    const seen = observed({ taps, forwarded: { edge: new Set() }, refusedSyns: { edge: [] }, counters });
    expect(fate(seen, { plan: firewall })).toMatchObject({ cause: 'conntrack-full', at: 'edge' });
  });

  it('is told by the counter where the forward chain was not watched', () => {
    expect(fate(observed({ taps, forwarded: { edge: null }, counters: full }))).toMatchObject({
      cause: 'ports-exhausted',
      at: 'edge',
    });
  });

  it('is told by the counter alone where the forward set was full and does not have it', () => {
    const noted = new Set([`${BUYERS}:${ISN}`]);
    const fateOf = (edge: Set<string>, counters: Record<string, number>) =>
      fate(observed({ taps, forwarded: { edge }, full: ['edge'], counters: { edge: counters } }));
    const both = { 'conntrack.drop': 8, 'conntrack.insert_failed': 5 };
    expect(fateOf(noted, both)).toMatchObject({ cause: 'ports-exhausted', at: 'edge' });
    const others = new Set(['198.18.0.9:1000']);
    // The kernel counts a SYN that found no port as dropped as well.
    const exhausted = fateOf(others, { 'conntrack.insert_failed': 5, 'conntrack.drop': 5, 'conntrack.early_drop': 1 });
    expect(exhausted).toMatchObject({ cause: 'ports-exhausted', at: 'edge' });
    expect(exhausted?.evidence.join('\n')).not.toMatch(/forward chain/);
    expect(fateOf(others, { 'conntrack.drop': 3 })).toMatchObject({ cause: 'conntrack-full', at: 'edge' });
    expect(fateOf(others, both)).toMatchObject({ cause: 'unattributed', at: 'edge' });
  });

  it('is unattributed where no counter moved, whether it reached the chain or not', () => {
    for (const edge of [new Set<string>(), new Set([`${BUYERS}:${ISN}`])])
      expect(fate(observed({ taps, forwarded: { edge } }))).toMatchObject({ cause: 'unattributed', at: 'edge' });
  });

  it('is judged by its own packet: the next copy, which got through, does not excuse it', () => {
    const seen = observed({
      taps: tapsOf(synUpTo(0, 'edge-in'), synUpTo(1000, 'shop'), answerUpTo(1000.4, 'buyers')),
      forwarded: { edge: new Set([`${BUYERS}:${ISN}`]) },
      counters: full,
    });
    expect(fate(seen, { toMs: 1000 })).toMatchObject({ cause: 'ports-exhausted', at: 'edge' });
    expect(fate(seen, { fromMs: 1000, toMs: 1001 })).toBeUndefined();
  });
});

describe('a SYN that a link swallowed', () => {
  it.each([
    ['buyers', synUpTo(0, 'buyers')],
    ['edge', synUpTo(0, 'edge-out')],
  ] as const)('is lost at %s, where that link is set to lose packets', (at, packets) => {
    expect(fate(observed({ taps: tapsOf(packets) }), { plan: behindGateway([at]) })).toMatchObject({
      cause: 'lost',
      at,
    });
  });

  it('is not lost where only another link is set to lose packets', () => {
    const verdict = fate(observed({ taps: tapsOf(synUpTo(0, 'buyers')) }), { plan: behindGateway(['edge']) });
    expect(verdict).toMatchObject({ cause: 'unattributed', at: 'buyers' });
    expect(verdict?.evidence.at(-1)).toBe('no link between them is set to lose packets');
  });

  it('is unattributed where the taps have holes, and says how many', () => {
    const taps = [...tapsOf(synUpTo(0, 'buyers')).slice(0, 1), tapOf('edge', [], 40), tapOf('shop', [], 2)];
    const verdict = fate(observed({ taps }));
    expect(verdict).toMatchObject({ cause: 'unattributed', at: 'buyers' });
    expect(verdict?.evidence.at(-1)).toBe('the taps missed 42 packets');
  });

  it('is lost although its next copy came through just after', () => {
    const taps = tapsOf(synUpTo(0, 'buyers'), synUpTo(1000, 'shop'), answerUpTo(1000.4, 'buyers'));
    const counters = { edge: { 'conntrack.insert_failed': 5 }, shop: { 'TcpExt.ListenOverflows': 5 } };
    expect(fate(observed({ taps, counters }), { plan: behindGateway(['buyers']), toMs: 1000 })).toMatchObject({
      cause: 'lost',
      at: 'buyers',
    });
    const behind = tapsOf(synUpTo(0, 'edge-out'), synUpTo(1000, 'shop'), answerUpTo(1000.4, 'buyers'));
    expect(fate(observed({ taps: behind, counters }), { plan: behindGateway(['edge']), toMs: 1000 })).toMatchObject({
      cause: 'lost',
      at: 'edge',
    });
  });
});

describe('a SYN+ACK that did not come back', () => {
  it.each([
    ['edge', answerUpTo(0.4, 'shop')],
    ['buyers', answerUpTo(0.4, 'edge')],
  ] as const)('is lost on the link of %s, the hop it never reached', (at, answer) => {
    const taps = tapsOf(synUpTo(0, 'shop'), answer);
    expect(fate(observed({ taps }), { plan: behindGateway([at]) })).toMatchObject({ cause: 'lost', at });
    expect(fate(observed({ taps }))).toMatchObject({ cause: 'unattributed', at });
  });

  it('is lost although the target repeated it and that one came back', () => {
    const late = answerUpTo(1000.4, 'buyers');
    const taps = tapsOf(synUpTo(0, 'shop'), answerUpTo(0.4, 'edge'), late);
    const verdict = fate(observed({ taps }), { plan: behindGateway(['buyers']), toMs: 900 });
    expect(verdict).toMatchObject({ cause: 'lost', at: 'buyers' });
    // The sender's next copy left at the same moment as the repetition.
    expect(fate(observed({ taps }), { plan: behindGateway(['buyers']), toMs: 1001 })).toMatchObject({ cause: 'lost' });
  });

  it('is none of a SYN whose answer did', () => {
    const taps = tapsOf(synUpTo(0, 'shop'), answerUpTo(0.4, 'buyers'));
    expect(fate(observed({ taps }), { plan: behindGateway(['buyers', 'edge']) })).toBeUndefined();
  });
});

describe('a SYN that arrived', () => {
  const arrived = synUpTo(0, 'shop');
  const nothing = { buyers: [], edge: [] };

  it('and was answered by RST is refused', () => {
    const taps = tapsOf(arrived, { ...nothing, shop: [segment(0.4, 'out', SHOP, OUTSIDE, 'refusal')] });
    const counters = { shop: { 'TcpExt.ListenOverflows': 9 } };
    expect(fate(observed({ taps, counters }))).toMatchObject({ cause: 'refused', at: 'shop' });
  });

  it('and was not answered met a full accept queue, where the kernel counted overflows', () => {
    const counters = { shop: { 'TcpExt.ListenOverflows': 9 } };
    const verdict = fate(observed({ taps: tapsOf(arrived), counters }));
    expect(verdict).toMatchObject({ cause: 'accept-queue-full', at: 'shop' });
    expect(verdict?.evidence.at(-1)).toBe('shop: TcpExt ListenOverflows +9');
  });

  it('and whose sender then reset the old connection of these ports is a time-wait-collision', () => {
    const taps = tapsOf(arrived, { ...nothing, shop: [segment(0.5, 'in', OUTSIDE, SHOP, 'abort')] });
    const counters = { shop: { 'TcpExt.PAWSTimewait': 1, 'TcpExt.ListenOverflows': 9 } };
    expect(fate(observed({ taps, counters }))).toMatchObject({ cause: 'time-wait-collision', at: 'shop' });
  });

  it('is no time-wait-collision when the RST belongs to another port', () => {
    const taps = tapsOf(arrived, { ...nothing, shop: [segment(0.5, 'in', `${EDGE}:20001`, SHOP, 'abort')] });
    expect(fate(observed({ taps }))).toMatchObject({ cause: 'unattributed', at: 'shop' });
  });

  it('and was not answered is unattributed where no counter says why', () => {
    const verdict = fate(observed({ taps: tapsOf(arrived) }));
    expect(verdict).toMatchObject({ cause: 'unattributed', at: 'shop' });
    expect(verdict?.evidence.at(-1)).toBe('shop: no SYN+ACK left, no counter says why');
  });

  it('is unattributed where the target has no tap', () => {
    const taps = tapsOf(arrived).filter(({ host }) => host !== 'shop');
    expect(fate(observed({ taps }))).toMatchObject({ cause: 'unattributed', at: 'shop' });
  });
});
