/** Events name hosts, times, knobs and values; each that is wrong, or that a kind cannot do, is told where it stands. */
import { describe, expect, it } from 'vitest';
import { parseScenario } from '../../src/scenario/parse.js';
import { testMistakes } from './mistake.js';

const scenario = (events: string, balancer = '') => `name: faults
topology:
  buyers: { kind: client, to: edge }
  edge: { kind: nat, to: balancer }
  balancer: { kind: nginx, sticky: source${balancer}, to: shop }
  shop: { kind: ticket-shop, hosts: 2 }
  spare: { kind: fixed }
traffic: { arrivals: [{ for: 1s, rate: 10/s }] }
events: ${events}
`;

const eventsOf = (events: string) =>
  parseScenario(scenario(events), 'sale.yaml', {}, () => '').variants[0].events.map(({ atMs, actions, text }) => ({
    atMs,
    actions,
    text,
  }));

describe('events', () => {
  it('are resolved, in the order of their time', () => {
    expect(
      eventsOf(`
  - { at: 2s, slow: { node: shop, serviceTime: 250ms } }
  - { at: 1s, kill: "shop[1]" }
  - at: 3s
    set: { balancer.sticky: none, balancer.algorithm: hash, edge.sysctls.net.ipv4.tcp_tw_reuse: 1, edge.conntrack: flush }`),
    ).toEqual([
      { atMs: 1000, actions: [{ do: 'kill', target: { node: 'shop', index: 1 } }], text: 'kill shop[1]' },
      {
        atMs: 2000,
        actions: [{ do: 'change', target: { node: 'shop' }, knobs: { serviceTime: 250 } }],
        text: 'slow shop: serviceTime 250 ms',
      },
      {
        atMs: 3000,
        actions: [
          { do: 'change', target: { node: 'balancer' }, knobs: { sticky: 'none', algorithm: 'hash' } },
          { do: 'sysctl', target: { node: 'edge' }, name: 'net.ipv4.tcp_tw_reuse', value: '1' },
          { do: 'forget-connections', target: { node: 'edge' } },
        ],
        text: 'set balancer.sticky: none, balancer.algorithm: hash, edge.sysctls.net.ipv4.tcp_tw_reuse: 1, edge.conntrack: flush',
      },
    ]);
  });

  it('are a list that a variant replaces as a whole', () => {
    const text = `${scenario('[{ at: 1s, kill: shop }]')}variants:\n  a: {}\n  b: { events: null }\n  c: { events: [{ at: 2s, restart: shop }] }\n`;
    const { variants } = parseScenario(text, 'sale.yaml', {}, () => '');
    expect(variants.map(({ events }) => events.map(({ text }) => text))).toEqual([['kill shop'], [], ['restart shop']]);
  });

  testMistakes([
    [
      'that do nothing',
      scenario('[{ at: 1s }]'),
      '9:10',
      'the event does nothing',
      'add one of kill, restart, pause, resume, reload, slow, set',
    ],
    [
      'that do two things',
      scenario('[{ at: 1s, kill: shop, pause: edge }]'),
      '9:32',
      'one event does one thing, not `kill` and `pause`',
      'make two events of it',
    ],
    ['without a time', scenario('[{ kill: shop }]'), '9:10', '`at` is missing', 'write it like 40ms or 3s'],
    ['of an unknown kind', scenario('[{ at: 1s, kil: shop }]'), '9:20', 'unknown key `kil`', 'did you mean `kill`?'],
    [
      'of a node that is not there',
      scenario('[{ at: 1s, kill: shopp }]'),
      '9:26',
      'there is no node `shopp`',
      'did you mean `shop`?',
    ],
    [
      'of a host that is not there',
      scenario('[{ at: 1s, kill: "shop[2]" }]'),
      '9:26',
      'there is no host `shop[2]`',
      'hosts are: shop[0], shop[1]',
    ],
    [
      'of the first of one host',
      scenario('[{ at: 1s, kill: "edge[0]" }]'),
      '9:26',
      'there is no host `edge[0]`',
      'write edge',
    ],
    [
      'of a host without its quotes',
      scenario('[{ at: 1s, kill: shop[1] }]'),
      '9:30',
      'this is not YAML',
      'put it in quotes: "shop[1]"',
    ],
    [
      'of a node that nobody reaches',
      scenario('[{ at: 1s, kill: spare }]'),
      '9:26',
      "no client's chain leads to `spare`, so it is not built",
      'leave the event out',
    ],
    [
      'that kill visitors',
      scenario('[{ at: 1s, kill: buyers }]'),
      '9:26',
      '`buyers` is a client: its visitors are sent by the harness',
      'change `traffic.arrivals` instead',
    ],
    [
      'that stop a gateway',
      scenario('[{ at: 1s, pause: edge }]'),
      '9:27',
      '`edge` is a nat: it forwards in the kernel and has no process to stop',
      'use `kill` and `restart`',
    ],
    [
      'that reload a server',
      scenario('[{ at: 1s, reload: shop }]'),
      '9:28',
      '`shop` is a ticket-shop: it has no configuration to load again',
      'nodes that can: balancer',
    ],
    [
      'that slow a proxy',
      scenario('[{ at: 1s, slow: { node: balancer, serviceTime: 1s } }]'),
      '9:34',
      '`balancer` is a nginx: it has no service time',
      'nodes that can: shop, spare',
    ],
    [
      'that set a knob which is fixed at the start',
      scenario('[{ at: 1s, set: { shop.tickets: 5 } }]'),
      '9:27',
      '`tickets` of a ticket-shop cannot be changed while it runs',
      'what can: serviceTime, sysctls.…',
    ],
    [
      'that set a mistyped knob',
      scenario('[{ at: 1s, set: { balancer.keepalvie: 5 } }]'),
      '9:27',
      '`keepalvie` of a nginx cannot be changed while it runs',
      'did you mean `keepalive`?',
    ],
    [
      'that set a value without its unit',
      scenario('[{ at: 1s, set: { shop.serviceTime: 5 } }]'),
      '9:45',
      '`serviceTime`: 5 has no unit',
      'write a span of time like 40ms',
    ],
    [
      'that set what the product cannot do',
      scenario('[{ at: 1s, set: { balancer.algorithm: hash } }]'),
      '9:47',
      '`sticky: source` picks the backend itself, so `algorithm: hash` would have no effect',
      'leave out one of the two',
    ],
    [
      'that set weights beside another knob, too few of them',
      scenario('[{ at: 1s, set: { balancer.keepalive: 5, balancer.weights: [1] } }]'),
      '9:68',
      '1 weight for 2 backends',
      'write one whole number for each host of `shop`, shop[0] to shop[1]',
    ],
    [
      'that set a weight which is none',
      scenario('[{ at: 1s, set: { balancer.weights: [1, -2] } }]'),
      '9:49',
      '`weights[1]`: must be at least 0',
      undefined,
    ],
    [
      'that set what takes another socket of HAProxy',
      scenario('[{ at: 1s, set: { balancer.backlog: 5 } }]').replace('kind: nginx', 'kind: haproxy'),
      '9:27',
      '`backlog` of a haproxy cannot be changed while it runs',
      'what can: keepalive, workers, algorithm, sticky, weights, maxConnections, backendConnections, queueTimeout, queueLength, retries, redispatch, healthCheck, maxFails, rateLimit, connectTimeout, responseTimeout, sysctls.…',
    ],
    [
      'that set nothing of anybody',
      scenario('[{ at: 1s, set: { balancer: hash } }]'),
      '9:27',
      '`balancer` is not a node and what to set of it',
      'write it like balancer.algorithm, edge.sysctls.net.ipv4.tcp_tw_reuse or edge.conntrack',
    ],
    [
      'that flush a proxy',
      scenario('[{ at: 1s, set: { balancer.conntrack: flush } }]'),
      '9:27',
      '`balancer` is a nginx: it keeps no table of connections',
      'name a nat or a firewall',
    ],
    [
      'that do something else to a table of connections',
      scenario('[{ at: 1s, set: { edge.conntrack: clear } }]'),
      '9:43',
      '`conntrack`: expected "flush"',
      'write it like edge.conntrack: flush',
    ],
    [
      'that set a setting of the whole machine',
      scenario('[{ at: 1s, set: { edge.sysctls.kernel.panic: 1 } }]'),
      '9:27',
      '`kernel.panic` is not a setting of a host of its own',
      'only net.* settings are; e.g. net.ipv4.tcp_tw_reuse',
    ],
  ]);
});
