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
  ]);
});
