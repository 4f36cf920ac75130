import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runners, type SceneError, scene } from '../testbed/scene.js';

interface Seen {
  statuses: Record<string, number>;
  ids: number;
  results: Record<string, number>;
  reducedAttribution?: string;
}

const through = (argument: object, runner = runners()[0]) =>
  scene<Seen>('throughProxy', { kind: 'trafficserver', ...argument }, runner);

describe.each(runners())('trafficserver as $who', (runner) => {
  it('serves 50 at its 50 ports; nine tries and one more mark the backend down, and the others are refused', async () => {
    const seen = await through(
      { proxy: { ports: '30000-30049' }, server: { ms: 1000 }, traffic: { count: 80, gapMs: 4 } },
      runner,
    );
    expect({ statuses: seen.statuses, ids: seen.ids }).toEqual({ statuses: { 200: 50, 502: 30 }, ids: 80 });
    const { answered, 'connect-failed': tries, 'no-live-backend': aftershock, ...others } = seen.results;
    expect({ answered, others }).toEqual({ answered: 50, others: {} });
    // Requests under way in the same moment as the tenth failure are tried as well.
    expect(tries).toBeGreaterThanOrEqual(17);
    expect(aftershock).toBeLessThanOrEqual(26);
  });
});

describe('trafficserver', () => {
  it('logs requests that are under way when it is stopped', async () => {
    const seen = await through({ server: { ms: 20_000 }, traffic: { count: 20, timeoutMs: 300 } });
    expect(seen).toMatchObject({ statuses: { '-1': 20 }, ids: 20, results: { 'response-timeout': 20 } });
  });

  it('tries again, at the next backend or at the same', async () => {
    const server = { behaviour: 'hang-up' };
    const again = await through({ proxy: { retries: 1, redispatch: false }, server, traffic: { count: 5 } });
    expect(again.results).toEqual({ 'closed-early': 10 });
    const once = await through({ proxy: { retries: 0 }, server, traffic: { count: 5 } });
    expect(once.results).toEqual({ 'closed-early': 5 });
  });

  it('refuses exactly those beyond its limit, and lets as many wait as its queue is long', async () => {
    const seen = await through({
      proxy: { backendConnections: 5, queueLength: 3 },
      server: { ms: 1000 },
      traffic: { count: 12, gapMs: 10 },
    });
    expect(seen.statuses).toEqual({ 200: 8, 503: 4 });
  });

  it('runs a configuration of the user, and still sees every request', async () => {
    const seen = await through({
      config: readFileSync('test/fixtures/trafficserver/own.config', 'utf8'),
      server: { ms: 1000 },
      traffic: { count: 10, gapMs: 20 },
    });
    expect(seen.statuses).toEqual({ 200: 5, 503: 5 });
    expect(seen.ids).toBe(10);
    expect(seen.results).toEqual({ answered: 5, 'connection-limit': 5 });
    expect(seen.reducedAttribution).toBeUndefined();
  });

  it.each([
    [
      'a setting that there is not',
      'CONFIG proxy.config.http.server_ports STRING {{listen}}\nCONFIG proxy.config.nonsense INT 1',
      "Unrecognized configuration value 'proxy.config.nonsense'",
    ],
    [
      'a configuration that listens elsewhere',
      'CONFIG proxy.config.http.server_ports STRING 8081',
      'does not listen on',
    ],
  ])('refuses %s', async (_, config, words) => {
    const failure = (await through({ config: `${config}\n`, traffic: { count: 1 } })) as unknown as SceneError;
    expect(failure).toMatchObject({ where: 'balancer', exitCode: 3, error: expect.stringContaining(words) });
  });
});
