import { changed, type Mistake, testMistakes } from './mistake.js';

/** The scenario's proxy as a Traffic Server with one knob more, and what is said of it. */
function knob(written: string, column: number, message: string, hint: string): Mistake {
  return [
    written,
    changed('kind: nginx, keepalive: 0', `kind: trafficserver, ${written}`),
    `7:${column}`,
    message,
    hint,
  ];
}

const SECONDS = 'Traffic Server counts this time in whole seconds';

testMistakes([
  knob(
    'keepalive: 64',
    47,
    '`keepalive`: this product keeps all of its idle connections or none',
    'write unlimited or 0',
  ),
  knob(
    'sourceAddresses: 2',
    36,
    'Traffic Server binds its connections to one address (`outgoing_ip_to_bind`)',
    'use `hosts: n`, or `kind: nginx` or `kind: haproxy`',
  ),
  knob(
    'maxConnections: 5',
    36,
    'Traffic Server resets connections beyond `max_requests_in` and logs nothing of them',
    'use `backendConnections`, or `kind: haproxy`',
  ),
  knob(
    'queueTimeout: 3s',
    36,
    'Traffic Server has no time-out for its queue',
    'use `queueLength` (and `responseTimeout`), or `kind: haproxy`',
  ),
  knob(
    'cache: { ttl: 10s }',
    36,
    'this kind runs Traffic Server without its cache',
    'use `kind: varnish`, `kind: squid` or `kind: nginx`',
  ),
  knob('sticky: cookie', 44, 'Traffic Server sets no cookies of its own', 'use `sticky: source`, or `kind: haproxy`'),
  knob(
    'sticky: consistent-hash',
    44,
    "the consistent hash of Traffic Server is one of the URL, not of the visitor's address",
    'use `sticky: source`, or `algorithm: url-hash`, or `kind: haproxy`',
  ),
  knob(
    'algorithm: least-connections',
    47,
    "Traffic Server does not compare its backends' loads, so it has no `algorithm: least-connections`",
    'use round-robin, hash, url-hash or fallback, or `kind: nginx` or `kind: haproxy`',
  ),
  knob(
    'sticky: source, algorithm: fallback',
    63,
    '`sticky: source` picks the backend itself, so `algorithm: fallback` would have no effect',
    'leave out one of the two',
  ),
  knob('queueLength: 50', 49, 'without a limit of connections nothing waits', 'add `backendConnections`'),
  knob('maxFails: 0, failTimeout: 3s', 62, '`maxFails: 0` holds no backend down', 'leave out one of the two'),
  knob('connectTimeout: 1500ms', 52, SECONDS, 'write 2s'),
  knob('failTimeout: 200ms', 49, SECONDS, 'write 1s'),
  knob('openFiles: 100', 47, 'Traffic Server keeps 192 descriptors for itself', 'write at least 200'),
]);
