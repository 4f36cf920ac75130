import { describe } from 'vitest';
import { changed, havingKnob, testMistakes } from './mistake.js';

describe('the chain', () => {
  testMistakes([
    [
      'a dangling `to`',
      changed('to: balancer', 'to: balancr'),
      '6:50',
      'there is no node `balancr`',
      'did you mean `balancer`?',
    ],
    [
      'a dangling `to` like no node',
      changed('to: balancer', 'to: internet'),
      '6:50',
      'there is no node `internet`',
      'nodes are: buyers, balancer, shop',
    ],
    ['a gateway without a next hop', changed(', to: balancer', ''), '6:3', '`to` is missing', 'name the next hop'],
    ['a proxy without a next hop', changed('0, to: shop', '0'), '7:3', '`to` is missing', 'name the next hop'],
    [
      'a loop',
      changed('0, to: shop', '0, to: edge'),
      '6:50',
      'the chain runs in a loop: edge → balancer → edge',
      'let one of them lead to a server',
    ],
    [
      'a loop of one',
      changed('0, to: shop', '0, to: balancer'),
      '7:46',
      'the chain runs in a loop: balancer → balancer',
      'let one of them lead to a server',
    ],
    [
      'a server with a next hop',
      changed('tickets: 5000,', 'tickets: 5000, to: cache,'),
      '8:59',
      '`shop` is a ticket-shop, the end of its chain; it has no next hop',
      'leave out `to`',
    ],
    [
      'no client',
      changed('kind: client', 'kind: nat'),
      '4:1',
      'there is no client node, so nobody would connect',
      'add one: `buyers: { kind: client, to: … }`',
    ],
    [
      "an image of the user's own",
      changed('kind: nginx', 'kind: nginx, image: mine'),
      '7:28',
      '`image` is not yet supported by this version',
      'it needs the docker driver, which this version does not have yet',
    ],
  ]);
});

describe('variants', () => {
  testMistakes([
    [
      'a wrong value in a patch',
      changed('1024-65535', '1024-70000'),
      '25:44',
      '`ports`: 1024-70000 is not a range of ports',
      'ports go from 1 to 65535',
    ],
    [
      'an unknown knob in a patch',
      changed('edge: { addresses: 4 }', 'edge: { adresses: 4 }'),
      '26:41',
      'unknown key `adresses`',
      'did you mean `addresses`?',
    ],
    [
      'a patch that changes the kind under its knobs',
      changed('edge: { addresses: 4 }', 'balancer: { kind: nat }'),
      '26:33',
      '`keepalive` is not a knob of `nat`, in variant `four-addresses`',
      `${havingKnob('keepalive')} have it`,
    ],
    [
      'a patch that removes what is needed',
      changed('edge: { addresses: 4 }', 'edge: { to: null }'),
      '26:41',
      '`to` is missing',
      'name the next hop',
    ],
    [
      'a patch that removes the next hop',
      changed('edge: { addresses: 4 }', 'shop: null'),
      '26:21',
      'there is no node `shop`, in variant `four-addresses`',
      'nodes are: buyers, edge',
    ],
    [
      'a patch on what all variants share',
      changed('as-shipped: {}', 'as-shipped: { gates: [] }'),
      '24:17',
      'unknown key `gates`',
      'give the gate itself `variants: [name]`',
    ],
    [
      'a patch that is none',
      changed('as-shipped: {}', 'as-shipped: 5'),
      '24:15',
      '`as-shipped`: expected a merge patch',
      'write {} for no change',
    ],
  ]);
});

describe('what a later version brings', () => {
  testMistakes([
    [
      'events',
      changed('trials: 1', 'events: [{ at: 5s, kill: "shop[1]" }]'),
      '29:1',
      '`events` are not yet supported by this version',
      'leave out `events`',
    ],
    [
      'a matrix',
      changed('trials: 1', 'matrix: { keepalive: [0, 16] }'),
      '29:1',
      '`matrix` is not yet supported by this version',
      'leave out `matrix`',
    ],
  ]);
});
