/** Events as evidence: a gateway that was off, and what a loss is told with. */
import { describe, expect, it } from 'vitest';
import { switchedOff, withEvents } from '../../src/ledger/chain-events.js';
import { fateOfSyn } from '../../src/ledger/syn-fate.js';
import type { ChainEvent } from '../../src/observe/observations.js';
import { BUYERS, behindGateway, caseOf, EDGE, MS, observed, SHOP, tapOf } from './hand-made.js';

const event = (ms: number, kind: ChainEvent['kinds'][number], host: string): ChainEvent => ({
  plannedNs: ms * MS,
  startedNs: ms * MS,
  tookMs: 10,
  text: `${kind} ${host}`,
  kinds: [kind],
  hosts: [host],
  outcome: 'done',
});
const events = [event(1000, 'kill', 'edge'), event(1500, 'kill', 'shop'), event(2000, 'restart', 'edge')];
const file = caseOf(behindGateway(), observed({ events }));
const offBetween = (fromMs: number, toMs: number) =>
  switchedOff(file, 'edge', { fromNs: fromMs * MS, toNs: toMs * MS });

describe('a gateway that an event switched off', () => {
  it('was off until the event that switched it on had ended', () => {
    expect(offBetween(0, 900)).toBeUndefined();
    expect(offBetween(900, 1100)).toMatchObject({ cause: 'unreachable', at: 'edge' });
    expect(offBetween(1900, 3000)?.evidence).toEqual(['edge: switched off at 1.000 s until 2.010 s, by an event']);
    expect(offBetween(2100, 3000)).toBeUndefined();
  });

  it('swallows SYNs that enter it, and answers on their way back', () => {
    const isn = 1000;
    const syn = (ms: number, way: 'in' | 'out', from: string) => ({
      ms,
      way,
      from,
      to: SHOP,
      kind: 'syn' as const,
      isn,
    });
    const answer = (ms: number, way: 'in' | 'out') => ({
      ms,
      way,
      from: SHOP,
      to: `${EDGE}:20000`,
      kind: 'syn-ack' as const,
      isn,
    });
    const inside = `${BUYERS}:30000`;
    const fate = (edge: Parameters<typeof tapOf>[1], shop: Parameters<typeof tapOf>[1]) => {
      const taps = [tapOf('buyers', [syn(1100, 'out', inside)]), tapOf('edge', edge), tapOf('shop', shop)];
      const sent = { host: 'buyers', sequence: isn, fromNs: 1100 * MS, toNs: 1800 * MS, target: 'shop' };
      return fateOfSyn(caseOf(behindGateway(), observed({ taps, events })), sent);
    };
    const entered = syn(1100.1, 'in', inside);
    expect(fate([entered], [])).toMatchObject({ cause: 'unreachable', at: 'edge' });
    const left = syn(1100.2, 'out', `${EDGE}:20000`);
    const arrived = syn(1100.3, 'in', `${EDGE}:20000`);
    const back = [answer(1100.4, 'out')];
    expect(fate([entered, left, answer(1100.5, 'in')], [arrived, ...back])).toMatchObject({
      cause: 'unreachable',
      at: 'edge',
    });
  });
});

describe('a loss', () => {
  const refused = { cause: 'refused', at: 'shop', evidence: ['answered by RST'] } as const;

  it('is told with what had been done to its node by then', () => {
    const verdict = withEvents(file, { ...refused, evidence: [...refused.evidence] }, 1600 * MS);
    expect(verdict.evidence).toEqual(['answered by RST', 'event at 1.500 s: kill shop']);
    expect(withEvents(file, { ...refused, evidence: [] }, 1400 * MS).evidence).toEqual([]);
  });

  it('is told with what had been done to the node of its root', () => {
    const because = { cause: 'refused', at: 'shop' } as const;
    const heldDown = withEvents(file, { cause: 'backend-held-down', at: 'buyers', because, evidence: [] }, 1600 * MS);
    expect(heldDown.evidence).toEqual(['event at 1.500 s: kill shop']);
  });
});
