import { describe, expect, it } from 'vitest';
import { translationRules } from '../../src/nodes/nat.js';
import { runners, type SceneError, scene } from '../testbed/scene.js';

interface Held {
  established: number;
  /** Connections that the server saw from each address of the gateway. */
  perAddress: number[];
}

const held = (argument: object, runner = runners()[0]) => scene<Held>('heldThroughNat', argument, runner);

describe('the rules of a gateway', () => {
  const spec = { ports: { lo: 20_000, hi: 20_499 }, allocation: 'kernel', masquerade: false } as const;

  it('translate to the one address and the range', () => {
    expect(translationRules(spec, ['198.18.1.2'])).toContain(
      'oifname "back0" ip protocol tcp snat to 198.18.1.2:20000-20499\n',
    );
  });

  it('let several addresses take turns', () => {
    const rules = translationRules(spec, ['198.18.1.2', '198.18.1.3', '198.18.1.4']);
    expect(rules).toContain('numgen inc mod 3 0 snat to 198.18.1.2:20000-20499');
    expect(rules).toContain('numgen inc mod 2 0 snat to 198.18.1.3:20000-20499');
    expect(rules).toContain('tcp snat to 198.18.1.4:20000-20499');
  });

  it('give each sender a block of its own, address by address', () => {
    const rules = translationRules(
      { ...spec, portsPerSource: 200 },
      ['198.18.1.2', '198.18.1.3'],
      ['198.18.0.2', '198.18.0.3', '198.18.0.4'],
    );
    expect(rules.match(/ip saddr .*/g)).toEqual([
      'ip saddr 198.18.0.2 snat to 198.18.1.2:20000-20199',
      'ip saddr 198.18.0.3 snat to 198.18.1.2:20200-20399',
      'ip saddr 198.18.0.4 snat to 198.18.1.3:20000-20199',
    ]);
  });

  it('use all unprivileged ports when the scenario names none, and the flag of the allocation', () => {
    const rules = translationRules({ allocation: 'fully-random', masquerade: true }, ['198.18.1.2']);
    expect(rules).toContain('masquerade to :1024-65535 fully-random');
  });
});

describe.each(runners())('a gateway as $who', (runner) => {
  it('carries exactly as many connections to one destination as its range has ports', async () => {
    const nat = { ports: '20000-20499' };
    expect(await held({ clients: 4, each: 200, nat }, runner)).toEqual({ established: 500, perAddress: [500] });
  });
});

describe('a gateway', () => {
  it('fills a small range to the last port', async () => {
    const nat = { ports: '20000-20063' };
    expect(await held({ clients: 1, each: 100, nat })).toEqual({ established: 64, perAddress: [64] });
  });

  it('has the whole range once per address, for one client as for many', async () => {
    const nat = { ports: '20000-20499', addresses: 2 };
    const full = { established: 1000, perAddress: [500, 500] };
    expect(await held({ clients: 1, each: 1200, nat })).toEqual(full);
    expect(await held({ clients: 4, each: 300, nat })).toEqual(full);
  });

  it('with a block of ports for each source leaves each its own, whatever the others take', async () => {
    const nat = { ports: '20000-20127', portsPerSource: 32 };
    expect(await held({ clients: 3, each: 50, nat, ms: 1500 })).toEqual({ established: 96, perAddress: [96] });
  });

  it('spreads connections evenly over its addresses', async () => {
    const nat = { addresses: 3 };
    expect(await held({ clients: 2, each: 150, nat, ms: 1500 })).toEqual({
      established: 300,
      perAddress: [100, 100, 100],
    });
  });

  it('masquerades within the range', async () => {
    const nat = { ports: '20000-20063', masquerade: true, allocation: 'random' };
    expect(await held({ clients: 2, each: 50, nat })).toEqual({ established: 64, perAddress: [64] });
  });

  it('refuses several addresses with masquerade', async () => {
    const failure = (await held({ clients: 1, each: 1, nat: { masquerade: true, addresses: 2 } })) as unknown;
    expect(failure as SceneError).toMatchObject({ where: 'topology.edge.addresses', exitCode: 2 });
  });
});
