import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runners, type SceneError, scene } from '../testbed/scene.js';

interface Seen {
  statuses: Record<string, number>;
  ids: number;
  results: Record<string, number>;
  connectionsFrom: Record<string, number>;
  reducedAttribution?: string;
}

const through = (argument: object, runner = runners()[0]) =>
  scene<Seen>('throughProxy', { kind: 'squid', ...argument }, runner);

describe.each(runners())('squid as $who', (runner) => {
  it('loses what exceeds its 50 ports to one backend; its own first look at the backend has left one in TIME_WAIT', async () => {
    const seen = await through(
      { proxy: { ports: '30000-30049' }, server: { ms: 1000 }, traffic: { count: 80 } },
      runner,
    );
    const { answered, 'no-local-port': quake, 'no-live-backend': aftershock = 0, ...others } = seen.results;
    expect({ answered, lost: quake + aftershock, others, ids: seen.ids }).toEqual({
      answered: 49,
      lost: 31,
      others: {},
      ids: 80,
    });
  });
});

describe('squid', () => {
  it('takes turns among its source addresses, and binds first then: all backends share their ports', async () => {
    const { statuses, connectionsFrom } = await through({
      proxy: { ports: '30000-30049', sourceAddresses: 2 },
      servers: 2,
      server: { ms: 1000 },
      traffic: { count: 150, gapMs: 1 },
    });
    // Each address has looked at each backend once.
    expect(statuses[200]).toBe(2 * 50 - 4);
    expect(Object.values(connectionsFrom)).toEqual([48, 48]);
  });

  it('runs a configuration of the user, and still sees every request', async () => {
    const seen = await through({
      config: readFileSync('test/fixtures/squid/own.conf', 'utf8'),
      proxy: { backendConnections: 5 },
      server: { ms: 1000 },
      traffic: { count: 10, gapMs: 20 },
    });
    // Squid counts a connection once it stands, so a burst may get one more through.
    expect(seen.results.answered).toBeGreaterThanOrEqual(5);
    expect(seen.results).toEqual({ answered: seen.statuses[200], 'connection-limit': seen.statuses[502] });
    expect(seen.ids).toBe(10);
    expect(seen.reducedAttribution).toBeUndefined();
  });

  it.each([
    [
      "a wrong configuration in squid's own words",
      'http_port {{listen}} accel\nnonsense on',
      "(2): unrecognized: 'nonsense'",
    ],
    ['a configuration that listens elsewhere', 'http_port 8081', 'does not listen on'],
  ])('refuses %s', async (_, config, words) => {
    const failure = (await through({ config: `${config}\n`, traffic: { count: 1 } })) as unknown as SceneError;
    expect(failure).toMatchObject({ where: 'balancer', exitCode: 3, error: expect.stringContaining(words) });
  });
});
