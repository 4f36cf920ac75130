/** A firewall's rules name nodes, addresses and ports; each that is wrong is told where it stands. */
import { describe } from 'vitest';
import { testMistakes } from './mistake.js';

const scenario = (fence: string, edge = 'edge: { kind: nat, to: balancer }') => `name: fenced
topology:
  buyers: { kind: client, to: fence }
  office: { kind: client, to: edge }
  ${edge}
  fence: { kind: firewall, to: balancer, ${fence} }
  balancer: { kind: nginx, to: shop }
  shop: { kind: fixed }
traffic: { arrivals: [{ for: 1s, rate: 10/s }] }
`;
const behind = 'edge: { kind: nat, to: fence }';

describe('a firewall', () => {
  testMistakes([
    [
      'that names a node that is not there',
      scenario('rules: [{ action: drop, from: byers }]'),
      '6:72',
      'there is no node `byers`',
      'did you mean `buyers`?',
    ],
    [
      'that names a node by the address that its gateway hides',
      scenario('rules: [{ action: drop, from: office }]', behind),
      '6:72',
      '`fence` never sees an address of `office`: what comes from it has the address of `edge`, a nat',
      'name `edge`',
    ],
    [
      'that names a node whose packets go another way',
      scenario('rules: [{ action: drop, from: office }]'),
      '6:72',
      'what `office` sends never crosses `fence`',
      'leave it out',
    ],
    [
      'that protects a client',
      scenario('rules: [{ action: drop, to: buyers }]'),
      '6:70',
      '`buyers` is a client: no connection goes to it',
      'name a proxy or a server',
    ],
    [
      'that expects a server to connect',
      scenario('segments: { shop: [balancer] }'),
      '6:54',
      '`shop` is a fixed: no connection comes from it',
      'name a client, a proxy or a NAT gateway',
    ],
    [
      'with a segment to nowhere',
      scenario('segments: { buyers: [balancer, shopp] }'),
      '6:73',
      'there is no node `shopp`',
      'did you mean `shop`?',
    ],
    [
      'with an unknown action',
      scenario('rules: [{ action: deny }]'),
      '6:60',
      '`action`: there is no "deny"',
      'one of allow, drop, reject',
    ],
    [
      'with half an address',
      scenario('rules: [{ action: drop, from: 198.18.0/24 }]'),
      '6:72',
      '`from`: "198.18.0/24" is neither a node nor a range of addresses',
      'write it like buyers or 198.18.0.0/24',
    ],
    [
      'with a port that is none',
      scenario('rules: [{ action: drop, port: 70000 }]'),
      '6:72',
      '`port`: must be at most 65535',
      undefined,
    ],
    [
      'with segments that its policy opens again',
      scenario('segments: { buyers: [balancer] }, policy: allow'),
      '6:84',
      '`segments` name who may talk to whom, and `policy: allow` would let everybody in',
      'leave out `policy`, or write `policy: reject`',
    ],
    ['with translation', scenario('addresses: 4'), '6:42', '`addresses` is not a knob of `firewall`', '`nat` has it'],
  ]);
});
