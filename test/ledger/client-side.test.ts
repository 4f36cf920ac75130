/** The whole ledger from what a client saw: errno, time-outs, statuses, and what becomes of them with the other evidence. */
import { describe, expect, it } from 'vitest';
import { keepLedger } from '../../src/ledger/ledger.js';
import type { Observations } from '../../src/observe/observations.js';
import type { Plan } from '../../src/topology/plan.js';
import { ClientError } from '../../src/traffic/outcomes.js';
import {
  BALANCER,
  BUYERS,
  behindGateway,
  behindProxy,
  EDGE,
  observed,
  outcomesOf,
  type Packet,
  type Row,
  SHOP,
  STARTED_AT,
  sighting,
  tableEvent,
  tapOf,
  trafficOf,
  upstreamTry,
} from './hand-made.js';

const keep = (plan: Plan, rows: Row[][], seen: Observations = observed({})) =>
  keepLedger(plan, trafficOf(plan), outcomesOf(rows), seen);
const dropped = (changes: Partial<Row>): Row => ({ state: 'dropped', connect: 0, done: 2000, ...changes });

describe('a connect() that failed at once', () => {
  it.each([
    [99, 'ports-exhausted'],
    [98, 'ports-exhausted'],
    [24, 'file-limit'],
    [113, 'unreachable'],
    [101, 'unreachable'],
    [12, 'unattributed'],
  ] as const)('with errno %i is %s at the client', (errno, cause) => {
    const { lost } = keep(behindGateway(), [[dropped({ error: ClientError.syscall, errno })]]);
    expect(lost.get(0)).toMatchObject({ cause, at: 'buyers' });
  });
});

describe('a handshake that did not finish', () => {
  const timedOut = dropped({ error: ClientError.connectTimeout, errno: 110, localPort: 30_000 });
  const syn = (ms: number, way: 'in' | 'out', isn: number, from = `${BUYERS}:30000`): Packet => ({
    ms,
    way,
    from,
    to: SHOP,
    kind: 'syn',
    isn,
  });
  const edge = { counters: { edge: { 'conntrack.insert_failed': 2 } }, forwarded: { edge: null } };

  it('is followed by the SYN of its own time, not by an older one of the same port', () => {
    const requests = [[dropped({ ...timedOut, connect: 5000, done: 7000 })]];
    const taps = [
      tapOf('buyers', [syn(10, 'out', 1), syn(5000.1, 'out', 2), syn(6000.1, 'out', 2)]),
      tapOf('edge', [
        syn(10.1, 'in', 1),
        syn(10.1, 'out', 1, `${EDGE}:20000`),
        syn(5000.2, 'in', 2),
        syn(6000.2, 'in', 2),
      ]),
      tapOf('shop', []),
    ];
    const { lost } = keep(behindGateway(), requests, observed({ taps, ...edge }));
    expect(lost.get(0)).toMatchObject({ cause: 'ports-exhausted', at: 'edge' });
    expect(lost.get(0)?.evidence).toContain('buyers: 2 SYNs in all');
  });

  it('is decided by whichever copy tells a cause', () => {
    const taps = [
      tapOf('buyers', [syn(0.1, 'out', 1), syn(1000.1, 'out', 1)]),
      tapOf('edge', [syn(1000.2, 'in', 1)]),
      tapOf('shop', []),
    ];
    const { lost } = keep(behindGateway(), [[timedOut]], observed({ taps, ...edge }));
    expect(lost.get(0)).toMatchObject({ cause: 'ports-exhausted', at: 'edge' });
  });

  it('is unattributed where no SYN left, unless the link is set to lose packets', () => {
    const seen = observed({ taps: [tapOf('buyers', [])] });
    expect(keep(behindGateway(), [[timedOut]], seen).lost.get(0)).toMatchObject({
      cause: 'unattributed',
      at: 'buyers',
    });
    expect(keep(behindGateway(['buyers']), [[timedOut]], seen).lost.get(0)).toMatchObject({ cause: 'lost' });
  });

  it('is a queue-timeout at the client where no connection of its pool became free', () => {
    const waiting = dropped({ error: ClientError.connectTimeout, connect: Number.NaN, connection: -1 });
    expect(keep(behindGateway(['buyers']), [[waiting]]).lost.get(0)).toMatchObject({
      cause: 'queue-timeout',
      at: 'buyers',
    });
  });

  it('is refused by what the client was told, where its engine does not know the port', () => {
    const refused = dropped({ error: ClientError.connectFailed, errno: 111 });
    expect(keep(behindGateway(), [[refused]]).lost.get(0)).toMatchObject({ cause: 'refused', at: 'shop' });
  });

  it('is refused by what the client was told, where its SYN arrived and no tap has seen the reset', () => {
    const first = { from: `${BUYERS}:30000`, to: BALANCER, kind: 'syn', isn: 1 } as const;
    const taps = [
      tapOf('buyers', [{ ...first, ms: 0.1, way: 'out' }]),
      tapOf('balancer', [{ ...first, ms: 0.2, way: 'in' }]),
    ];
    const told = (errno: number) => {
      const row = dropped({ error: ClientError.connectFailed, errno, localPort: 30_000, done: 1 });
      return keep(behindProxy(), [[row]], observed({ taps })).lost.get(0);
    };
    expect(told(111)).toMatchObject({ cause: 'refused', at: 'balancer' });
    expect(told(110)).toMatchObject({ cause: 'unattributed', at: 'balancer' });
  });

  it('is refused by a reset that its tap saw a moment after the sender`s clock', () => {
    const first = { from: `${BUYERS}:30000`, to: BALANCER, kind: 'syn', isn: 1 } as const;
    const reset: Packet = { ms: 1.2, way: 'out', from: BALANCER, to: `${BUYERS}:30000`, kind: 'refusal', isn: 1 };
    const taps = [
      tapOf('buyers', [{ ...first, ms: 0.1, way: 'out' }]),
      tapOf('balancer', [{ ...first, ms: 0.2, way: 'in' }, reset]),
    ];
    const row = dropped({ error: ClientError.connectFailed, errno: 111, localPort: 30_000, done: 1 });
    expect(keep(behindProxy(), [[row]], observed({ taps })).lost.get(0)?.evidence).toContain(
      'balancer: answered by RST, nothing listens there',
    );
  });

  it('because its answer was followed by a reset at once is a reset at the target', () => {
    const [client, target] = [`${BUYERS}:30000`, BALANCER];
    const first = { from: client, to: target, kind: 'syn', isn: 1 } as const;
    const answer: Packet = { ms: 0.2, way: 'out', from: target, to: client, kind: 'syn-ack', isn: 1 };
    const taps = [
      tapOf('buyers', [
        { ...first, ms: 0.1, way: 'out' },
        { ...answer, ms: 0.3, way: 'in' },
      ]),
      tapOf('balancer', [{ ...first, ms: 0.2, way: 'in' }, answer]),
    ];
    const reset = dropped({ error: ClientError.connectFailed, errno: 104, localPort: 30_000, done: 1 });
    const verdict = keep(behindProxy(), [[reset]], observed({ taps })).lost.get(0);
    expect(verdict).toMatchObject({ cause: 'reset', at: 'balancer' });
    expect(verdict?.evidence[0]).toBe('buyers: ECONNRESET before the whole answer');
  });
});

describe('an answer that did not come', () => {
  const connected = { connected: 1, localPort: 30_000 };
  const late = dropped({ ...connected, error: ClientError.responseTimeout });

  it('from a proxy whose backend took too long is a response-timeout at the backend', () => {
    const tries = [upstreamTry(1990, 'response-timeout')];
    const sightings = [sighting('balancer', 'r.0.0', [1, 1990], { status: 499, tries })];
    expect(keep(behindProxy(), [[late]], observed({ sightings })).lost.get(0)).toMatchObject({
      cause: 'response-timeout',
      at: 'shop',
    });
  });

  it('from a target that never read the request is a response-timeout there', () => {
    expect(keep(behindProxy(), [[late]]).lost.get(0)).toMatchObject({ cause: 'response-timeout', at: 'balancer' });
  });

  it('because the last ACK met a full accept queue is accept-queue-full', () => {
    const [client, target] = [`${BUYERS}:30000`, BALANCER];
    const answer = (ms: number): Packet => ({ ms, way: 'out', from: target, to: client, kind: 'syn-ack', isn: 1 });
    const syn = { from: client, to: target, kind: 'syn', isn: 1 } as const;
    const seen = observed({
      taps: [
        tapOf('buyers', [{ ...syn, ms: 0, way: 'out' }]),
        tapOf('balancer', [{ ...syn, ms: 0.1, way: 'in' }, answer(0.2), answer(1000.2)]),
      ],
      counters: { balancer: { 'TcpExt.ListenOverflows': 2 } },
    });
    expect(keep(behindProxy(), [[late]], seen).lost.get(0)).toMatchObject({
      cause: 'accept-queue-full',
      at: 'balancer',
    });

    // A second request on that connection was not kept out by its handshake: the first one was answered.
    const visit: Row[] = [
      { state: 'completed', connect: 0, ...connected, done: 1500 },
      { state: 'dropped', error: ClientError.responseTimeout, localPort: 30_000, done: 9000 },
    ];
    expect(keep(behindProxy(), [visit], seen).lost.get(1)).toMatchObject({ cause: 'response-timeout', at: 'balancer' });
  });

  it('because the gateway had forgotten the connection is mapping-expired', () => {
    const visit: Row[] = [
      { state: 'completed', connect: 0, ...connected, done: 20 },
      { state: 'dropped', error: ClientError.responseTimeout, localPort: 30_000, done: 9000 },
    ];
    const events = [tableEvent(0.1, 'new', 30_000, 20_000), tableEvent(4000, 'destroy', 30_000, 20_000)];
    const seen = observed({ conntrack: { edge: { host: 'edge', events, overruns: 0 } } });
    expect(keep(behindGateway(), [visit], seen).lost.get(1)).toMatchObject({ cause: 'mapping-expired', at: 'edge' });
  });

  it('because the connection broke is reset at its other end', () => {
    const reset = dropped({ ...connected, error: ClientError.reset, errno: 104 });
    expect(keep(behindProxy(), [[reset]]).lost.get(0)).toMatchObject({ cause: 'reset', at: 'balancer' });
  });

  it('because a proxy ended the connection and took its client for gone is reset at the proxy, not at its backend', () => {
    const closed = dropped({ ...connected, error: ClientError.closedEarly });
    const tries = [upstreamTry(1990, 'no-answer')];
    const sightings = [sighting('balancer', 'r.0.0', [1, 1990], { status: 499, tries })];
    expect(keep(behindProxy(), [[closed]], observed({ sightings })).lost.get(0)).toMatchObject({
      cause: 'reset',
      at: 'balancer',
    });
  });

  it('because of trouble that the target logged without a request is that trouble', () => {
    const closed = dropped({ ...connected, error: ClientError.closedEarly });
    const incidents = [
      { host: 'balancer', at: STARTED_AT + 1999, cause: 'connection-limit', evidence: 'not enough' } as const,
    ];
    expect(keep(behindProxy(), [[closed]], observed({ incidents })).lost.get(0)).toMatchObject({
      cause: 'connection-limit',
      at: 'balancer',
    });
  });
});

describe('an answer that is no success', () => {
  const answered = (status: number) => dropped({ connected: 1, error: ClientError.status, status });

  it('goes back through the proxy to the port that was missing', () => {
    const sightings = [sighting('balancer', 'r.0.0', [1, 1990], { tries: [upstreamTry(1990, 'no-local-port')] })];
    expect(keep(behindProxy(), [[answered(502)]], observed({ sightings })).lost.get(0)).toMatchObject({
      cause: 'ports-exhausted',
      at: 'balancer',
    });
  });

  it('of a server is an http-error, of a proxy that logged nothing unattributed, and 429 throttled', () => {
    expect(keep(behindGateway(), [[answered(503)]]).lost.get(0)).toMatchObject({ cause: 'http-error', at: 'shop' });
    expect(keep(behindProxy(), [[answered(502)]]).lost.get(0)).toMatchObject({ cause: 'unattributed' });
    expect(keep(behindProxy(), [[answered(429)]]).lost.get(0)).toMatchObject({ cause: 'throttled', at: 'balancer' });
  });
});

describe('the ledger', () => {
  it('has one verdict for every dropped request and none for the others', () => {
    const failed = dropped({ error: ClientError.syscall, errno: 99 });
    const { lost, delayed } = keep(behindGateway(), [
      [{ state: 'completed', connect: 0, connected: 1, done: 5 }],
      [failed],
      [failed],
    ]);
    expect([...lost.keys()]).toEqual([1, 2]);
    expect(delayed.size).toBe(0);
  });

  it('names the cause of the delay of a request that completed by a repeated SYN', () => {
    const row: Row = {
      state: 'completed',
      connect: 0,
      connected: 1001,
      done: 1010,
      localPort: 30_000,
      synRetransmits: 1,
    };
    const [inside, outside] = [`${BUYERS}:30000`, `${EDGE}:20000`];
    const syn = { to: SHOP, kind: 'syn', isn: 1 } as const;
    const answer = { from: SHOP, kind: 'syn-ack', isn: 1 } as const;
    const seen = observed({
      taps: [
        tapOf('buyers', [
          { ...syn, ms: 0, way: 'out', from: inside },
          { ...syn, ms: 1000, way: 'out', from: inside },
          { ...answer, ms: 1000.9, way: 'in', to: inside },
        ]),
        tapOf('edge', [
          { ...syn, ms: 0.1, way: 'in', from: inside },
          { ...syn, ms: 1000.1, way: 'in', from: inside },
          { ...syn, ms: 1000.2, way: 'out', from: outside },
          { ...answer, ms: 1000.8, way: 'in', to: outside },
        ]),
        tapOf('shop', [
          { ...syn, ms: 1000.3, way: 'in', from: outside },
          { ...answer, ms: 1000.4, way: 'out', to: outside },
        ]),
      ],
      counters: { edge: { 'conntrack.insert_failed': 1 } },
    });
    const { lost, delayed } = keep(behindGateway(), [[row]], seen);
    expect(lost.size).toBe(0);
    expect(delayed.get(0)).toMatchObject({ cause: 'ports-exhausted', at: 'edge' });
  });
});
