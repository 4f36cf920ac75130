/** One request's way, put together from what taps, tables and logs saw: the same packets on every host, before and after translation. */
import { describe, expect, it } from 'vitest';
import { keptWays, waysOf } from '../../src/ledger/kept-ways.js';
import { ledgerOf } from '../../src/ledger/ledger.js';
import { wayOf } from '../../src/ledger/way.js';
import { ClientError, outcomes, RequestState } from '../../src/traffic/outcomes.js';
import {
  BALANCER,
  BALANCER_BACK,
  BUYERS,
  behindGateway,
  behindProxy,
  caseOf,
  EDGE,
  MS,
  observed,
  outcomesOf,
  SHOP,
  SHOPS,
  STARTED_AT,
  sighting,
  tableEvent,
  tapOf,
  upstreamTry,
} from './hand-made.js';

const ISN = 4_000_000_000;

describe('through a gateway', () => {
  const at = { from: `${BUYERS}:40001`, to: SHOP, isn: ISN };
  const as = { from: `${EDGE}:20007`, to: SHOP, isn: ISN };
  const back = { from: SHOP, to: `${EDGE}:20007`, isn: ISN };
  const home = { from: SHOP, to: `${BUYERS}:40001`, isn: ISN };

  it('a lost SYN ends where it never left, with every copy of it', () => {
    const seen = observed({
      taps: [
        tapOf('buyers', [
          { ms: 10, way: 'out', kind: 'syn', ...at },
          { ms: 1010, way: 'out', kind: 'syn', ...at },
        ]),
        tapOf('edge', [
          { ms: 11, way: 'in', kind: 'syn', ...at },
          { ms: 1011, way: 'in', kind: 'syn', ...at },
        ]),
        tapOf('shop', []),
      ],
      forwarded: { edge: new Set([`${BUYERS}:${ISN}`]) },
    });
    const requests = outcomesOf([
      [{ state: 'dropped', error: ClientError.connectTimeout, connect: 10, done: 2010, localPort: 40001 }],
    ]);
    expect(wayOf(caseOf(behindGateway(), seen, requests), 0)).toEqual({
      id: 'r.0.0',
      tries: [
        {
          number: 1,
          leg: {
            isn: ISN,
            from: 'buyers',
            to: 'shop',
            hops: [
              { host: 'buyers', out: [at.from, SHOP], synOut: [10, 1010] },
              { host: 'edge', in: [at.from, SHOP], synIn: [11, 1011], forwarded: true },
            ],
          },
        },
      ],
    });
  });

  it('a connection that came about shows its translation, its answer, and the end of its entry', () => {
    const seen = observed({
      taps: [
        tapOf('buyers', [
          { ms: 10, way: 'out', kind: 'syn', ...at },
          { ms: 14, way: 'in', kind: 'syn-ack', ...home },
          { ms: 900, way: 'in', kind: 'abort', ...home },
        ]),
        tapOf('edge', [
          { ms: 11, way: 'in', kind: 'syn', ...at },
          { ms: 11.5, way: 'out', kind: 'syn', ...as },
          { ms: 13, way: 'in', kind: 'syn-ack', ...back },
          { ms: 13.5, way: 'out', kind: 'syn-ack', ...home },
        ]),
        tapOf('shop', [
          { ms: 12, way: 'in', kind: 'syn', ...as },
          { ms: 12.5, way: 'out', kind: 'syn-ack', ...back },
        ]),
      ],
      conntrack: {
        edge: {
          host: 'edge',
          events: [tableEvent(11.4, 'new', 40001, 20007), tableEvent(800, 'destroy', 40001, 20007)],
          overruns: 0,
        },
      },
      sightings: [sighting('shop', 'r.0.0', [15, 20], { status: 200, peer: as.from })],
    });
    const requests = outcomesOf([
      [
        { state: 'completed', connect: 10, connected: 14, done: 21, localPort: 40001, status: 200 },
        { state: 'dropped', error: ClientError.reset, done: 900, localPort: 40001, connection: 0 },
      ],
    ]);
    const file = caseOf(behindGateway(), seen, requests);
    const [first] = wayOf(file, 0).tries;
    expect(first.leg?.hops[1]).toEqual({
      host: 'edge',
      in: [at.from, SHOP],
      out: [as.from, SHOP],
      synIn: [11],
      synOut: [11.5],
      answerIn: [13],
      answerOut: [13.5],
      table: [[11.4, 'new', as.from, 'ESTABLISHED']],
    });
    expect(first.visit).toMatchObject({ host: 'shop', startedMs: 15, endedMs: 20, status: 200, peer: as.from });
    // The second request came on the same connection, whose entry had gone by then.
    const [second] = wayOf(file, 1).tries;
    expect(second.openedBy).toBe('r.0.0');
    expect(second.leg?.hops[0].resets).toEqual([[900, 'in', 'back']]);
    expect(second.leg?.hops[1].table?.at(-1)).toEqual([800, 'destroy', as.from, 'ESTABLISHED']);
  });

  it('an engine that does not know its local port is told it by whoever took the connection', () => {
    const seen = observed({
      taps: [
        tapOf('buyers', [{ ms: 10, way: 'out', kind: 'syn', ...at }]),
        tapOf('edge', [
          { ms: 11, way: 'in', kind: 'syn', ...at },
          { ms: 11.5, way: 'out', kind: 'syn', ...as },
        ]),
        tapOf('shop', [{ ms: 12, way: 'in', kind: 'syn', ...as }]),
      ],
      sightings: [sighting('shop', 'r.0.0', [15, 20], { status: 200, peer: as.from })],
    });
    const requests = outcomesOf([[{ state: 'completed', connect: 10, connected: 14, done: 21, localPort: 0 }]]);
    const [{ leg }] = wayOf(caseOf(behindGateway(), seen, requests), 0).tries;
    expect(leg?.hops.map(({ host, out }) => [host, out?.[0]])).toEqual([
      ['buyers', at.from],
      ['edge', as.from],
      ['shop', undefined],
    ]);
  });
});

describe('through a proxy', () => {
  const front = { from: `${BUYERS}:40001`, to: BALANCER, isn: ISN };
  const upstream = { from: `${BALANCER_BACK}:50001`, to: SHOPS[0], isn: ISN + 5 };

  it('both connections are told, the second by the port that the backend saw', () => {
    const seen = observed({
      taps: [
        tapOf('buyers', [{ ms: 10, way: 'out', kind: 'syn', ...front }]),
        tapOf('balancer', [
          { ms: 10.1, way: 'in', kind: 'syn', ...front },
          { ms: 12, way: 'out', kind: 'syn', ...upstream },
        ]),
        tapOf('shop[0]', [{ ms: 12.1, way: 'in', kind: 'syn', ...upstream }]),
      ],
      sightings: [
        sighting('balancer', 'r.0.0', [11, 30], {
          status: 200,
          peer: front.from,
          tries: [upstreamTry(29, 'answered')],
        }),
        sighting('shop[0]', 'r.0.0', [14, 28], { status: 200, peer: upstream.from }),
      ],
    });
    const requests = outcomesOf([[{ state: 'completed', connect: 10, connected: 11, done: 31, localPort: 40001 }]]);
    const [{ visit }] = wayOf(caseOf(behindProxy(), seen, requests), 0).tries;
    expect(visit?.host).toBe('balancer');
    const [one] = visit?.tries ?? [];
    expect(one).toMatchObject({ host: 'shop[0]', to: SHOPS[0], result: 'answered', endedMs: 29 });
    expect(one.leg?.hops.map(({ host }) => host)).toEqual(['balancer', 'shop[0]']);
    expect(one.leg?.hops[0].out).toEqual([upstream.from, SHOPS[0]]);
    expect(one.visit).toMatchObject({ host: 'shop[0]', status: 200 });
  });

  it('a try without a port has no connection, and the next one is told apart from it', () => {
    const seen = observed({
      taps: [
        tapOf('buyers', [{ ms: 10, way: 'out', kind: 'syn', ...front }]),
        tapOf('balancer', [{ ms: 10.1, way: 'in', kind: 'syn', ...front }]),
      ],
      sightings: [
        sighting('balancer', 'r.0.0', [11, 13], {
          peer: front.from,
          tries: [
            upstreamTry(12, 'no-local-port'),
            { ...upstreamTry(13, 'no-live-backend', undefined), to: undefined },
          ],
        }),
      ],
    });
    const requests = outcomesOf([
      [
        {
          state: 'dropped',
          error: ClientError.status,
          status: 502,
          connect: 10,
          connected: 11,
          done: 14,
          localPort: 40001,
        },
      ],
    ]);
    const [{ visit }] = wayOf(caseOf(behindProxy(), seen, requests), 0).tries;
    expect(visit?.tries.map(({ result, leg, startedMs }) => ({ result, leg, startedMs }))).toEqual([
      { result: 'no-local-port', leg: undefined, startedMs: 11 },
      { result: 'no-live-backend', leg: undefined, startedMs: 12 },
    ]);
  });
});

describe('which ways a record keeps', () => {
  it('all that were lost, and of 30,000 completed requests those of every third visitor', () => {
    const requests = outcomes(30_000, 1);
    requests.state.fill(RequestState.completed);
    requests.synRetransmits.fill(0);
    requests.state[7] = RequestState.dropped;
    requests.error[7] = ClientError.syscall;
    requests.errno[7] = 99;
    requests.dueNs.fill(5 * MS);
    const file = caseOf(behindGateway(), observed({ startedAtMs: STARTED_AT }), requests);
    const ledger = ledgerOf(file);
    expect(keptWays(requests, ledger)).toEqual({ lostEvery: 1, visitorsEvery: 3 });
    const ids = [...waysOf(file, ledger)].map(({ id }) => id);
    expect(ids).toHaveLength(10_001);
    expect(ids.slice(0, 5)).toEqual(['r.0.0', 'r.3.0', 'r.6.0', 'r.7.0', 'r.9.0']);
  });
});
