import { describe, expect, test } from 'vitest';
import { parseScenario } from '../../src/scenario/parse.js';
import { makePlan } from '../../src/topology/make-plan.js';
import type { Plan, PlannedHost } from '../../src/topology/plan.js';

function plan(topology: string): Plan {
  const text = `name: x\ntopology:\n  ${topology.trim()}\ntraffic: { arrivals: [{ for: 1s, rate: 5/s }] }\n`;
  return makePlan(parseScenario(text, 'x.yaml', {}, () => '').variants[0]);
}

function host(of: Plan, name: string): PlannedHost {
  const found = of.hosts.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`no host ${name}`);
  return found;
}

/** `front0 edge 198.18.0.2/28` for each interface. */
function interfaces(of: PlannedHost): string[] {
  return of.interfaces.map(
    ({ name, segment, addresses, prefixLength }) => `${name} ${segment} ${addresses.join(',')}/${prefixLength}`,
  );
}

const CHAIN = `
  buyers:   { kind: client, hosts: 2, to: edge }
  edge:     { kind: nat, ports: 20000-20499, addresses: 2, to: balancer }
  balancer: { kind: nginx, sourceAddresses: 3, ports: 30000-30199, to: shop }
  shop:     { kind: ticket-shop, hosts: 2 }
`;

describe('the chain of a ticket sale', () => {
  const sale = plan(CHAIN);

  test('has its hosts by name, in the order of the file', () => {
    expect(sale.hosts.map(({ name }) => name)).toEqual([
      'buyers[0]',
      'buyers[1]',
      'edge',
      'balancer',
      'shop[0]',
      'shop[1]',
    ]);
    expect(host(sale, 'shop[1]')).toMatchObject({ node: 'shop', index: 1, kind: 'ticket-shop', layer: 'server' });
  });

  test('has one segment per node that is led to, addresses from .2 on, one after another', () => {
    expect(sale.segments).toEqual([
      { name: 'edge', subnet: '198.18.0.0/28', hosts: ['edge', 'buyers[0]', 'buyers[1]'] },
      { name: 'balancer', subnet: '198.18.0.16/28', hosts: ['balancer', 'edge'] },
      { name: 'shop', subnet: '198.18.0.32/28', hosts: ['shop[0]', 'shop[1]', 'balancer'] },
    ]);
    expect(interfaces(host(sale, 'buyers[1]'))).toEqual(['back0 edge 198.18.0.4/28']);
    expect(interfaces(host(sale, 'edge'))).toEqual([
      'front0 edge 198.18.0.2/28',
      'back0 balancer 198.18.0.19,198.18.0.20/28',
    ]);
    expect(interfaces(host(sale, 'balancer'))).toEqual([
      'front0 balancer 198.18.0.18/28',
      'back0 shop 198.18.0.36,198.18.0.37,198.18.0.38/28',
    ]);
    expect(interfaces(host(sale, 'shop[0]'))).toEqual(['front0 shop 198.18.0.34/28']);
  });

  test('sends clients through the gateway, and needs no other route', () => {
    expect(host(sale, 'buyers[0]').routes).toEqual([{ destination: 'default', via: '198.18.0.2' }]);
    for (const name of ['edge', 'balancer', 'shop[0]']) expect(host(sale, name).routes).toEqual([]);
  });

  test('says who listens where, whom each connects to, and from which addresses', () => {
    const balancer = { host: 'balancer', address: '198.18.0.18', port: 80 };
    const shops = [
      { host: 'shop[0]', address: '198.18.0.34', port: 8080 },
      { host: 'shop[1]', address: '198.18.0.35', port: 8080 },
    ];
    expect(sale.listeners).toEqual({ balancer, 'shop[0]': shops[0], 'shop[1]': shops[1] });
    expect(sale.targets).toEqual({ 'buyers[0]': [balancer], 'buyers[1]': [balancer], balancer: shops });
    expect(sale.sources).toEqual({
      edge: ['198.18.0.19', '198.18.0.20'],
      balancer: ['198.18.0.36', '198.18.0.37', '198.18.0.38'],
    });
  });

  test('forwards at the gateway, and gives the port range to the kernel only where connections are opened', () => {
    const ipv6 = ['net.ipv6.conf.all.disable_ipv6', '1'];
    expect(host(sale, 'edge').sysctls).toEqual([ipv6, ['net.ipv4.ip_forward', '1']]);
    expect(host(sale, 'balancer').sysctls).toEqual([ipv6, ['net.ipv4.ip_local_port_range', '30000 30199']]);
    expect(host(sale, 'buyers[0]').sysctls).toEqual([ipv6]);
  });

  test('is the same plan each time', () => {
    expect(plan(CHAIN)).toEqual(sale);
  });
});

describe('sysctls', () => {
  test("a gateway's time-outs are whole seconds, at least one", () => {
    const nat =
      'edge: { kind: nat, to: shop, looseTracking: false, timeouts: { established: 2s, timeWait: 1500ms, finWait: 2m, closeWait: 10ms, synSent: 0s } }';
    const { sysctls } = host(plan(`buyers: { kind: client, to: edge }\n  ${nat}\n  shop: { kind: fixed }`), 'edge');
    expect(sysctls.slice(2)).toEqual([
      ['net.netfilter.nf_conntrack_tcp_timeout_established', '2'],
      ['net.netfilter.nf_conntrack_tcp_timeout_time_wait', '2'],
      ['net.netfilter.nf_conntrack_tcp_timeout_fin_wait', '120'],
      ['net.netfilter.nf_conntrack_tcp_timeout_close_wait', '1'],
      ['net.netfilter.nf_conntrack_tcp_timeout_syn_sent', '1'],
      ['net.netfilter.nf_conntrack_tcp_loose', '0'],
    ]);
  });

  test("the scenario's own come last", () => {
    const client =
      'buyers: { kind: client, to: shop, ports: 5000-5009, sysctls: { net.ipv4.ip_local_port_range: 1 2 } }';
    const { sysctls } = host(plan(`${client}\n  shop: { kind: fixed }`), 'buyers');
    expect(sysctls.slice(1)).toEqual([
      ['net.ipv4.ip_local_port_range', '5000 5009'],
      ['net.ipv4.ip_local_port_range', '1 2'],
    ]);
  });

  test('a range below 1024 is unlocked first', () => {
    const { sysctls } = host(
      plan('buyers: { kind: client, to: shop, ports: 500-2000 }\n  shop: { kind: fixed }'),
      'buyers',
    );
    expect(sysctls.slice(1)).toEqual([
      ['net.ipv4.ip_unprivileged_port_start', '500'],
      ['net.ipv4.ip_local_port_range', '500 2000'],
    ]);
  });
});

describe('other chains', () => {
  test('a client without a proxy targets every host of the server, behind a gateway or not', () => {
    const behind = plan(
      'buyers: { kind: client, to: edge }\n  edge: { kind: nat, to: shop }\n  shop: { kind: fixed, hosts: 2 }',
    );
    expect(behind.targets.buyers.map((target) => target.host)).toEqual(['shop[0]', 'shop[1]']);
    const direct = plan('buyers: { kind: client, to: shop }\n  shop: { kind: fixed, hosts: 3 }');
    expect(direct.targets.buyers.map(({ port }) => port)).toEqual([8080, 8080, 8080]);
    expect(host(direct, 'buyers').routes).toEqual([]);
  });

  test('clients share several gateways in turn', () => {
    const { hosts } = plan(
      'buyers: { kind: client, hosts: 3, to: edge }\n  edge: { kind: nat, hosts: 2, to: shop }\n  shop: { kind: fixed }',
    );
    const via = hosts.filter(({ layer }) => layer === 'client').map(({ routes }) => routes[0].via);
    expect(via).toEqual(['198.18.0.2', '198.18.0.3', '198.18.0.2']);
  });

  test('a proxy behind whose back a gateway stands reaches its backends through it', () => {
    const between = plan(
      'buyers: { kind: client, to: lb }\n  lb: { kind: nginx, to: edge }\n  edge: { kind: nat, to: shop }\n  shop: { kind: fixed }',
    );
    const gateway = host(between, 'edge').interfaces[0].addresses[0];
    expect(host(between, 'lb').routes).toEqual([{ destination: 'default', via: gateway }]);
    expect(between.targets.lb).toEqual([between.listeners.shop]);
  });

  test('gateways in a row forward to each other', () => {
    const row = plan(
      'buyers: { kind: client, to: home }\n  home: { kind: nat, to: isp }\n  isp: { kind: nat, to: shop }\n  shop: { kind: fixed }',
    );
    expect(host(row, 'home').routes).toEqual([
      { destination: 'default', via: host(row, 'isp').interfaces[0].addresses[0] },
    ]);
    expect(host(row, 'isp').routes).toEqual([]);
  });

  test('two groups of clients share the segment of what they lead to', () => {
    const { segments } = plan(
      'a: { kind: client, to: shop }\n  b: { kind: client, to: shop }\n  shop: { kind: fixed }',
    );
    expect(segments).toEqual([{ name: 'shop', subnet: '198.18.0.0/28', hosts: ['shop', 'a', 'b'] }]);
  });

  test('a node that no client reaches is left out', () => {
    const { hosts, segments } = plan(
      'buyers: { kind: client, to: shop }\n  edge: { kind: nat, to: shop }\n  shop: { kind: fixed }',
    );
    expect(hosts.map(({ name }) => name)).toEqual(['buyers', 'shop']);
    expect(segments[0].hosts).toEqual(['shop', 'buyers']);
  });

  test('every address is in one place only, inside its subnet', () => {
    const big = plan(
      'buyers: { kind: client, hosts: 64, to: edge }\n  edge: { kind: nat, hosts: 3, addresses: 200, to: lb }\n  lb: { kind: nginx, hosts: 4, sourceAddresses: 50, to: shop }\n  shop: { kind: fixed, hosts: 10 }',
    );
    expect(big.segments.map(({ subnet }) => subnet)).toEqual(['198.18.0.0/25', '198.18.4.0/22', '198.18.8.0/24']);
    const all = big.hosts.flatMap(({ interfaces }) => interfaces.flatMap(({ addresses }) => addresses));
    expect(new Set(all).size).toBe(all.length);
  });

  test('more addresses than 198.18.0.0/15 has are refused', () => {
    const chain = ['c: { kind: client, to: n0 }'];
    for (let i = 0; i < 9; i++) chain.push(`n${i}: { kind: nat, hosts: 64, addresses: 200, to: n${i + 1} }`);
    chain.push('n9: { kind: fixed }');
    expect(() => plan(chain.join('\n  '))).toThrow('more addresses than 198.18.0.0/15 has');
  });
});

describe('a shop before a store', () => {
  const sale = plan(`
  buyers: { kind: client, to: shop }
  shop:   { kind: ticket-shop, hosts: 2, inventory: redis, to: db }
  db:     { kind: redis }
`);

  test('opens connections of its own, from its side towards the store, to the port of Redis', () => {
    const store = { host: 'db', address: '198.18.0.18', port: 6379 };
    expect(sale.listeners.db).toEqual(store);
    expect(sale.targets).toMatchObject({ 'shop[0]': [store], 'shop[1]': [store] });
    expect(sale.targets.db).toBeUndefined();
    expect(sale.sources).toEqual({ 'shop[0]': ['198.18.0.19'], 'shop[1]': ['198.18.0.20'] });
    expect(sale.targets.buyers.map(({ host }) => host)).toEqual(['shop[0]', 'shop[1]']);
  });
});
