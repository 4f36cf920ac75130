/** What a proxy's and its backends' logs say of a request, and the cause, place and root that follow from it. */
import { describe, expect, it } from 'vitest';
import { verdictOfLateUpstream, verdictOfQueue, verdictOfSighting } from '../../src/ledger/proxy-side.js';
import type { Sighting } from '../../src/nodes/kind.js';
import {
  BALANCER_BACK,
  behindProxy,
  caseOf,
  observed,
  type Packet,
  SHOPS,
  STARTED_AT,
  sighting,
  tapOf,
  upstreamTry,
} from './hand-made.js';

type Seen = Parameters<typeof observed>[0];

function verdict(one: Sighting, seen: Seen = {}) {
  const file = caseOf(behindProxy(), observed({ ...seen, sightings: [...(seen.sightings ?? []), one] }));
  return verdictOfSighting(file, one);
}
const failed = (...tries: Sighting['tries']) => sighting('balancer', 'r.0.0', [100, 200], { tries });

describe("a proxy's own log line", () => {
  it.each([
    ['no-local-port', 'ports-exhausted'],
    ['connection-limit', 'connection-limit'],
    ['file-limit', 'file-limit'],
    ['queue-timeout', 'queue-timeout'],
    ['unreachable', 'unreachable'],
  ] as const)('of %s is %s at the proxy', (result, cause) => {
    expect(verdict(failed(upstreamTry(200, result)))).toEqual({
      cause,
      at: 'balancer',
      evidence: [`balancer: try: ${result}`],
    });
  });

  it('of a refusal by its own setting is what that setting is', () => {
    const refusal = { cause: 'connection-limit', evidence: 'worker_connections are not enough' } as const;
    expect(verdict(sighting('balancer', 'r.0.0', [100, 100], { refusal }))).toMatchObject({
      cause: 'connection-limit',
      at: 'balancer',
    });
  });

  it('of an answer without any try is its own: 429 throttled, 5xx an http-error, anything else unattributed', () => {
    expect(verdict(sighting('balancer', 'r.0.0', [100, 100], { status: 429 }))).toMatchObject({
      cause: 'throttled',
      at: 'balancer',
    });
    expect(verdict(failed())).toMatchObject({ cause: 'http-error', at: 'balancer' });
    expect(verdict({ ...failed(), status: 499 })).toMatchObject({ cause: 'unattributed', at: 'balancer' });
  });

  it('of several tries counts by the last one', () => {
    const tries = [upstreamTry(150, 'no-local-port'), upstreamTry(200, 'refused', SHOPS[1])];
    expect(verdict(failed(...tries))).toMatchObject({ cause: 'refused', at: 'shop' });
  });
});

describe('a backend', () => {
  it('that refused is where it was refused', () => {
    expect(verdict(failed(upstreamTry(200, 'refused')))).toMatchObject({ cause: 'refused', at: 'shop' });
  });

  it('that took too long is a response-timeout there, not at the proxy', () => {
    expect(verdict(failed(upstreamTry(200, 'response-timeout')))).toMatchObject({
      cause: 'response-timeout',
      at: 'shop',
    });
  });

  it('that answered 5xx is an http-error, by its own log where it has the request', () => {
    const one = failed(upstreamTry(200, 'answered'));
    const own = sighting('shop[0]', 'r.0.0', [120, 190], { status: 500, evidence: 'shop: 500' });
    expect(verdict(one, { sightings: [own] })).toEqual({
      cause: 'http-error',
      at: 'shop',
      evidence: ['balancer: try: answered', 'shop[0]: shop: 500'],
    });
    expect(verdict(one)).toMatchObject({ cause: 'http-error', at: 'shop' });
  });

  it('that answered 429 throttles', () => {
    const one = { ...failed(upstreamTry(200, 'answered')), status: 429 };
    expect(verdict(one)).toMatchObject({ cause: 'throttled', at: 'shop' });
  });

  it('that broke the connection is reset there', () => {
    for (const result of ['reset', 'closed-early'] as const)
      expect(verdict(failed(upstreamTry(200, result)))).toMatchObject({ cause: 'reset', at: 'shop' });
  });

  it('that broke the connection while it logged trouble is that trouble, if it was then and there', () => {
    const incident = { host: 'shop[0]', at: STARTED_AT + 180, cause: 'file-limit', evidence: 'EMFILE' } as const;
    const one = failed(upstreamTry(200, 'reset'));
    expect(verdict(one, { incidents: [incident] })).toMatchObject({ cause: 'file-limit', at: 'shop' });
    for (const other of [
      { ...incident, at: STARTED_AT + 60_000 },
      { ...incident, host: 'shop[1]' },
    ])
      expect(verdict(one, { incidents: [other] })).toMatchObject({ cause: 'reset', at: 'shop' });
  });

  it('that answers late because its connection came late carries what kept the connection', () => {
    const tries = [{ ...upstreamTry(2100, 'response-timeout'), connectMs: 1001 }];
    const one = sighting('balancer', 'r.0.0', [100, 2100], { status: 499, tries });
    const [from, to] = [`${BALANCER_BACK}:40001`, SHOPS[0]];
    const syn = { from, to, kind: 'syn', isn: 2 } as const;
    const answer = { from: to, to: from, kind: 'syn-ack', isn: 2 } as const;
    const taps = [
      tapOf('balancer', [
        { ...syn, ms: 101, way: 'out' },
        { ...syn, ms: 1101, way: 'out' },
        { ...answer, ms: 1101.2, way: 'in' },
      ]),
      tapOf('shop[0]', [
        { ...syn, ms: 101.1, way: 'in' },
        { ...syn, ms: 1101.1, way: 'in' },
        { ...answer, ms: 1101.1, way: 'out' },
      ]),
    ];
    const counters = { 'shop[0]': { 'TcpExt.ListenOverflows': 4 } };
    expect(verdict(one, { taps, counters })).toMatchObject({
      cause: 'response-timeout',
      at: 'shop',
      because: { cause: 'accept-queue-full', at: 'shop' },
    });
    // Where most of the time was the backend's own, the late connection is not the reason.
    const slower = { ...one, endedAt: STARTED_AT + 9100, tries: [{ ...tries[0], endedAt: STARTED_AT + 9100 }] };
    expect(verdict(slower, { taps, counters }).because).toBeUndefined();
  });

  it('that was out of descriptors and never read the request is at that limit, one that read it at once is slow', () => {
    const tries = [{ ...upstreamTry(2100, 'response-timeout'), connectMs: 0 }];
    const one = sighting('balancer', 'r.0.0', [100, 2100], { status: 499, tries });
    const incidents = [{ host: 'shop[0]', at: STARTED_AT + 500, cause: 'file-limit', evidence: 'EMFILE' } as const];
    expect(verdict(one, { incidents })).toMatchObject({ cause: 'file-limit', at: 'shop' });
    const read = (ms: number) => [sighting('shop[0]', 'r.0.0', [ms, 2100], { status: 499 })];
    expect(verdict(one, { incidents, sightings: read(1900) })).toMatchObject({ cause: 'file-limit', at: 'shop' });
    expect(verdict(one, { incidents, sightings: read(101) })).toMatchObject({ cause: 'response-timeout', at: 'shop' });
  });

  it('that had not answered when the client left was still being connected to, or slow: its SYN tells', () => {
    const tries = [{ ...upstreamTry(1100, 'no-answer'), startedAt: STARTED_AT + 100 }];
    const one = sighting('balancer', 'r.0.0', [100, 1100], { status: 499, tries });
    const syn = { ms: 101, from: `${BALANCER_BACK}:5000`, to: SHOPS[0], kind: 'syn' as const, isn: 7 };
    const answer = { ms: 101.2, from: SHOPS[0], to: `${BALANCER_BACK}:5000`, kind: 'syn-ack' as const, isn: 7 };
    const atBoth = (packets: Packet[]) => [
      tapOf('balancer', packets),
      tapOf(
        'shop[0]',
        packets.map((packet) => ({ ...packet, way: packet.way === 'out' ? 'in' : 'out' })),
      ),
    ];
    const connected = atBoth([
      { ...syn, way: 'out' },
      { ...answer, way: 'in' },
    ]);
    expect(verdict(one, { taps: connected })).toMatchObject({ cause: 'response-timeout', at: 'shop' });
    const counters = { 'shop[0]': { 'TcpExt.ListenOverflows': 1 } };
    const unanswered = { taps: atBoth([{ ...syn, way: 'out' }]), counters };
    expect(verdict(one, unanswered)).toMatchObject({ cause: 'accept-queue-full', at: 'shop' });
    // It waited for its turn until long after that SYN, and had sent none of its own.
    const waited = { ...one, queuedAt: STARTED_AT + 100, queuedMs: 400 };
    expect(verdict(waited, unanswered)).toMatchObject({ cause: 'response-timeout', at: 'shop' });
  });

  it('that refused at a port that is not planned is told by its address', () => {
    expect(verdict(failed(upstreamTry(200, 'refused', '198.18.1.2:9')))).toMatchObject({
      cause: 'refused',
      at: 'shop',
    });
    expect(verdict(failed(upstreamTry(200, 'refused', '127.0.0.1:9')))).toMatchObject({ at: 'balancer' });
  });

  it('that the plan does not know is unattributed', () => {
    expect(verdict(failed(upstreamTry(200, 'refused', '198.18.9.9:80')))).toMatchObject({
      cause: 'unattributed',
      at: 'balancer',
    });
  });
});

describe("a proxy's queue", () => {
  const served = (queuedMs: number) =>
    sighting('balancer', 'r.0.0', [100, 100 + queuedMs + 300], {
      status: 200,
      queuedMs,
      tries: [upstreamTry(100 + queuedMs + 300, 'answered')],
    });
  const shop = sighting('shop[0]', 'r.0.0', [900, 1200], { status: 200 });
  /** The client asked at 100 ms and gave up at 1,100 ms. */
  const queued = (one: Sighting) => {
    const file = caseOf(behindProxy(), observed({ sightings: [one, shop] }));
    return verdictOfQueue(file, one, { askedNs: 100e6, leftNs: 1_100e6 });
  };

  it('in which a request stood when its client gave up is a queue-timeout there, though it was served later', () => {
    expect(queued(served(2000))).toMatchObject({ cause: 'queue-timeout', at: 'balancer' });
  });

  it('that took most of the time is what a late answer goes back to', () => {
    expect(queued(served(800))).toMatchObject({
      cause: 'response-timeout',
      at: 'shop',
      because: { cause: 'queue-timeout', at: 'balancer' },
    });
  });

  it('that took little of it is none', () => {
    expect(queued(served(200))).toBeUndefined();
    expect(queued({ ...served(0), queuedMs: undefined })).toBeUndefined();
  });
});

describe('backend-held-down', () => {
  const heldDown = (fromMs: number, toMs: number) =>
    sighting('balancer', 'r.9.0', [fromMs, toMs], { tries: [upstreamTry(toMs, 'no-live-backend', undefined)] });
  const quake = sighting('balancer', 'r.1.0', [900, 1000], { tries: [upstreamTry(1000, 'no-local-port')] });

  it('goes back to the failure before it, and names that request and its moment', () => {
    const verdictOfIt = verdict(heldDown(1500, 1501), { sightings: [quake] });
    expect(verdictOfIt).toMatchObject({
      cause: 'backend-held-down',
      at: 'balancer',
      because: { cause: 'ports-exhausted', at: 'balancer' },
    });
    expect(verdictOfIt.evidence.at(-1)).toMatch(/^follows request r\.1\.0 at 1\.000 s/);
  });

  it('goes back to the latest of several failures, not to a later one', () => {
    const refused = sighting('balancer', 'r.2.0', [1100, 1200], { tries: [upstreamTry(1200, 'refused', SHOPS[1])] });
    const after = sighting('balancer', 'r.3.0', [2000, 2100], { tries: [upstreamTry(2100, 'file-limit')] });
    expect(verdict(heldDown(1500, 1501), { sightings: [quake, refused, after] }).because).toEqual({
      cause: 'refused',
      at: 'shop',
    });
  });

  it('goes back to what the proxy says had its backend marked down, if it says so: a health check, in its own words', () => {
    const failing = { ...upstreamTry(1100, 'no-local-port'), markedDown: true };
    const check = sighting('balancer', 'health check of shop', [1100, 1100], { tries: [failing] });
    const slow = sighting('balancer', 'r.2.0', [100, 1200], { tries: [upstreamTry(1200, 'response-timeout')] });
    const found = verdict(heldDown(1500, 1501), { sightings: [check, slow] });
    expect(found.because).toEqual({ cause: 'ports-exhausted', at: 'balancer' });
    expect(found.evidence.at(-1)).toMatch(/^follows health check of shop at 1\.100 s/);
  });

  it('goes back to a failure of which it is known how, where there is one', () => {
    const repeated = sighting('balancer', 'r.2.0', [1100, 1200], {
      tries: [upstreamTry(1150, 'failed'), upstreamTry(1200, 'answered')],
    });
    expect(verdict(heldDown(1500, 1501), { sightings: [quake, repeated] }).because).toEqual({
      cause: 'ports-exhausted',
      at: 'balancer',
    });
  });

  it('goes back to no answered request and to no other held-down one', () => {
    const answered = sighting('balancer', 'r.2.0', [1100, 1200], { tries: [upstreamTry(1200, 'answered')] });
    const other = { ...heldDown(1300, 1301), id: 'r.4.0' };
    expect(verdict(heldDown(1500, 1501), { sightings: [answered, other] }).because).toBeUndefined();
  });

  it('is not the cause of a request that had a real failure itself', () => {
    const one = sighting('balancer', 'r.1.0', [900, 1000], {
      tries: [upstreamTry(1000, 'no-local-port'), upstreamTry(1000, 'no-live-backend', undefined)],
    });
    expect(verdict(one)).toMatchObject({ cause: 'ports-exhausted', at: 'balancer' });
    expect(verdict(one).because).toBeUndefined();
  });
});

describe("a proxy's SYN", () => {
  const packet = (ms: number, way: 'in' | 'out', kind: Packet['kind'], isn: number, port: number): Packet => {
    const ends = [`${BALANCER_BACK}:${port}`, SHOPS[0]];
    const [from, to] = kind === 'syn' ? ends : ends.toReversed();
    return { ms, way, from, to, kind, isn };
  };
  const answered = [packet(90, 'out', 'syn', 1, 40_000), packet(90.2, 'in', 'syn-ack', 1, 40_000)];
  const silent = [packet(101, 'out', 'syn', 2, 40_001), packet(1101, 'out', 'syn', 2, 40_001)];
  const later = [packet(2050, 'out', 'syn', 3, 40_002)];
  const overflows = { 'shop[0]': { 'TcpExt.ListenOverflows': 4 } };
  const timedOut = sighting('balancer', 'r.0.0', [100, 2100], { tries: [upstreamTry(2100, 'connect-timeout')] });

  it('that the backend did not answer in time is followed to the backend', () => {
    const taps = [
      tapOf('balancer', [...answered, ...silent, ...later]),
      tapOf('shop[0]', [packet(90.1, 'in', 'syn', 1, 40_000), packet(101.1, 'in', 'syn', 2, 40_001)]),
    ];
    const found = verdict(timedOut, { taps, counters: overflows });
    expect(found).toMatchObject({ cause: 'accept-queue-full', at: 'shop' });
    expect(found.evidence).toContain('balancer: SYN 2 sent at 0.101 s');
  });

  it('is the evidence of one request only, as long as there are others', () => {
    const twin = sighting('balancer', 'r.1.0', [100, 2100], { tries: [upstreamTry(2100, 'connect-timeout')] });
    const second = [packet(103, 'out', 'syn', 4, 40_003)];
    const taps = [tapOf('balancer', [...silent, ...second]), tapOf('shop[0]', [])];
    const file = caseOf(behindProxy(), observed({ taps, sightings: [timedOut, twin] }));
    const sent = [timedOut, twin, timedOut].map((one) => verdictOfSighting(file, one).evidence[1]);
    expect(sent).toEqual([2, 4, 2].map((isn) => expect.stringContaining(`SYN ${isn} sent`)));
  });

  it('is the one from the port that the log names', () => {
    const second = [packet(103, 'out', 'syn', 4, 40_003)];
    const taps = [tapOf('balancer', [...silent, ...second]), tapOf('shop[0]', [])];
    const [one] = timedOut.tries;
    const named = { ...timedOut, tries: [{ ...one, from: `${BALANCER_BACK}:40003` }] };
    expect(verdict(named, { taps }).evidence[1]).toContain('SYN 4 sent');
  });

  it('is unattributed where every one of that time was answered', () => {
    const taps = [tapOf('balancer', answered), tapOf('shop[0]', [])];
    expect(verdict(timedOut, { taps, counters: overflows })).toMatchObject({ cause: 'unattributed', at: 'balancer' });
  });

  it('that was answered at its second copy tells why the request was late', () => {
    const late = sighting('balancer', 'r.0.0', [100, 1200], {
      status: 200,
      tries: [{ ...upstreamTry(1200, 'answered'), connectMs: 1001 }],
    });
    const taps = [
      tapOf('balancer', [...silent, packet(1101.2, 'in', 'syn-ack', 2, 40_001)]),
      tapOf('shop[0]', [
        packet(101.1, 'in', 'syn', 2, 40_001),
        packet(1101.1, 'in', 'syn', 2, 40_001),
        packet(1101.1, 'out', 'syn-ack', 2, 40_001),
      ]),
    ];
    const file = caseOf(behindProxy(), observed({ taps, counters: overflows, sightings: [late] }));
    expect(verdictOfLateUpstream(file, late, late.tries[0])).toMatchObject({ cause: 'accept-queue-full', at: 'shop' });
  });
});
