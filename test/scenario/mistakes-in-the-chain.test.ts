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
  ]);
});

describe("images of the user's own", () => {
  testMistakes([
    [
      'a port of an image that is not there',
      changed('kind: nginx, keepalive: 0', 'kind: nginx, port: 3000'),
      '7:28',
      '`port` tells of an `image` of your own, and there is none',
      'leave out `port`',
    ],
    [
      'a readiness of an image that is not there',
      changed('kind: nginx, keepalive: 0', 'kind: nginx, ready: /health'),
      '7:28',
      '`ready` tells of an `image` of your own, and there is none',
      'leave out `ready`',
    ],
    [
      'a readiness that is no sign',
      changed('kind: nginx, keepalive: 0', 'kind: nginx, image: mine, ready: soon'),
      '7:48',
      '`ready`: expected `port`, `/path`, or `"log: text"`',
      undefined,
    ],
    [
      'a knob that would be written into a configuration',
      changed('kind: nginx, keepalive: 0', 'kind: nginx, image: mine, keepalive: 8'),
      '7:41',
      '`keepalive` would do nothing: mine runs with the configuration that is in it',
      'say it in a file of your own with `config:`, or leave out `image`',
    ],
    [
      'a knob of our own server',
      changed(
        'kind: ticket-shop, hosts: 2, tickets: 5000, serviceTime: 40ms',
        'kind: fixed, image: mine, serviceTime: 40ms',
      ),
      '8:41',
      '`serviceTime` would do nothing: mine runs with the configuration that is in it',
      'leave it out, or leave out `image`',
    ],
    [
      'an image of a gateway',
      changed('kind: nat, ports: 20000-20499', 'kind: nat, image: mine'),
      '6:26',
      'a nat has no `image`: the kernel does its work',
      'leave out `image`',
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
      'blocks of ports that do not go around',
      changed('edge: { addresses: 4 }', 'edge: { portsPerSource: 200 }'),
      '26:57',
      '`edge` has 2 blocks of 200 ports, and 4 addresses send through it',
      'make the blocks smaller, or `ports` or `addresses` more',
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
