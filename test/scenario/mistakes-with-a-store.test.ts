import { describe } from 'vitest';
import { changed, type Mistake, testMistakes } from './mistake.js';

const SHOP = /kind: ticket-shop,[^}]*tickets: 5000,/;
const STORE = '\n  db: { kind: redis }\n  other: { kind: fixed }';

/** The scenario's shop with these knobs in the place of its own, and a store behind the nodes. */
function shop(name: string, knobs: string, where: string, message: string, hint: string): Mistake {
  return [name, withStore(changed(SHOP, `kind: ticket-shop, ${knobs},`)), where, message, hint];
}

function withStore(text: string): string {
  return text.replace(/^( {2}shop: .*)$/m, `$1${STORE}`);
}

describe('a store', () => {
  testMistakes([
    shop(
      'that is missing',
      'inventory: redis',
      '8:45',
      'no store is behind `shop`',
      'let `to` lead to a node of `kind: redis`',
    ),
    shop(
      'that is none',
      'inventory: redis, to: other',
      '8:56',
      '`other` is a fixed, not a store',
      'let `to` lead to a node of `kind: redis`',
    ),
    shop(
      'that nobody asks',
      'to: db',
      '8:38',
      '`shop` keeps its stock in its own memory and would not ask `db`',
      'add `inventory: redis`',
    ),
    [
      'that is asked for web pages',
      withStore(changed('0, to: shop', '0, to: db')),
      '7:46',
      '`db` is a store, and `balancer` speaks HTTP',
      'lead to a ticket-shop with `inventory: redis` before it',
    ],
    shop(
      'of which a shop without one tells',
      'pool: per-request',
      '8:40',
      "`pool` tells of a store over the network, and the stock is in the shop's own memory",
      'add `inventory: redis`, or leave out `pool`',
    ),
    shop(
      'with a queue for nothing',
      'inventory: redis, to: db, queueTimeout: 1s',
      '8:74',
      'with a connection for each request nobody waits for a free one',
      'add `pool: "pooled: 20"`, or leave out `queueTimeout`',
    ),
    shop(
      'with a pool of no size',
      'inventory: redis, to: db, pool: pooled',
      '8:66',
      '`pool`: expected per-request or "pooled: N"',
      'write it in quotes: "pooled: 20"',
    ),
  ]);
});
