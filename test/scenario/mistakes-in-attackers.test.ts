/** Attackers are bounded and aim at nodes of the chain; what is not so is told where it stands. */
import { describe, expect, it } from 'vitest';
import { parseScenario } from '../../src/scenario/parse.js';
import { testMistakes } from './mistake.js';

const scenario = (mallory: string, from = '') => `name: attacked
topology:
  buyers: { kind: client, to: shop }
  mallory: { kind: attacker, ${mallory}, to: shop }
  shop: { kind: fixed }
  spare: { kind: fixed }
traffic: { ${from}arrivals: [{ for: 1s, rate: 10/s }] }
`;

describe('an attacker', () => {
  it('sends none of the visitors', () => {
    const { variants } = parseScenario(scenario('attack: port-scan'), 'sale.yaml', {}, () => '');
    expect(variants[0].traffic.from).toEqual(['buyers']);
  });

  testMistakes([
    [
      'that sends visitors',
      scenario('attack: port-scan', 'from: mallory, '),
      '7:18',
      '`mallory` is an attacker, and only clients send traffic',
      'clients are: buyers',
    ],
    [
      'without an attack',
      scenario('rate: 5/s'),
      '4:3',
      '`attack` is missing',
      'one of port-scan, hold-connections, connection-flood, brute-force',
    ],
    [
      'with a knob of another attack',
      scenario('attack: brute-force, scanPorts: 1-100'),
      '4:62',
      '`scanPorts` is for `attack: port-scan`, not for `brute-force`',
      'leave out `scanPorts`',
    ],
    [
      'that is too fast',
      scenario('attack: connection-flood, rate: 9000/s'),
      '4:62',
      'an attack of 9000 attempts a second would measure this machine',
      'at most 5000/s; use more `hosts`',
    ],
    [
      'that aims at nobody',
      scenario('attack: port-scan, target: shopp'),
      '4:57',
      'there is no node `shopp`',
      'did you mean `shop`?',
    ],
    [
      'that aims at visitors',
      scenario('attack: port-scan, target: buyers'),
      '4:57',
      '`buyers` is a client: nothing listens there',
      'nodes that can be attacked: shop, spare',
    ],
    [
      'that aims at what is not built',
      scenario('attack: port-scan, target: spare'),
      '4:57',
      "no client's chain leads to `spare`, so it is not built",
      'nodes that can be attacked: shop, spare',
    ],
  ]);
});
