import { expect, test } from 'vitest';
import { KIND_NAMES } from '../../src/nodes/registry.js';
import { scenarioJsonSchema } from '../../src/scenario/json-schema.js';

interface Schema {
  type?: string;
  pattern?: string;
  required?: string[];
  description?: string;
  properties: Record<string, Schema>;
  additionalProperties: Schema;
  items: Schema;
  anyOf: Schema[];
  oneOf: Schema[];
  const?: string;
}

const schema = scenarioJsonSchema() as unknown as Schema;
const { topology, traffic, variants } = schema.properties;

test('a file needs a name, a topology and traffic, and nothing unknown', () => {
  expect(schema.required).toEqual(['name', 'topology', 'traffic']);
  expect(schema.additionalProperties).toBe(false);
});

test('units are strings with a pattern', () => {
  const { rate } = traffic.properties.arrivals.items.properties;
  expect(rate.type).toBe('string');
  expect('50/s..600/s').toMatch(new RegExp(rate.pattern!));
  expect('50').not.toMatch(new RegExp(rate.pattern!));
  const { ports } = topology.additionalProperties.oneOf[0].properties;
  expect('20000-20499').toMatch(new RegExp(ports.pattern!));
});

test('every kind of node is there, described', () => {
  const kinds = topology.additionalProperties.oneOf;
  expect(kinds.map((kind) => kind.properties.kind.const)).toEqual(KIND_NAMES);
  for (const kind of kinds) expect(kind.description).toMatch(/\w{4}/);
});

test("a variant's patch knows the knobs of all kinds, needs none, and takes null", () => {
  const patch = variants.anyOf[0].additionalProperties.anyOf[0];
  const node = patch.properties.topology.anyOf[0].additionalProperties.anyOf[0];
  expect(node.required).toBeUndefined();
  expect(Object.keys(node.properties)).toEqual(expect.arrayContaining(['ports', 'keepalive', 'tickets', 'status']));
  expect(node.properties.ports.anyOf[1]).toEqual({ type: 'null' });
});
