/** A proxy that says nothing of a request on a kept connection: the backend that it was handed on to is named all the same. */
import { expect, it } from 'vitest';
import { keepLedger } from '../../src/ledger/ledger.js';
import type { ChainEvent } from '../../src/observe/observations.js';
import { ClientError } from '../../src/traffic/outcomes.js';
import {
  BALANCER_BACK,
  behindProxy,
  MS,
  observed,
  outcomesOf,
  type Packet,
  type Row,
  SHOPS,
  sighting,
  tapOf,
  trafficOf,
  upstreamTry,
} from './hand-made.js';

const from = (port: number) => `${BALANCER_BACK}:${port}`;

/** The balancer's connection from `port` to a shop, answered at once. */
const opened = (ms: number, port: number, to: string): Packet[] => [
  { ms, way: 'out', from: from(port), to, kind: 'syn', isn: port },
  { ms: ms + 0.1, way: 'in', from: to, to: from(port), kind: 'syn-ack', isn: port },
];

/** A visitor whose first request was answered, by the first shop from port 40000, and whose second one is lost. */
const visitor = (lost: Partial<Row>): Row[] => [
  { state: 'completed', connect: 0, connected: 0.1, done: 5, status: 200 },
  { state: 'dropped', error: ClientError.closedEarly, done: 500, ...lost },
];
const first = sighting('balancer', 'r.0.0', [0, 5], {
  status: 200,
  tries: [{ ...upstreamTry(5, 'answered'), from: from(40_000) }],
});

const lostOf = (rows: Row[][], seen: Parameters<typeof observed>[0]) => {
  const plan = behindProxy();
  return keepLedger(plan, trafficOf(plan), outcomesOf(rows), observed(seen)).lost;
};

it('is known by the connection that was opened just then and that no line speaks of', () => {
  const taps = [tapOf('balancer', [...opened(0.2, 40_000, SHOPS[0]), ...opened(499.2, 40_001, SHOPS[1])])];
  const lost = lostOf([visitor({})], { taps, sightings: [first] });
  expect(lost.get(1)).toMatchObject({ cause: 'reset', at: 'shop' });
  expect(lost.get(1)?.evidence.join()).toContain(`${from(40_001)} to shop[1]`);
});

it('is known by what its backend logged, though the connection is an older one', () => {
  const taps = [tapOf('balancer', opened(0.2, 40_000, SHOPS[0]))];
  const served = sighting('shop[0]', 'r.0.1', [499.3, 500], { status: 499, peer: from(40_000) });
  const lost = lostOf([visitor({ error: ClientError.responseTimeout })], { taps, sightings: [first, served] });
  expect(lost.get(1)).toMatchObject({ cause: 'response-timeout', at: 'shop' });
});

const kill = (ms: number, host = 'shop[0]'): ChainEvent => ({
  plannedNs: ms * MS,
  startedNs: ms * MS,
  tookMs: 1,
  text: `kill ${host}`,
  kinds: ['kill'],
  hosts: [host],
  outcome: 'done',
});

it('is known by what its backend logged, though a gateway stands between them', () => {
  const taps = [tapOf('balancer', opened(0.2, 40_000, SHOPS[0]))];
  const served = sighting('shop[1]', 'r.0.1', [499.3, 500], { status: 499, peer: '198.18.2.9:20001' });
  const lost = lostOf([visitor({})], { taps, sightings: [first, served] });
  expect(lost.get(1)).toMatchObject({ cause: 'reset', at: 'shop' });
  expect(lost.get(1)?.evidence.join()).toContain('shop[1] logged it');
});

it('is followed over the connection of its own time where a port was used for several', () => {
  const packets = [...opened(0.2, 40_000, SHOPS[0]), ...opened(499.2, 40_001, SHOPS[0])];
  const taps = [tapOf('balancer', [...packets, ...opened(600, 40_001, SHOPS[1])])];
  const served = sighting('shop[0]', 'r.0.1', [499.3, 500], { status: 499, peer: from(40_001) });
  const lost = lostOf([visitor({})], { taps, sightings: [first, served] });
  expect(lost.get(1)?.evidence.join()).toContain(`${from(40_001)} to shop[0]`);
});

it('stays with a proxy that was killed itself, whatever its backend logged', () => {
  const taps = [tapOf('balancer', [...opened(0.2, 40_000, SHOPS[0]), ...opened(499.2, 40_001, SHOPS[0])])];
  const served = sighting('shop[0]', 'r.0.1', [499.3, 500], { status: 499, peer: from(40_001) });
  const lost = lostOf([visitor({})], { taps, sightings: [first, served], events: [kill(499.8, 'balancer')] });
  expect(lost.get(1)).toMatchObject({ cause: 'reset', at: 'balancer' });
});

it('is not told from a connection that may have been a health check', () => {
  const taps = [tapOf('balancer', [...opened(0.2, 40_000, SHOPS[0]), ...opened(499.2, 40_001, SHOPS[1])])];
  const plan = behindProxy();
  Object.assign(plan.hosts.find(({ name }) => name === 'balancer')!.spec, { healthCheck: { interval: 200 } });
  const { lost } = keepLedger(plan, trafficOf(plan), outcomesOf([visitor({})]), observed({ taps, sightings: [first] }));
  expect(lost.get(1)).toMatchObject({ cause: 'reset', at: 'balancer' });
});

it('is known by the event that killed its backend as the connection ended', () => {
  const taps = [tapOf('balancer', opened(0.2, 40_000, SHOPS[0]))];
  const just = lostOf([visitor({})], { taps, sightings: [first], events: [kill(499.5)] });
  expect(just.get(1)).toMatchObject({ cause: 'reset', at: 'shop' });
  const before = lostOf([visitor({ done: 2000 })], { taps, sightings: [first], events: [kill(499.5)] });
  expect(before.get(1)).toMatchObject({ cause: 'reset', at: 'balancer' });
});

it('stays with the proxy where nothing was handed on', () => {
  const taps = [tapOf('balancer', opened(0.2, 40_000, SHOPS[0]))];
  expect(lostOf([visitor({})], { taps, sightings: [first] }).get(1)).toMatchObject({ cause: 'reset', at: 'balancer' });
});

it('is not guessed for a proxy whose log leaves out its source ports', () => {
  const taps = [tapOf('balancer', opened(499.2, 40_001, SHOPS[1]))];
  const lost = lostOf([visitor({})], {
    taps,
    sightings: [sighting('balancer', 'r.0.0', [0, 5], { status: 200, tries: [upstreamTry(5, 'answered')] })],
  });
  expect(lost.get(1)).toMatchObject({ cause: 'reset', at: 'balancer' });
});
