import { describe, expect, it } from 'vitest';
import { parseScenario } from '../../src/scenario/parse.js';
import { changed, errorOf, RIGHT, testMistakes } from './mistake.js';

const withMatrix = (matrix: string, gates = '') =>
  `${RIGHT.replace(/^gates:\n/m, `gates:\n${gates}`)}\nmatrix: ${matrix}\n`;
const load = (text: string, options = {}) => parseScenario(text, 'sale.yaml', options, () => '');

describe('a matrix', () => {
  const PORTS_AND_ADDRESSES = '{ topology.edge.ports: [20000-20499, 1024-65535], topology.edge.addresses: [1, 2, 4] }';

  it('makes a variant of every combination, beside the named ones and on the scenario without their patches', () => {
    const { variants } = load(withMatrix(PORTS_AND_ADDRESSES));
    const named = load(RIGHT).variants.map(({ name }) => name);
    expect(variants.map(({ name }) => name)).toEqual([
      ...named,
      'ports=20000-20499+addresses=1',
      'ports=20000-20499+addresses=2',
      'ports=20000-20499+addresses=4',
      'ports=1024-65535+addresses=1',
      'ports=1024-65535+addresses=2',
      'ports=1024-65535+addresses=4',
    ]);
    const last = variants.at(-1)!;
    expect(last.topology.edge).toMatchObject({ ports: { lo: 1024, hi: 65_535 }, addresses: 4 });
    expect(last.cell).toEqual({ ports: '1024-65535', addresses: '4' });
    expect(last.traffic).toEqual(variants[0].traffic);
    expect(variants[0].cell).toBeUndefined();
  });

  it('stands alone where there are no variants', () => {
    const alone = load(
      withMatrix('{ traffic.thinkTime: [1s, 2s] }')
        .replace(/^variants:\n( .*\n)*/m, '')
        .replace(/^gates:\n( .*\n)*/m, ''),
    );
    expect(alone.variants.map(({ name, traffic }) => [name, traffic.thinkTimeMs])).toEqual([
      ['thinkTime=1s', 1000],
      ['thinkTime=2s', 2000],
    ]);
  });

  it('may be written as mappings, and names what two nodes share by the node', () => {
    const { variants } = load(
      withMatrix(
        '{ topology: { edge: { ports: [2000-2999] }, balancer: { ports: [3000-3999], sysctls: { net.ipv4.tcp_tw_reuse: [0, 1] } } } }',
      ),
    );
    const cells = variants.filter(({ cell }) => cell !== undefined);
    expect(cells.map(({ name }) => name)).toEqual([
      'edge.ports=2000-2999+balancer.ports=3000-3999+net.ipv4.tcp_tw_reuse=0',
      'edge.ports=2000-2999+balancer.ports=3000-3999+net.ipv4.tcp_tw_reuse=1',
    ]);
    expect(cells[1].topology.balancer.sysctls).toEqual({ 'net.ipv4.tcp_tw_reuse': 1 });
  });

  it('numbers values that are no plain ones', () => {
    const { variants } = load(withMatrix('{ traffic.arrivals: [[{ for: 1s, rate: 5/s }], [{ for: 2s, rate: 5/s }]] }'));
    expect(variants.slice(-2).map(({ name, traffic }) => [name, traffic.arrivals[0].forMs])).toEqual([
      ['arrivals=#1', 1000],
      ['arrivals=#2', 2000],
    ]);
  });

  it('is chosen from by whole names or by some settings, on the command line and in gates', () => {
    const text = withMatrix(PORTS_AND_ADDRESSES, '  - { gate: due > 0, variants: [addresses=2] }\n');
    const names = (wanted: string) => load(text, { variants: [wanted] }).variants.map(({ name }) => name);
    expect(names('addresses=4')).toEqual(['ports=20000-20499+addresses=4', 'ports=1024-65535+addresses=4']);
    expect(names('addresses=4+ports=1024-65535')).toEqual(['ports=1024-65535+addresses=4']);
    const gated = load(text).variants.filter(({ gates }) => gates.some(({ text: gate }) => gate === 'due > 0'));
    expect(gated.map(({ name }) => name)).toEqual(['ports=20000-20499+addresses=2', 'ports=1024-65535+addresses=2']);
    expect(errorOf(text, { variants: ['addresses=3'] }).message).toBe('there is no variant `addresses=3`');
  });

  it('is overridden by --set as variants are', () => {
    const { variants } = load(withMatrix(PORTS_AND_ADDRESSES), { set: ['topology.edge.addresses=3'] });
    expect(variants.map(({ topology }) => topology.edge)).toEqual(
      variants.map(() => expect.objectContaining({ addresses: 3 })),
    );
  });
});

describe('mistakes in a matrix', () => {
  const at = (matrix: string) => changed('trials: 1', `matrix: ${matrix}`);
  testMistakes([
    [
      'a knob without its way',
      at('{ keepalive: [0, 16] }'),
      '29:11',
      '`keepalive` is no setting of a scenario',
      'write the whole way to it: topology.edge.ports',
    ],
    [
      'a value alone',
      at('{ topology.edge.addresses: 2 }'),
      '29:36',
      '`topology.edge.addresses` has no list of values',
      'write it like { topology.edge.ports: [20000-20499, 1024-65535] }',
    ],
    [
      'no values',
      at('{ topology.edge.addresses: [] }'),
      '29:36',
      '`topology.edge.addresses` has no values',
      'leave it out',
    ],
    [
      'the same twice',
      at('{ topology.edge.addresses: [1, 1] }'),
      '29:40',
      '1 stands twice in `topology.edge.addresses`',
      undefined,
    ],
    [
      'a node that is not there',
      at('{ topology.egde.addresses: [1, 2] }'),
      '29:37',
      'there is no node `egde`',
      'did you mean `edge`?',
    ],
    [
      'a value that the knob has not',
      at('{ topology.edge.ports: [1024-70000, 1024-65535] }'),
      '29:33',
      '`ports`: 1024-70000 is not a range of ports',
      'ports go from 1 to 65535',
    ],
    [
      'a knob that the kind has not',
      at('{ topology.edge.adresses: [1, 2] }'),
      '29:11',
      'unknown key `adresses`',
      'did you mean `addresses`?',
    ],
    [
      'more than can be run',
      at(
        `{ topology.edge.addresses: [${Array.from({ length: 20 }, (_, n) => n + 1)}], topology.shop.hosts: [${Array.from({ length: 20 }, (_, n) => n + 1)}] }`,
      ),
      '29:1',
      'the matrix makes 400 variants',
      'at most 256',
    ],
  ]);
});
