import { expect, test } from 'vitest';
import { parseScenario } from '../../src/scenario/parse.js';
import { starterScenario } from '../../src/scenario/starter.js';

test('the starter is a right scenario under its name', () => {
  const scenario = parseScenario(starterScenario('spring-sale'), 'spring-sale.yaml', {}, () => '');
  expect(scenario.name).toBe('spring-sale');
  expect(scenario.variants.map(({ name }) => name)).toEqual(['quiet-day', 'sale-day', 'sale-day-wide-pool']);
});

test.each(['../x', 'a b', '', '-x', 'x'.repeat(65)])('"%s" is no name', (name) => {
  expect(() => starterScenario(name)).toThrow("can't be a scenario's name");
});
