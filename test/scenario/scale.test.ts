/** A variant under another load: as many visitors as were asked for, and judged when the chain is as full as it gets. */
import { describe, expect, it } from 'vitest';
import { parseScenario } from '../../src/scenario/parse.js';
import { type Load, scaleVariant, visitorsOf } from '../../src/scenario/scale.js';
import { arrivalTimes } from '../../src/traffic/schedule.js';

const variantOf = (traffic: string) =>
  parseScenario(
    `name: office
topology:
  buyers: { kind: client, to: shop }
  shop: { kind: fixed }
traffic:
  from: buyers
  ${traffic}
events: [{ at: 1s, restart: shop }]
`,
    'office.yaml',
    {},
    () => '',
  ).variants[0];

const HOLD = 'journey: hold\n  holdFor: 2s\n  arrivals: [{ for: 1s, rate: 50/s..150/s }, { for: 4s, rate: 150/s }]';
const load = (of: Load['of'], changes: Partial<Load> = {}): Load => ({
  of,
  forMs: undefined,
  process: undefined,
  ...changes,
});

function arrivals({ variant }: ReturnType<typeof scaleVariant>) {
  return [...arrivalTimes(variant.traffic.arrivals, variant.traffic.process, 1)].map((ns) => ns / 1e6);
}

describe('a rate', () => {
  it('is steady through the part that is judged, exact in number', () => {
    const scaled = scaleVariant(variantOf(HOLD), load('rate'), 100);
    const { fromMs, toMs } = scaled.judged;
    expect(arrivals(scaled).filter((ms) => ms >= fromMs && ms < toMs)).toHaveLength(((toMs - fromMs) / 1000) * 100);
  });

  it('is judged once what is held is taken and given back, and for several times that long', () => {
    const { judged, lastsMs } = scaleVariant(variantOf(HOLD), load('rate'), 100);
    expect(judged).toEqual({ fromMs: 3000, toMs: 11_000 });
    expect(lastsMs).toBe(11_000);
    expect(scaleVariant(variantOf(HOLD), load('rate', { forMs: 20_000 }), 100).judged.toMs).toBe(23_000);
  });

  it("leaves out events, whose times are those of the scenario's own burst", () => {
    expect(scaleVariant(variantOf(HOLD), load('rate'), 100).variant.events).toEqual([]);
  });
});

describe('connections', () => {
  it('are held all at once, past the time-out of the last one', () => {
    const scaled = scaleVariant(
      variantOf('journey: view-event\n  arrivals: [{ for: 1s, rate: 5/s }]'),
      load('connections'),
      1200,
    );
    const { traffic } = scaled.variant;
    const times = arrivals(scaled);
    expect(times).toHaveLength(1200);
    expect(traffic.journey).toBe('hold');
    expect(traffic.holdForMs).toBeGreaterThanOrEqual(times.at(-1)! + traffic.timeout.connectMs);
  });
});

describe('visitors', () => {
  it('come as the scenario has them, only more', () => {
    const variant = variantOf(HOLD);
    const { variant: scaled } = scaleVariant(variant, load('visitors'), 1400);
    expect(visitorsOf(variant.traffic)).toBe(700);
    expect(visitorsOf(scaled.traffic)).toBe(1400);
    expect(scaled.traffic.process).toBe('poisson');
    expect(scaled.events).toEqual(variant.events);
  });
});
