import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadScenario } from '../../src/run/load-scenario.js';
import { parseScenario } from '../../src/scenario/parse.js';
import { RIGHT } from '../scenario/mistake.js';

const load = (text: string, options = {}) => parseScenario(text, 'sale.yaml', options, () => '');
const MINIMAL = `
name: small
topology:
  buyers: { kind: client, to: shop }
  shop: { kind: fixed }
traffic: { arrivals: [{ for: 1s, rate: 120/m }] }
`;

describe('a scenario', () => {
  test('has plain numbers where the file has units', () => {
    const [{ traffic, topology }] = load(RIGHT).variants;
    expect(traffic).toMatchObject({
      from: ['buyers'],
      journey: 'buy-ticket',
      thinkTimeMs: 1000,
      connections: { mode: 'per-visitor' },
      process: 'poisson',
      timeout: { connectMs: 3000, responseMs: 5000 },
      retry: { attempts: 0, backoffMs: 500 },
    });
    expect(traffic.arrivals).toEqual([
      { forMs: 2000, rate: { from: 50, to: 50 } },
      { forMs: 2000, rate: { from: 50, to: 600 } },
      { forMs: 4000, rate: { from: 600, to: 600 } },
    ]);
    expect(topology.edge).toMatchObject({ kind: 'nat', ports: { lo: 20000, hi: 20499 }, addresses: 1 });
    expect(topology.shop).toMatchObject({ kind: 'ticket-shop', hosts: 2, tickets: 5000, serviceTime: 40 });
  });

  test('needs little: the rest has defaults', () => {
    const scenario = load(MINIMAL);
    expect(scenario).toMatchObject({ name: 'small', description: '', trials: 1, seed: 1 });
    expect(scenario.variants).toHaveLength(1);
    expect(scenario.variants[0]).toMatchObject({ name: 'default', gates: [], configs: {} });
    expect(scenario.variants[0].traffic).toEqual({
      from: ['buyers'],
      journey: 'view-event',
      thinkTimeMs: 1000,
      holdForMs: 0,
      connections: { mode: 'per-request' },
      close: 'client',
      arrivals: [{ forMs: 1000, rate: { from: 2, to: 2 } }],
      process: 'poisson',
      timeout: { connectMs: 3000, responseMs: 5000 },
      retry: { attempts: 0, backoffMs: 500 },
      maxLatenessMs: 10,
    });
  });

  test('is the same value each time, and survives JSON', () => {
    expect(load(RIGHT)).toEqual(load(RIGHT));
    expect(JSON.parse(JSON.stringify(load(RIGHT)))).toEqual(load(RIGHT));
  });

  test.each([
    ['"pooled: 5"', { mode: 'pooled', size: 5 }],
    ['{ pooled: 5 }', { mode: 'pooled', size: 5 }],
    ['per-request', { mode: 'per-request' }],
  ])('takes connections: %s', (written, connections) => {
    const text = RIGHT.replace('connections: per-visitor', `connections: ${written}`);
    expect(load(text).variants[0].traffic.connections).toEqual(connections);
  });

  test('takes closed-loop arrivals', () => {
    const text = MINIMAL.replace('rate: 120/m', 'connections: 100');
    expect(load(text).variants[0].traffic.arrivals).toEqual([{ forMs: 1000, connections: 100 }]);
  });

  test('may repeat itself by YAML aliases', () => {
    const text = MINIMAL.replace('buyers: {', 'buyers: &clients {').replace('  shop:', '  others: *clients\n  shop:');
    expect(load(text).variants[0].traffic.from).toEqual(['buyers', 'others']);
  });
});

describe('variants', () => {
  test('are merge patches, in the order of the file', () => {
    const { variants } = load(RIGHT);
    expect(variants.map(({ name }) => name)).toEqual(['as-shipped', 'wider-pool', 'four-addresses', 'close-early']);
    expect(variants[1].topology.edge).toMatchObject({ ports: { lo: 1024, hi: 65535 }, addresses: 1, to: 'balancer' });
    expect(variants[2].topology.edge).toMatchObject({ ports: { lo: 20000, hi: 20499 }, addresses: 4 });
    expect(variants[3].traffic.connections).toEqual({ mode: 'per-request' });
    expect(variants[3].topology).toEqual(variants[0].topology);
  });

  test('have the gates that name them, and those that name none', () => {
    const gates = load(RIGHT).variants.map((variant) => variant.gates);
    expect(gates[0]).toEqual([
      { text: 'dropped.ports-exhausted@edge > 0', where: 'sale.yaml:32:13' },
      { text: 'ports.edge.peak <= 100%', where: 'sale.yaml:35:5' },
    ]);
    expect(gates[3].map(({ text }) => text)).toEqual([
      'dropped == 0',
      'latency.response.p99 < 250ms',
      'ports.edge.peak <= 100%',
    ]);
  });

  test('may be empty behind the colon, and may remove a node', () => {
    const text = `${MINIMAL}variants:\n  same:\n  direct: { topology: { shop: null, other: { kind: fixed }, buyers: { to: other } } }\n`;
    const { variants } = load(text);
    expect(Object.keys(variants[0].topology)).toEqual(['buyers', 'shop']);
    expect(Object.keys(variants[1].topology)).toEqual(['buyers', 'other']);
  });

  test('may each complete a file that is not whole without them', () => {
    const text = MINIMAL.replace(
      /traffic.*/,
      'traffic: {}\nvariants: { a: { traffic: { arrivals: [{ for: 1s, rate: 9/s }] } } }',
    );
    expect(load(text).variants[0].traffic.arrivals).toEqual([{ forMs: 1000, rate: { from: 9, to: 9 } }]);
  });
});

describe('the command line', () => {
  test('--set wins over the file and over a patch', () => {
    const { variants } = load(RIGHT, { set: ['topology.edge.ports=5000-5009', 'traffic.arrivals.0.rate=7/s'] });
    for (const variant of variants) {
      expect(variant.topology.edge.ports).toEqual({ lo: 5000, hi: 5009 });
      expect(variant.traffic.arrivals[0]).toEqual({ forMs: 2000, rate: { from: 7, to: 7 } });
    }
    expect(variants[2].topology.edge).toMatchObject({ addresses: 4 });
  });

  test('--set reaches a sysctl by its dotted name, and removes a key by null', () => {
    const set = ['topology.balancer.sysctls.net.ipv4.tcp_tw_reuse=1', 'topology.edge.ports=null'];
    const [{ topology }] = load(RIGHT, { set }).variants;
    expect(topology.balancer.sysctls).toEqual({ 'net.ipv4.tcp_tw_reuse': 1 });
    expect(topology.edge.ports).toBeUndefined();
  });

  test('--set reaches what is not of a variant', () => {
    expect(load(RIGHT, { set: ['trials=3', 'name=other'] })).toMatchObject({ trials: 3, name: 'other' });
  });

  test('--variant picks, --trials and --seed override', () => {
    const scenario = load(RIGHT, { variants: ['close-early', 'as-shipped'], trials: 5, seed: 42 });
    expect(scenario.variants.map(({ name }) => name)).toEqual(['as-shipped', 'close-early']);
    expect(scenario).toMatchObject({ trials: 5, seed: 42 });
  });
});

describe('files', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'scenario-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('a file is read with its checksum', async () => {
    const file = join(folder, 'sale.yaml');
    writeFileSync(file, RIGHT);
    const scenario = await loadScenario(file);
    expect(scenario.file).toBe(file);
    expect(scenario.sha256).toBe(createHash('sha256').update(readFileSync(file)).digest('hex'));
  });

  test("a node's configuration file is found from the scenario's folder", async () => {
    writeFileSync(join(folder, 'my.conf'), 'events {}\n');
    writeFileSync(join(folder, 'sale.yaml'), RIGHT.replace('kind: nginx', 'kind: nginx, config: my.conf'));
    const scenario = await loadScenario(join(folder, 'sale.yaml'));
    expect(scenario.variants[0].configs).toEqual({ balancer: 'events {}\n' });
  });

  test('a file that is not there exits with 2 and says where to find one', async () => {
    await expect(loadScenario(join(folder, 'none.yaml'))).rejects.toMatchObject({
      message: 'there is no such file',
      where: join(folder, 'none.yaml'),
      hint: 'portparty list shows the ready scenarios, portparty init writes a new one',
      exitCode: 2,
    });
  });

  test('a folder is no scenario', async () => {
    await expect(loadScenario(folder)).rejects.toMatchObject({ message: 'it is a folder', exitCode: 2 });
  });
});
