import { describe, expect, test } from 'vitest';
import { changed, errorOf, RIGHT } from './mistake.js';

describe('several mistakes', () => {
  test('are told in the order of the file, each with its place and hint', () => {
    const error = errorOf(changed('keepalive: 0', 'keepalvie: 0').replace('trials: 1', 'trials: 0'));
    expect(error.where).toBe('sale.yaml:7:28');
    expect(error.message).toBe(
      'unknown key `keepalvie` (did you mean `keepalive`?)\nsale.yaml:29:9: `trials`: must be at least 1',
    );
  });

  test('beyond five are counted', () => {
    const error = errorOf(
      RIGHT.replace(/for: (\d)s/g, 'for: $1')
        .replace(/: (\d)s/g, ': $1')
        .replace('trials: 1', 'trials: 0'),
    );
    expect(error.message.split('\n')).toHaveLength(6);
    expect(error.message).toMatch(/\nand 2 more$/);
  });

  test('that one line makes in every variant are told once', () => {
    const error = errorOf(changed('thinkTime: 1s', 'thinkTime: 1'));
    expect(error.message).toBe('`thinkTime`: 1 has no unit');
  });
});

test('a gate on a node that one of its variants removes asks for the other variants', () => {
  const error = errorOf(changed('edge: { addresses: 4 }', 'buyers: { to: balancer }, edge: null'));
  expect(error.where).toBe('sale.yaml:35:11');
  expect(error.message).toBe('there is no node `edge` in variant `four-addresses`');
  expect(error.hint).toBe('give the gate `variants: [as-shipped, wider-pool, close-early]`');
});

test('a variant that is not run is checked all the same', () => {
  const error = errorOf(changed('1024-65535', '1024-70000'), { variants: ['as-shipped'] });
  expect(error.where).toBe('sale.yaml:25:44');
});
