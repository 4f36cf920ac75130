import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runners, type SceneError, scene } from '../testbed/scene.js';

interface Seen {
  statuses: Record<string, number>;
  ids: number;
  results: Record<string, number>;
  ports: number;
  reducedAttribution?: string;
}

const through = (argument: object, runner = runners()[0]) =>
  scene<Seen>('throughProxy', { kind: 'varnish', ...argument }, runner);

describe.each(runners())('varnish as $who', (runner) => {
  it('loses what exceeds its 50 ports to one backend, and its log names each lost request', async () => {
    const seen = await through(
      { proxy: { ports: '30000-30049' }, server: { ms: 1000 }, traffic: { count: 80 } },
      runner,
    );
    const { answered, 'no-local-port': quake, 'no-live-backend': aftershock = 0, ...others } = seen.results;
    expect({ answered, lost: quake + aftershock, others, ids: seen.ids }).toEqual({
      answered: 50,
      lost: 30,
      others: {},
      ids: 80,
    });
    expect(quake).toBeGreaterThan(0);
  });
});

describe('varnish', () => {
  it('logs requests that are under way when it is stopped', async () => {
    const seen = await through({ server: { ms: 20_000 }, traffic: { count: 20, timeoutMs: 300 } });
    expect(seen).toMatchObject({ statuses: { '-1': 20 }, ids: 20, results: { 'closed-early': 20 } });
  });

  it('tries again, at the next backend or at the same', async () => {
    const server = { behaviour: 'hang-up' };
    const again = await through({ proxy: { retries: 1, redispatch: false }, server, traffic: { count: 5 } });
    expect(again.results).toEqual({ 'closed-early': 10 });
  });

  it('refuses what its health checks have found to be down', async () => {
    const healthCheck = { interval: '100ms', fall: 1, rise: 1 };
    const { results } = await through({ proxy: { healthCheck }, server: null, traffic: { count: 5, gapMs: 300 } });
    expect(results['no-live-backend']).toBeGreaterThanOrEqual(4);
  });

  it('runs a VCL of the user, and still sees every request', async () => {
    const seen = await through({
      config: readFileSync('test/fixtures/varnish/own.vcl', 'utf8'),
      proxy: { backendConnections: 5 },
      server: { ms: 1000 },
      traffic: { count: 10 },
    });
    expect(seen).toMatchObject({
      statuses: { 200: 5, 503: 5 },
      ids: 10,
      results: { answered: 5, 'connection-limit': 5 },
    });
    expect(seen.reducedAttribution).toBeUndefined();
  });

  it("refuses a wrong VCL in varnish's own words", async () => {
    const failure = (await through({ config: 'vcl 4.1; nonsense', traffic: { count: 1 } })) as unknown as SceneError;
    expect(failure).toMatchObject({ where: 'balancer', exitCode: 3, error: expect.stringContaining("'nonsense'") });
  });
});
