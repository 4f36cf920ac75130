import { describe, expect, it } from 'vitest';
import { aftershocksOf } from '../../src/ledger/aftershocks.js';
import type { Verdict } from '../../src/ledger/causes.js';
import { proxyTriesOf } from '../../src/ledger/proxy-tries.js';
import { behindProxy, MS, outcomesOf, sighting, upstreamTry } from './hand-made.js';

const quake = { cause: 'ports-exhausted', at: 'balancer' } as const;
const refusal = (quakeMs: number | undefined): Verdict => ({
  cause: 'backend-held-down',
  at: 'balancer',
  because: quake,
  ...(quakeMs === undefined ? {} : { quakeNs: quakeMs * MS }),
  evidence: [],
});

/** Refusals at these times, ms, each after its quake. */
function shocks(refusals: [atMs: number, quakeMs: number | undefined][]) {
  const requests = outcomesOf(refusals.map(([done]) => [{ state: 'dropped', done }]));
  return aftershocksOf(new Map(refusals.map(([, quakeMs], row) => [row, refusal(quakeMs)])), requests);
}

describe('an aftershock', () => {
  it('begins with the failure it follows from and lasts to the last request lost to it', () => {
    expect(
      shocks([
        [600, 500],
        [9800, 500],
        [5000, 500],
      ]),
    ).toEqual([{ at: 'balancer', because: quake, beganMs: 500, lastedMs: 9300, count: 3 }]);
  });

  it('ends when the proxy tries again; what fails then begins another one', () => {
    expect(
      shocks([
        [600, 500],
        [700, 500],
        [12_100, 12_000],
      ]).map(({ beganMs, count }) => [beganMs, count]),
    ).toEqual([
      [500, 2],
      [12_000, 1],
    ]);
  });

  it('is one time when several workers and backends fail one by one', () => {
    expect(
      shocks([
        [600, 500],
        [800, 750],
        [900, 880],
      ]),
    ).toHaveLength(1);
  });

  it('begins with the first refusal where no log tells of the failure', () => {
    expect(shocks([[600, undefined]])).toEqual([
      { at: 'balancer', because: quake, beganMs: 600, lastedMs: 0, count: 1 },
    ]);
  });

  it('is none where nothing was held down', () => {
    const requests = outcomesOf([[{ state: 'dropped', done: 5 }]]);
    expect(aftershocksOf(new Map([[0, { ...quake, evidence: [] }]]), requests)).toEqual([]);
  });
});

it('tries of proxies are counted without refusals and without their own checks', () => {
  const seen = [
    sighting('balancer', 'r.0.0', [1, 2], { tries: [upstreamTry(1, 'no-local-port'), upstreamTry(2, 'answered')] }),
    sighting('balancer', 'r.1.0', [1, 2], { tries: [upstreamTry(2, 'no-live-backend')] }),
    sighting('balancer', 'health check of shop[0]', [1, 2], { tries: [upstreamTry(2, 'refused')] }),
    sighting('shop[0]', 'r.0.0', [1, 2]),
  ];
  expect(proxyTriesOf(behindProxy(), seen)).toEqual({ balancer: { requests: 1, tries: 2, failed: 1 } });
});
