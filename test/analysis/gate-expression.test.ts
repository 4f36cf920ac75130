import { describe, expect, it } from 'vitest';
import { GateSyntaxError, nodesNamed, parseGate } from '../../src/analysis/gate-expression.js';

describe('a gate', () => {
  it.each([
    ['dropped == 0', { kind: 'dropped' }, '==', 0, 'count'],
    ['dropped.ports-exhausted@edge > 0', { kind: 'dropped', cause: 'ports-exhausted', at: 'edge' }, '>', 0, 'count'],
    ['dropped@my-shop<=3', { kind: 'dropped', at: 'my-shop' }, '<=', 3, 'count'],
    [
      'rooted.ports-exhausted@balancer == 10',
      { kind: 'rooted', cause: 'ports-exhausted', at: 'balancer' },
      '==',
      10,
      'count',
    ],
    ['delayed.time-wait-collision != 0', { kind: 'delayed', cause: 'time-wait-collision' }, '!=', 0, 'count'],
    ['droppedShare < 1%', { kind: 'droppedShare' }, '<', 0.01, 'share'],
    ['due >= 3000', { kind: 'due' }, '>=', 3000, 'count'],
    ['attempts > 900', { kind: 'attempts' }, '>', 900, 'count'],
    ['completed == 500', { kind: 'completed' }, '==', 500, 'count'],
    ['tickets.sold >= 5000', { kind: 'tickets.sold' }, '>=', 5000, 'count'],
    ['throughput >= 900/s', { kind: 'throughput' }, '>=', 900, 'per-second'],
    ['throughput >= 600/m', { kind: 'throughput' }, '>=', 10, 'per-second'],
    ['latency.response.p99 < 250ms', { kind: 'latency', which: 'response', stat: 'p99' }, '<', 250, 'ms'],
    ['latency.connect.mean < 1.5s', { kind: 'latency', which: 'connect', stat: 'mean' }, '<', 1500, 'ms'],
    ['latency.connect.p50 < 250us', { kind: 'latency', which: 'connect', stat: 'p50' }, '<', 0.25, 'ms'],
    ['ports.edge-1.peak < 80%', { kind: 'ports', node: 'edge-1' }, '<', 0.8, 'share'],
    ['ports.edge.peak <= 400', { kind: 'ports', node: 'edge' }, '<=', 400, 'count'],
    ['attack.mallory.held > 300', { kind: 'attack', node: 'mallory', what: 'held' }, '>', 300, 'count'],
    ['  dropped  ==  0  ', { kind: 'dropped' }, '==', 0, 'count'],
  ])('%s', (text, metric, operator, value, unit) => {
    expect(parseGate(text)).toEqual({ metric, operator, value, unit });
  });

  it('reads 0.7% as the very number that 7 of 1000 is', () => {
    expect(parseGate('droppedShare <= 0.7%')).toMatchObject({ value: 7 / 1000 });
  });

  it.each([
    ['dropped <= baseline', { kind: 'dropped' }, '<=', 'count', { amount: 0 }],
    ['tickets.sold == baseline', { kind: 'tickets.sold' }, '==', 'count', { amount: 0 }],
    [
      'latency.response.p99 <= baseline + 10%',
      { kind: 'latency', which: 'response', stat: 'p99' },
      '<=',
      'ms',
      { share: 0.1 },
    ],
    [
      'latency.connect.p99<baseline+250us',
      { kind: 'latency', which: 'connect', stat: 'p99' },
      '<',
      'ms',
      { amount: 0.25 },
    ],
    ['tickets.sold >= baseline - 1%', { kind: 'tickets.sold' }, '>=', 'count', { share: -0.01 }],
    ['tickets.sold >= baseline-20', { kind: 'tickets.sold' }, '>=', 'count', { amount: -20 }],
    ['attempts <= baseline + 150%', { kind: 'attempts' }, '<=', 'count', { share: 1.5 }],
    ['throughput > baseline - 60/m', { kind: 'throughput' }, '>', 'per-second', { amount: -1 }],
    ['droppedShare <= baseline + 0.7pp', { kind: 'droppedShare' }, '<=', 'share', { amount: 0.007 }],
    ['droppedShare <= baseline + 10%', { kind: 'droppedShare' }, '<=', 'share', { share: 0.1 }],
    ['ports.edge.peak <= baseline + 20', { kind: 'ports', node: 'edge' }, '<=', 'count', { amount: 20 }],
    ['ports.edge.peak <= baseline + 5pp', { kind: 'ports', node: 'edge' }, '<=', 'share', { amount: 0.05 }],
    ['ports.edge.peak <= baseline + 5%', { kind: 'ports', node: 'edge' }, '<=', 'count', { share: 0.05 }],
  ])('%s', (text, metric, operator, unit, margin) => {
    expect(parseGate(text)).toEqual({ metric, operator, unit, margin });
  });

  it('names its nodes', () => {
    expect(nodesNamed(parseGate('dropped@edge == 0'))).toEqual(['edge']);
    expect(nodesNamed(parseGate('ports.shop.peak < 5'))).toEqual(['shop']);
    expect(nodesNamed(parseGate('attack.mallory.open == 1'))).toEqual(['mallory']);
    expect(nodesNamed(parseGate('dropped == 0'))).toEqual([]);
  });
});

describe('a gate that is wrong says where, and what would be right', () => {
  it.each([
    ['', 1, /"dropped == 0"/],
    ['attack.mallory.helt > 3', 16, /one of attempts, connected/],
    ['attack.mallory > 3', 15, /one of attempts, connected/],
    ['drops == 0', 1, /did you mean dropped\?/],
    ['droppedshare < 1%', 1, /did you mean droppedShare\?/],
    ['tickets.solt == 0', 1, /did you mean tickets.sold\?/],
    ['dropped', 8, /==/],
    ['dropped 0', 9, /one of ==/],
    ['dropped = 0', 9, /write ==/],
    ['dropped => 0', 9, /write >=/],
    ['dropped <> 0', 9, /write !=/],
    ['dropped ==', 11, /bare number/],
    ['dropped == many', 12, /bare number/],
    ['dropped == -1', 12, /0 or more/],
    ['dropped == 5 apples', 14, /no unit "apples"/],
    ['dropped == 0 && completed > 3', 14, /&& completed/],
    ['dropped == 5%', 12, /bare number/],
    ['dropped.port-exhausted == 0', 9, /did you mean dropped.ports-exhausted\?/],
    ['dropped.nonsense == 0', 9, /one of ports-exhausted/],
    ['dropped. == 0', 9, /needs a cause/],
    ['dropped@ == 0', 9, /name is missing/],
    ['dropped@a@b == 0', 10, /one @node/],
    ['dropped@shop[1] == 0', 9, /write shop/],
    ['rooted == 0', 7, /rooted.ports-exhausted/],
    ['completed.x == 0', 10, /stands alone/],
    ['latency < 2ms', 8, /latency.connect/],
    ['latency.total.p99 < 2ms', 9, /latency.connect/],
    ['latency.response < 2ms', 17, /p50, p90/],
    ['latency.response.p95 < 2ms', 18, /p50, p90/],
    ['latency.response.p99 < 250', 24, /latencies need a unit: 250ms/],
    ['latency.response.p99 < 5 sec', 26, /250ms/],
    ['latency.response.p99 < 5ms and more', 28, /write two gates/],
    ['throughput > 900', 14, /900\/s/],
    ['droppedShare < 1', 16, /1%/],
    ['droppedShare < 101%', 16, /more than 100%/],
    ['ports.edge < 5', 1, /ports.edge.peak/],
    ['ports.edge.mean < 5', 12, /ports.edge.peak/],
    ['ports.edge.peak < 5ms', 19, /400 or 80%/],
    ['ports.edge.peak < 5pp', 19, /400 or 80%/],
    ['droppedShare < 5pp', 16, /1%/],
    ['dropped <= basline', 12, /did you mean baseline\?/],
    ['dropped <= base-line', 12, /bare number/],
    ['dropped <= baseline 10%', 21, /\+ or - behind baseline.*baseline \+ 10%/],
    ['dropped <= baseline * 1.1', 21, /\+ or - behind baseline/],
    ['dropped <= baseline +', 22, /10% of the baseline, or a bare number/],
    ['dropped <= baseline + 5ms', 23, /10% of the baseline, or a bare number/],
    ['dropped <= baseline + 5 apples', 25, /no unit "apples"/],
    ['dropped <= baseline + 5% or so', 26, /write two gates/],
    ['dropped <= baseline + -5', 23, /0 or more/],
    ['dropped != baseline', 9, /write <= or >=/],
    ['dropped == baseline + 5%', 21, /says no side/],
    ['latency.response.p99 <= baseline + 5', 36, /10% of the baseline, or a time: 5ms/],
    ['throughput >= baseline - 5ms', 26, /a rate: 20\/s/],
    ['tickets.sold >= baseline - 101%', 28, /less than nothing/],
    ['droppedShare <= baseline + 1', 28, /percentage points: 0.5pp/],
  ])('%j', (text, column, words) => {
    let thrown: unknown;
    try {
      parseGate(text);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(GateSyntaxError);
    const error = thrown as GateSyntaxError;
    expect({ column: error.column, words: `${error.message}; ${error.hint}` }).toEqual({
      column,
      words: expect.stringMatching(words),
    });
  });
});
