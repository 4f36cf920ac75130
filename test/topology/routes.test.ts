import { expect, test } from 'vitest';
import { planRoutes, type RoutedHost } from '../../src/topology/routes.js';

const SEGMENTS = [
  { name: 'outer', subnet: '198.18.0.0/28' },
  { name: 'inner', subnet: '198.18.0.16/28' },
  { name: 'shop', subnet: '198.18.0.32/28' },
];

function host(
  node: string,
  index: number,
  layer: RoutedHost['layer'],
  to?: string,
  front?: string,
  back?: string,
): RoutedHost {
  const attach = (name: string, segment: string, address?: string) =>
    address === undefined ? [] : [{ name, segment, addresses: [address], prefixLength: 28 }];
  return {
    name: `${node}[${index}]`,
    node,
    index,
    kind: layer === 'L3' ? 'filter' : layer,
    layer,
    spec: { to },
    interfaces: [...attach('front0', node, front), ...attach('back0', to ?? '', back)],
    routes: [],
  };
}

test('behind gateways that keep source addresses, each hop knows the way back', () => {
  const buyer = host('buyers', 0, 'client', 'outer', undefined, '198.18.0.3');
  const outer = host('outer', 0, 'L3', 'inner', '198.18.0.2', '198.18.0.19');
  const inner = host('inner', 0, 'L3', 'shop', '198.18.0.18', '198.18.0.35');
  const shop = host('shop', 0, 'server', undefined, '198.18.0.34');
  planRoutes([buyer, outer, inner, shop], SEGMENTS);
  expect(buyer.routes).toEqual([{ destination: 'default', via: '198.18.0.2' }]);
  expect(outer.routes).toEqual([{ destination: 'default', via: '198.18.0.18' }]);
  expect(inner.routes).toEqual([{ destination: '198.18.0.0/28', via: '198.18.0.19' }]);
  expect(shop.routes).toEqual([
    { destination: '198.18.0.16/28', via: '198.18.0.35' },
    { destination: '198.18.0.0/28', via: '198.18.0.35' },
  ]);
});

test('of several such gateways, the one that a host sends through is the one that it is answered through', () => {
  const buyers = [0, 1, 2].map((i) => host('buyers', i, 'client', 'inner', undefined, `198.18.0.${20 + i}`));
  const gateways = [0, 1].map((i) => host('inner', i, 'L3', 'shop', `198.18.0.${18 + i}`, `198.18.0.${35 + i}`));
  const shop = host('shop', 0, 'server', undefined, '198.18.0.34');
  planRoutes([...buyers, ...gateways, shop], SEGMENTS);
  expect(buyers.map(({ routes }) => routes[0].via)).toEqual(['198.18.0.18', '198.18.0.19', '198.18.0.18']);
  expect(shop.routes).toEqual([
    { destination: '198.18.0.20/32', via: '198.18.0.35' },
    { destination: '198.18.0.22/32', via: '198.18.0.35' },
    { destination: '198.18.0.21/32', via: '198.18.0.36' },
  ]);
});
