import { describe } from 'vitest';
import { changed, type Mistake, testMistakes } from './mistake.js';

/** The scenario's proxy with one knob more, and what is said of it. */
function knob(kind: string, written: string, column: number, message: string, hint: string): Mistake {
  return [
    `${written} of ${kind}`,
    changed('kind: nginx, keepalive: 0', `kind: ${kind}, ${written}`),
    `7:${column}`,
    message,
    hint,
  ];
}

const UNCOUNTED = '`keepalive`: this product keeps all of its idle connections or none';

describe('squid', () => {
  const squid = (written: string, column: number, message: string, hint: string) =>
    knob('squid', written, column, message, hint);
  testMistakes([
    squid('keepalive: 64', 39, UNCOUNTED, 'write unlimited or 0'),
    squid('sticky: cookie', 36, 'Squid sets no cookies of its own', 'use `sticky: source`, or `kind: haproxy`'),
    squid(
      'sticky: consistent-hash',
      36,
      'the hash of Squid by client address is not a consistent one',
      'use `sticky: source`, or another kind',
    ),
    squid(
      'algorithm: least-connections',
      39,
      'Squid has no `algorithm: least-connections`',
      'use round-robin or hash, or `kind: nginx` or `kind: haproxy`',
    ),
    squid('queueTimeout: 3s', 28, 'Squid has no queue for its backends', 'use `kind: haproxy`'),
    squid(
      'maxConnections: 5',
      28,
      'Squid has no limit of client connections',
      'use `openFiles` (it stops accepting when descriptors run short), or `kind: haproxy`',
    ),
    squid(
      'rateLimit: { rate: 5/s }',
      28,
      'Squid limits bandwidth, not requests',
      'use `kind: nginx` or `kind: haproxy`',
    ),
    squid(
      'weights: [3, 0]',
      37,
      'Squid takes a weight of 0 for 1',
      'write at least 1, or use `kind: nginx` or `kind: haproxy`, which leave such a backend out',
    ),
    squid('connectTimeout: 1500ms', 44, 'Squid counts its time-outs in whole seconds', 'write 2s'),
    squid(
      'cache: { ttl: 10s }',
      42,
      'Squid counts the age of what it keeps in whole minutes',
      'write 1m, or use `kind: varnish` or `kind: nginx`',
    ),
    squid(
      'sourceAddresses: 3, backendConnections: 10',
      68,
      'Squid counts the connections of each of the 3 source addresses by itself',
      'write a multiple of 3',
    ),
    squid(
      'mode: forward, maxFails: 2',
      53,
      'a forward proxy asks the server that its client names',
      'leave out `maxFails`, or use `mode: reverse`',
    ),
    [
      'a forward proxy behind another proxy',
      changed(
        '  shop:     { kind: ticket-shop',
        '  office:   { kind: squid, mode: forward, to: shop }\n  shop:     { kind: ticket-shop',
      ).replace('keepalive: 0, to: shop', 'keepalive: 0, to: office'),
      '8:34',
      '`balancer` would speak to the forward proxy `office` as to a server',
      'let clients come first to a forward proxy, or use `mode: reverse`',
    ],
  ]);
});

describe('varnish', () => {
  const varnish = (written: string, column: number, message: string, hint: string) =>
    knob('varnish', written, column, message, hint);
  testMistakes([
    varnish('keepalive: 64', 41, UNCOUNTED, 'write unlimited or 0'),
    varnish(
      'sourceAddresses: 2',
      30,
      'Varnish opens its connections from the address that the route gives it',
      'use `hosts: n`, or `kind: nginx` or `kind: haproxy`',
    ),
    varnish('queueTimeout: 3s', 30, 'Varnish 7.1 has no queue for its backends', 'use `kind: haproxy`'),
    varnish(
      'sticky: cookie',
      38,
      'Varnish sets no cookies of its own',
      'use `sticky: source` or `consistent-hash`, or `kind: haproxy`',
    ),
    varnish(
      'algorithm: random-two',
      41,
      "Varnish does not compare its backends' loads, so it has no `algorithm: random-two`",
      'use round-robin, random, hash or fallback, or `kind: nginx` or `kind: haproxy`',
    ),
    varnish(
      'maxFails: 3',
      40,
      'Varnish holds a backend down after the first connection that fails',
      'write 1, or 0 for never; or use `healthCheck: { fall: n }`',
    ),
    varnish(
      'weights: [3, 1]',
      39,
      'the turns that Varnish takes have no weights',
      'add `algorithm: random`, or use `kind: nginx`',
    ),
    varnish(
      'algorithm: fallback, weights: [3, 1]',
      60,
      '`algorithm: fallback` takes the first healthy backend, whatever its weight',
      'use `algorithm: random`, or leave out `weights`',
    ),
    varnish(
      'algorithm: hash, weights: [3, 0]',
      56,
      'the consistent hash of Varnish has no weight of 0',
      'write at least 1, or use `algorithm: random` or `sticky: source`',
    ),
    varnish('redispatch: true', 42, 'without further tries `redispatch` would have no effect', 'add `retries: 1`'),
    varnish(
      'healthCheck: { fall: 60, rise: 10 }',
      43,
      'Varnish remembers 64 checks of a backend',
      'let `fall` and `rise` make no more than 65 together',
    ),
  ]);
});
