import { describe } from 'vitest';
import { KIND_NAMES } from '../../src/nodes/registry.js';
import { changed, havingKnob, testMistakes } from './mistake.js';

describe('keys', () => {
  testMistakes([
    [
      'a mistyped knob',
      changed('keepalive: 0', 'keepalvie: 0'),
      '7:28',
      'unknown key `keepalvie`',
      'did you mean `keepalive`?',
    ],
    [
      'a knob with a dash',
      changed('keepalive: 0', 'keep-alive: 0'),
      '7:28',
      'unknown key `keep-alive`',
      'did you mean `keepalive`?',
    ],
    [
      "another kind's knob",
      changed('ports: 20000-20499', 'keepalive: 3'),
      '6:26',
      '`keepalive` is not a knob of `nat`',
      `${havingKnob('keepalive')} have it`,
    ],
    [
      'a mistyped key inside a knob',
      changed('ports: 20000-20499', 'timeouts: { establishd: 5s }'),
      '6:38',
      'unknown key `establishd`',
      'did you mean `established`?',
    ],
    [
      'a mistyped key of the file',
      changed('trials: 1', 'trails: 1'),
      '29:1',
      'unknown key `trails`',
      'did you mean `trials`?',
    ],
    [
      'a mistyped key that must be there',
      changed('name:', 'nmae:'),
      '1:1',
      'unknown key `nmae`',
      'did you mean `name`?',
    ],
    [
      'a key of traffic at the outermost level',
      changed('trials: 1', 'arrivals: []'),
      '29:1',
      'unknown key `arrivals`',
      'it belongs under `traffic`',
    ],
    [
      'no space after a colon',
      changed('hosts: 4', 'hosts:4'),
      '5:29',
      'unknown key `hosts:4`',
      'put a space after the colon: `hosts: 4`',
    ],
    [
      'a key that is there twice',
      changed('  thinkTime: 1s', '  from: edge'),
      '13:3',
      'the key `from` is there twice',
      'keep one of them',
    ],
    ['__proto__ as a node', changed('  edge: ', '  __proto__: '), '6:3', "`__proto__` can't be a key", undefined],
    ['nothing behind a colon', changed('hosts: 4', 'hosts:'), '5:29', '`hosts` is empty', 'expected a whole number'],
  ]);
});

describe('kinds', () => {
  testMistakes([
    [
      'a mistyped kind',
      changed('kind: nginx', 'kind: ngnix'),
      '7:21',
      'there is no kind "ngnix"',
      'did you mean `nginx`?',
    ],
    ['no kind', changed('kind: nginx, ', ''), '7:3', '`kind` is missing', `one of ${KIND_NAMES.join(', ')}`],
  ]);
});

describe('units and values', () => {
  testMistakes([
    [
      'a time without a unit',
      changed('thinkTime: 1s', 'thinkTime: 1'),
      '13:14',
      '`thinkTime`: 1 has no unit',
      'write a span of time like 40ms or 3s',
    ],
    [
      'an unknown unit of time',
      changed('thinkTime: 1s', 'thinkTime: 1sec'),
      '13:14',
      '`thinkTime`: "1sec" is not a span of time',
      'write it like 40ms or 3s',
    ],
    [
      'a rate without a unit',
      changed('rate: 50/s }', 'rate: 50 }'),
      '16:24',
      '`rate`: 50 has no unit',
      'write a rate like 600/s or 50/s..600/s',
    ],
    [
      'a port of 70000',
      changed('20000-20499', '20000-70000'),
      '6:33',
      '`ports`: 20000-70000 is not a range of ports',
      'ports go from 1 to 65535',
    ],
    [
      'a range that runs backwards',
      changed('20000-20499', '20499-20000'),
      '6:33',
      '`ports`: the range 20499-20000 runs backwards',
      'write 20000-20499',
    ],
    [
      'a single port',
      changed('20000-20499', '20000'),
      '6:33',
      '`ports`: 20000 has no unit',
      'write a range of ports like 20000-20499',
    ],
    ['half a host', changed('hosts: 4', 'hosts: 1.5'), '5:36', '`hosts`: expected a whole number', undefined],
    ['no host', changed('hosts: 4', 'hosts: 0'), '5:36', '`hosts`: must be at least 1', undefined],
    [
      'a word that is none of the choices',
      changed('keepalive: 0', 'algorithm: roundrobin'),
      '7:39',
      '`algorithm`: there is no "roundrobin"',
      'did you mean `round-robin`?',
    ],
    [
      'text where keys belong',
      changed(/buyers: {3}.*/, 'buyers:   many'),
      '5:13',
      '`buyers`: expected keys and values, not "many"',
      undefined,
    ],
    [
      'a sysctl outside net.*',
      changed('kind: nginx', 'kind: nginx, sysctls: { vm.swappiness: 1 }'),
      '7:39',
      'only net.* settings belong to a host of its own',
      'e.g. net.ipv4.tcp_tw_reuse',
    ],
    [
      'a sysctl that is no number or text',
      changed('kind: nginx', 'kind: nginx, sysctls: { net.ipv4.tcp_tw_reuse: true }'),
      '7:62',
      '`net.ipv4.tcp_tw_reuse`: expected a number or text',
      'write it like net.ipv4.tcp_tw_reuse: 1',
    ],
    [
      'a name with a blank',
      changed('name: ticket-sale', 'name: ticket sale'),
      '1:7',
      '`name`: "ticket sale" can\'t be a scenario\'s name',
      'use letters, digits and dashes, at most 64',
    ],
    [
      "a node's name with a capital",
      changed('  edge: ', '  Edge: '),
      '6:3',
      '"Edge" can\'t be a node\'s name',
      'use lower-case letters, digits and dashes',
    ],
    ['no trial', changed('trials: 1', 'trials: 0'), '29:9', '`trials`: must be at least 1', undefined],
    [
      'a missing configuration file',
      changed('kind: nginx', 'kind: nginx, config: my.conf'),
      '7:36',
      "can't read my.conf: there is no such file",
      "the path counts from the scenario file's folder",
    ],
  ]);
});
