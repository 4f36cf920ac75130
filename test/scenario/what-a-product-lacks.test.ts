import { describe, expect, it } from 'vitest';
import { parseScenario } from '../../src/scenario/parse.js';
import { changed, type Mistake, testMistakes } from './mistake.js';

/** The scenario's proxy with one knob more, and what is said of it. */
function knob(kind: string, written: string, column: number, message: string, hint: string | undefined): Mistake {
  return [
    `${written} of ${kind}`,
    changed('kind: nginx, keepalive: 0', `kind: ${kind}, ${written}`),
    `7:${column}`,
    message,
    hint,
  ];
}

describe('nginx', () => {
  testMistakes([
    knob(
      'nginx',
      'sticky: cookie',
      36,
      'NGINX Open Source has no sticky cookies (only NGINX Plus has)',
      'use `sticky: source`, or `kind: haproxy`',
    ),
    knob(
      'nginx',
      'sticky: source, algorithm: hash',
      55,
      '`sticky: source` picks the backend itself, so `algorithm: hash` would have no effect',
      'leave out one of the two',
    ),
    knob('nginx', 'failTimeout: 500ms', 41, 'nginx counts `fail_timeout` in whole seconds', 'write 1s'),
    knob(
      'nginx',
      'healthCheck: true',
      28,
      'NGINX Open Source does not probe its backends',
      'use `maxFails` and `failTimeout`, or `kind: haproxy`',
    ),
    knob(
      'nginx',
      'cache: { ttl: 1500ms }',
      42,
      'nginx keeps an answer for whole seconds (`proxy_cache_valid`)',
      'write 2s',
    ),
    knob(
      'nginx',
      'rateLimit: { rate: 2.51/s }',
      47,
      'nginx counts rates in whole requests per second or per minute (`limit_req_zone`)',
      'write 151/m',
    ),
  ]);
});

describe('haproxy', () => {
  testMistakes([
    knob(
      'haproxy',
      'failTimeout: 5s',
      30,
      'HAProxy brings a backend back by its health checks',
      'use `healthCheck: { interval: 2s, rise: 2 }`',
    ),
    knob(
      'haproxy',
      'cache: { ttl: 2s }',
      30,
      "HAProxy's cache lets all requests for one page through until it has it",
      'use `kind: nginx` or a `config` of your own',
    ),
    knob(
      'haproxy',
      'queueTimeout: 1s',
      44,
      'nothing ever waits in the queue without a limit of connections, so `queueTimeout` would have no effect',
      'add `backendConnections`',
    ),
    knob(
      'haproxy',
      'maxFails: 3',
      40,
      'HAProxy counts the failures of requests only beside health checks, which bring the backend back',
      'add `healthCheck: true`',
    ),
    knob(
      'haproxy',
      'sourceAddresses: 4, backendConnections: 3',
      70,
      'each of the 4 source addresses needs a connection of its own to each backend',
      'write at least 4, or fewer `sourceAddresses`',
    ),
    knob(
      'haproxy',
      'healthCheck: { interval: 1 }',
      55,
      '`interval`: 1 has no unit',
      'write a span of time like 40ms or 3s',
    ),
    knob(
      'haproxy',
      'healthCheck: 2s',
      43,
      '`healthCheck`: expected true, false, or settings',
      'write it like { interval: 2s, fall: 3, rise: 2 }',
    ),
    knob('haproxy', 'rateLimit: { rate: 0/s }', 49, '`rate`: this rate would refuse everything', 'write it like 100/s'),
  ]);
});

describe('weights', () => {
  const EACH = 'write one whole number for each host of `shop`, shop[0] to shop[1]';
  testMistakes([
    knob('nginx', 'weights: [3, 1, 1]', 37, '3 weights for 2 backends', EACH),
    knob('haproxy', 'weights: [3]', 39, '1 weight for 2 backends', EACH),
    knob(
      'haproxy',
      'weights: 3',
      39,
      '`weights`: expected a list with one whole number for each backend',
      'write it like [3, 1]',
    ),
    knob('haproxy', 'weights: [3, 0.5]', 43, '`weights[1]`: expected a whole number', undefined),
    knob('haproxy', 'weights: [3, 257]', 43, '`weights[1]`: must be at most 256', undefined),
    knob('nginx', 'weights: [0, 0]', 37, 'no backend would get any request', 'give one of them a weight of at least 1'),
  ]);

  it.each(['nginx', 'haproxy', 'squid', 'varnish'])('have no effect beside a configuration for %s', (kind) => {
    const text = changed('kind: nginx, keepalive: 0', `kind: ${kind}, config: own.cfg, weights: [3, 1]`);
    expect(() => parseScenario(text, 'sale.yaml', {}, () => '')).toThrow(
      'own.cfg shares out the requests itself, so `weights` would have no effect',
    );
  });
});

describe('a server', () => {
  testMistakes([
    [
      'a service time for each of the wrong number of hosts',
      changed('serviceTime: 40ms', 'serviceTime: [1ms, 2ms, 3ms]'),
      '8:72',
      '3 service times for 2 hosts',
      'write one for each host, or a single one for all',
    ],
  ]);
});
