import { describe, expect, test } from 'vitest';
import type { LoadOptions } from '../../src/scenario/parse.js';
import { errorOf, RIGHT } from './mistake.js';

describe('a mistake on the command line names the option', () => {
  const OPTIONS: [options: LoadOptions, where: string, message: string, hint: string | undefined][] = [
    [
      { set: ['topology.edge.ports=1-70000'] },
      '--set topology.edge.ports=1-70000',
      '`ports`: 1-70000 is not a range of ports',
      'ports go from 1 to 65535',
    ],
    [
      { set: ['topology.edge.prots=1-7000'] },
      '--set topology.edge.prots=1-7000',
      'unknown key `prots`',
      'did you mean `ports`?',
    ],
    [
      { set: ['topology.edg.ports=1-7000'] },
      '--set topology.edg.ports=1-7000',
      'there is no node `edg`',
      'did you mean `edge`?',
    ],
    [{ set: ['topology.edge.to=null'] }, '--set topology.edge.to=null', '`to` is missing', 'name the next hop'],
    [
      { set: ['topology.edge'] },
      '--set topology.edge',
      'there is no `=` and no value',
      'write it like --set topology.edge.ports=1024-65535',
    ],
    [{ set: ['=5'] }, '--set =5', '"" is not a path of keys', 'write it like --set topology.edge.ports=1024-65535'],
    [{ set: ['seed=['] }, '--set seed=[', '"[" is not a YAML value', 'put it in quotes'],
    [{ set: ['name.first=x'] }, '--set name.first=x', '`name` holds no keys', undefined],
    [
      { set: ['traffic.arrivals.9.rate=5/s'] },
      '--set traffic.arrivals.9.rate=5/s',
      '`traffic.arrivals` has no item 9',
      'it is a list of 3, numbered from 0',
    ],
    [
      { set: ['traffic.arrivals.0.rate=5'] },
      '--set traffic.arrivals.0.rate=5',
      '`rate`: 5 has no unit',
      'write a rate like 600/s or 50/s..600/s',
    ],
    [
      { variants: ['wide-pool'] },
      '--variant wide-pool',
      'there is no variant `wide-pool`',
      'did you mean `wider-pool`?',
    ],
    [
      { variants: ['none'] },
      '--variant none',
      'there is no variant `none`',
      'variants are: as-shipped, wider-pool, four-addresses, close-early',
    ],
    [{ trials: 0 }, '--trials 0', 'expected a whole number of at least 1', undefined],
    [{ seed: Number.NaN }, '--seed NaN', 'expected a whole number of at least 0', undefined],
  ];
  test.each(OPTIONS)('%j', (options, where, message, hint) => {
    const error = errorOf(RIGHT, options);
    expect([error.where, error.message, error.hint, error.exitCode]).toEqual([where, message, hint, 2]);
  });
});
