/** What Caddy has no way to do is said by name, with what to use instead, before anything starts. */
import { changed, type Mistake, testMistakes } from '../../scenario/mistake.js';

/** The scenario's proxy as a Caddy with one knob more, and what is said of it. */
function caddy(written: string, column: number, message: string, hint: string): Mistake {
  const text = changed('kind: nginx, keepalive: 0', `kind: caddy, ${written}`);
  return [`${written} of caddy`, text, `7:${column}`, message, hint];
}

testMistakes([
  caddy(
    'sourceAddresses: 2',
    28,
    'Caddy 2.6 opens its connections from the address that the route gives it',
    'use `hosts: n`, or `kind: nginx` or `kind: haproxy`',
  ),
  caddy(
    'maxConnections: 5',
    28,
    'Caddy has no limit of client connections',
    'use `openFiles` (it stops accepting when descriptors run short), or `kind: haproxy`',
  ),
  caddy(
    'queueTimeout: 3s',
    28,
    'a request waits for a connection (`backendConnections`) until its client leaves',
    'use `kind: haproxy`, or `timeout.response` of the traffic',
  ),
  caddy(
    'queueLength: 3',
    28,
    'any number of requests may wait for a connection (`backendConnections`)',
    'use `kind: haproxy`',
  ),
  caddy('redispatch: false', 28, 'Caddy picks a backend anew for every try', 'leave it out, or use `retries: 0`'),
  caddy(
    'rateLimit: { rate: 5/s }',
    28,
    'Caddy limits rates by modules of others only',
    'use `kind: nginx` or `kind: haproxy`',
  ),
  caddy(
    'cache: { ttl: 10s }',
    28,
    'Caddy caches by modules of others only',
    'use `kind: nginx`, `kind: varnish` or `kind: squid`',
  ),
  caddy(
    'backlog: 100',
    28,
    "Caddy's backlog is what the kernel allows at most",
    'use `sysctls: { net.core.somaxconn: n }`',
  ),
  caddy(
    'sticky: cookie, algorithm: hash',
    55,
    '`sticky: cookie` picks the backend itself, so `algorithm: hash` would have no effect',
    'leave out one of the two',
  ),
  caddy('failTimeout: 3s', 41, 'Caddy holds no backend down unless it is asked to', 'add `maxFails: 1`'),
  caddy(
    'healthCheck: true',
    41,
    'one check that fails has Caddy 2.6 mark a backend down, and one that succeeds brings it back',
    'write `healthCheck: { interval: 2000ms, fall: 1, rise: 1 }`',
  ),
  caddy('connectTimeout: 0s', 44, 'a time-out of 0 is none for Caddy', 'write it like 3s'),
]);
