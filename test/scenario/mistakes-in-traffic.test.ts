import { describe } from 'vitest';
import { changed, testMistakes } from './mistake.js';

const PHASES = /arrivals:\n.*\n.*\n.*\n/;

describe('traffic', () => {
  testMistakes([
    [
      'traffic from nobody',
      changed('from: buyers', 'from: buyer'),
      '11:9',
      'there is no client `buyer`',
      'did you mean `buyers`?',
    ],
    [
      'traffic from a gateway',
      changed('from: buyers', 'from: [edge]'),
      '11:10',
      '`edge` is a nat, and only clients send traffic',
      'clients are: buyers',
    ],
    [
      'an unknown journey',
      changed('buy-ticket', 'buy-tickets'),
      '12:12',
      '`journey`: there is no "buy-tickets"',
      'did you mean `buy-ticket`?',
    ],
    [
      'tickets from a bare server',
      changed('ticket-shop, hosts: 2, tickets: 5000', 'fixed'),
      '12:12',
      '`buy-ticket` needs a ticket-shop, and the chain of `buyers` ends at `shop`, a fixed',
      'use the journey view-event, or make `shop` a ticket-shop',
    ],
    [
      'hold without holdFor',
      changed('buy-ticket', 'hold'),
      '12:12',
      'the journey `hold` needs `holdFor`',
      'write it like holdFor: 5s',
    ],
    [
      'pooled without quotes',
      changed('per-visitor', 'pooled: 5'),
      '14:16',
      'this is not YAML',
      'put it in quotes: "pooled: 5"',
    ],
    [
      'an empty pool',
      changed('per-visitor', '"pooled: 0"'),
      '14:16',
      '`connections`: not a way to connect',
      'write per-request, per-visitor, or "pooled: 20" in quotes',
    ],
    [
      'no arrivals',
      changed(PHASES, 'close: client\n'),
      '10:1',
      '`arrivals` is missing',
      'write it like [{ for: 4s, rate: 600/s }]',
    ],
    [
      'no phase of arrivals',
      changed(PHASES, 'arrivals: []\n'),
      '15:13',
      '`arrivals`: there is no phase',
      'write it like [{ for: 4s, rate: 600/s }]',
    ],
    [
      'arrivals that bring nobody',
      changed(PHASES, 'arrivals: [{ for: 3s, rate: 0/s }]\n'),
      '15:3',
      'these arrivals bring no visitor (0 expected)',
      'raise `rate` or `for`',
    ],
    [
      'a phase of no time',
      changed('for: 2s, rate: 50/s }', 'for: 0s, rate: 50/s }'),
      '16:14',
      'a phase of no time',
      'write it like for: 4s',
    ],
    [
      'a phase without a length',
      changed('{ for: 2s, rate: 50/s }', '{ rate: 50/s }'),
      '16:7',
      '`for` is missing',
      'write it like 40ms or 3s',
    ],
    [
      'a phase of nothing',
      changed('{ for: 2s, rate: 50/s }', '{ for: 2s }'),
      '16:7',
      'the phase has neither `rate` nor `connections`',
      'add rate: 600/s (open loop) or connections: 100 (closed loop)',
    ],
    [
      'a phase of both loops',
      changed('rate: 50/s }', 'rate: 50/s, connections: 4 }'),
      '16:30',
      'a phase has `rate` (open loop) or `connections` (closed loop), not both',
      'leave out one of them',
    ],
    [
      'open and closed loop in one run',
      changed('for: 4s, rate: 600/s', 'for: 4s, connections: 9'),
      '18:7',
      'open loop (`rate`) and closed loop (`connections`) in one run',
      'make two variants of it',
    ],
    [
      'a time-out of no time',
      changed('connect: 3s', 'connect: 0s'),
      '20:23',
      'a time-out of no time would drop everything',
      'write it like connect: 3s',
    ],
  ]);
});

describe('gates', () => {
  testMistakes([
    [
      'an unknown metric',
      changed('dropped == 0', 'droped == 0'),
      '33:13',
      'no metric "droped"',
      'did you mean dropped?',
    ],
    [
      'an unknown unit in a quoted gate',
      changed('- ports.edge.peak <= 100%', '- "ports.edge.peak <= 100x"'),
      '35:28',
      'no unit "x"',
      'ports are a count or a share: 400 or 80%',
    ],
    [
      'a margin of another unit',
      changed('- ports.edge.peak <= 100%', '- ports.edge.peak <= baseline + 5ms'),
      '35:35',
      'a margin of ports is 10% of the baseline, a count: 20, or percentage points: 5pp',
      undefined,
    ],
    [
      'a gate on no node',
      changed('ports.edge.', 'ports.edg.'),
      '35:11',
      'there is no node `edg`',
      'did you mean `edge`?',
    ],
    [
      'a gate on no variant',
      changed('[wider-pool, four', '[wider-pol, four'),
      '33:38',
      'there is no variant `wider-pol`',
      'did you mean `wider-pool`?',
    ],
    [
      'a mistyped key of a gate',
      changed('{ gate: latency', '{ gat: latency'),
      '34:7',
      'unknown key `gat`',
      'did you mean `gate`?',
    ],
    [
      'a gate that is a number',
      changed('- ports.edge.peak <= 100%', '- 5'),
      '35:5',
      '`gates[3]`: expected a gate',
      'write it like "dropped == 0", or { gate: dropped == 0, variants: [tuned] }',
    ],
  ]);
});

describe('YAML', () => {
  testMistakes([
    [
      'an unclosed bracket',
      changed('hosts: 4, to: edge }', 'hosts: 4, to: edge'),
      '6:3',
      'this is not YAML: Flow map in block collection must be sufficiently indented and end with a }',
      'look at quotes, brackets, commas and indentation',
    ],
    ['a tab', changed('  from: buyers', '\tfrom: buyers'), '11:1', 'a tab indents this line', 'indent with spaces'],
    [
      'an alias of nothing',
      changed('to: balancer', 'to: *balancer'),
      '6:50',
      'the alias `*balancer` leads nowhere',
      'mark its value with `&balancer`, further up',
    ],
    [
      'an alias of itself',
      changed('connect: 3s', 'connect: *t').replace('timeout: {', 'timeout: &t {'),
      '20:26',
      'the alias `*t` leads to itself',
      'write the value out',
    ],
    [
      'a mapping as a key',
      changed('trials: 1', '? [trials]\n: 1'),
      '29:3',
      'a key is a word, not a list or a mapping',
      undefined,
    ],
    ['an empty file', '', '1:1', 'the file is empty', 'portparty init writes one to start from'],
    ['a file of comments', '# soon\n', '1:1', 'the file is empty', 'portparty init writes one to start from'],
    ['a list', '- name: x\n', '1:1', 'the file is not a scenario', 'it starts with `name: …`'],
  ]);
});
