/** Parts of a plan: together they are the plan, whoever sends them. */
import { describe, expect, it } from 'vitest';
import { clientOf, type TrafficPlan, visitorNumber } from '../../src/traffic/engine.js';
import { shareOf, splitPlan } from '../../src/traffic/split.js';
import { closedPlan, plan } from './fixture.js';

const clients = (count: number): TrafficPlan['clients'] =>
  Array.from({ length: count }, (_, index) => ({
    host: `buyers[${index}]`,
    netns: null,
    targets: [{ host: 'shop', address: '198.18.0.9', port: 80 }],
  }));

/** What the parts send: each visitor's number, planned time and client. */
function visitorsOf(parts: TrafficPlan[]) {
  return parts
    .flatMap((part) =>
      [...part.arrivalsNs].map((ns, visitor) => ({
        number: visitorNumber(part.part, visitor),
        ns,
        host: part.clients[clientOf(visitor, part.clients.length)].host,
      })),
    )
    .sort((a, b) => a.number - b.number);
}

describe.each([
  [1, 1],
  [4, 1],
  [4, 2],
  [4, 3],
  [4, 4],
  [3, 2],
  [1, 5],
  [2, 3],
  [4, 6],
  [6, 4],
])('%i clients over %i senders', (hosts, senders) => {
  const whole = plan(80, 101, 3, { clients: clients(hosts) });
  const parts = splitPlan(whole, senders);

  it('send every visitor once, at its time, from its client', () => {
    expect(parts).toHaveLength(senders);
    expect(visitorsOf(parts)).toEqual(visitorsOf([whole]));
  });

  it('keep the visitors of every part in order', () => {
    for (const { arrivalsNs } of parts) expect([...arrivalsNs]).toEqual([...arrivalsNs].sort((a, b) => a - b));
  });

  it('name their clients by their place in the whole', () => {
    for (const { clients: own, part } of parts)
      expect(part!.clients.map((client) => whole.clients[client].host)).toEqual(own.map(({ host }) => host));
  });

  it('differ by no more than the visitors of one client, or by one visitor', () => {
    const counts = parts.map(({ arrivalsNs }) => arrivalsNs.length);
    const most = senders <= hosts ? Math.ceil(101 / hosts) + 1 : 1;
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(most);
  });
});

it('a client keeps its visitors, its pool and its turn of targets as long as there are clients enough', () => {
  const parts = splitPlan(plan(80, 50, 1, { clients: clients(5) }), 3);
  const hosts = parts.flatMap((part) => part.clients.map(({ host }) => host));
  expect(hosts.sort()).toEqual([0, 1, 2, 3, 4].map((index) => `buyers[${index}]`));
});

it('a pool and a closed loop are not split below their client', () => {
  const pooled = plan(80, 50, 1, { clients: clients(2), connections: { mode: 'pooled', size: 4 } });
  expect(splitPlan(pooled, 5)).toHaveLength(2);
  expect(splitPlan(closedPlan(80, [{ forMs: 1, connections: 3 }], { clients: clients(2) }), 5)).toHaveLength(2);
});

it.each([
  [10, 4, 4],
  [10, 4, 3],
  [3, 4, 2],
  [7, 1, 1],
])('%i connections of a closed loop stay with their clients: %i clients, %i senders', (connections, hosts, senders) => {
  const parts = splitPlan(closedPlan(80, [{ forMs: 1, connections }], { clients: clients(hosts) }), senders);
  const perHost = Object.fromEntries(
    parts.flatMap(({ closedLoop, clients: own }) =>
      own.map(({ host }, index) => [host, shareOf(closedLoop![0].connections, index, own.length)]),
    ),
  );
  const wanted = Object.fromEntries(
    clients(hosts).map(({ host }, index) => [host, shareOf(connections, index, hosts)]),
  );
  expect(perHost).toEqual(wanted);
  expect(Object.values(perHost).reduce((sum, share) => sum + share)).toBe(connections);
});
