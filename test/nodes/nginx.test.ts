import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runners, type SceneError, scene } from '../testbed/scene.js';

interface Seen {
  statuses: Record<string, number>;
  sightings: number;
  ids: number;
  results: Record<string, number>;
  refusals: string[];
  incidents: string[];
  reducedAttribution?: string;
}

const through = (argument: object, runner = runners()[0]) => scene<Seen>('throughNginx', argument, runner);
const RANGE = '20000-20199';
/** Longer than a burst takes on a machine that is busy: nobody gives a port back before all have come. */
const SLOW = { ms: 6000 };

describe.each(runners())('nginx as $who', (runner) => {
  it('loses what exceeds its 200 ports to one backend, and its log names each lost request', async () => {
    const seen = await through({ nginx: { ports: RANGE }, server: SLOW, traffic: { count: 300 } }, runner);
    expect(seen.statuses).toEqual({ 200: 200, 502: 100 });
    expect(seen).toMatchObject({ ids: 300, results: { answered: 200, 'no-local-port': 100 } });
  });
});

describe('nginx', () => {
  it('carries 300 at once with two source addresses', async () => {
    const seen = await through({
      nginx: { ports: RANGE, sourceAddresses: 2 },
      server: SLOW,
      traffic: { count: 300 },
    });
    expect(seen.statuses).toEqual({ 200: 300 });
  });

  it('holds down both backends after the first failure, and its log tells quake from aftershock', async () => {
    const { statuses, results } = await through({
      nginx: { ports: RANGE },
      servers: 2,
      server: SLOW,
      traffic: { count: 600 },
    });
    expect(statuses).toEqual({ 200: 400, 502: 200 });
    expect(results.answered).toBe(400);
    expect(results['no-local-port']).toBeGreaterThanOrEqual(2);
    expect(results['no-live-backend']).toBeGreaterThanOrEqual(190);
  });

  it('runs out of ports by TIME_WAIT when it must close itself, and keepalive cures it', async () => {
    const traffic = { count: 300, gapMs: 5 };
    const server = { close: 'client' };
    const without = await through({ nginx: { ports: RANGE }, server, traffic });
    expect(without.results).toEqual({ answered: 200, 'no-local-port': 100 });
    const cured = await through({ nginx: { ports: RANGE, keepalive: 16 }, server, traffic });
    expect(cured.statuses).toEqual({ 200: 300 });
  });

  it('tells of resets, of early ends and of backends that are not there', async () => {
    const traffic = { count: 5 };
    expect((await through({ server: { behaviour: 'reset' }, traffic })).results).toEqual({ reset: 5 });
    expect((await through({ server: { behaviour: 'hang-up' }, traffic })).results).toEqual({ 'closed-early': 5 });
    expect((await through({ server: null, traffic })).results).toEqual({ refused: 5 });
  });

  it('tells of its limits of connections and of files', async () => {
    const server = { ms: 500 };
    const few = await through({ nginx: { workerConnections: 8 }, server, traffic: { count: 20 } });
    expect(few.incidents).toContain('connection-limit');
    const files = await through({ nginx: { openFiles: 24 }, server, traffic: { count: 40 } });
    expect(files.refusals).toContain('file-limit');
    expect(files.incidents).toContain('file-limit');
  });

  it('keeps to its limits of clients, of connections to a backend, and of requests per client', async () => {
    const burst = { server: { ms: 500 }, traffic: { count: 10 } };
    const clients = await through({ nginx: { maxConnections: 4 }, ...burst });
    expect([clients.statuses, clients.refusals]).toEqual([{ 200: 4, 503: 6 }, Array(6).fill('connection-limit')]);
    const backend = await through({ nginx: { backendConnections: 4 }, ...burst });
    expect([backend.statuses, backend.results]).toEqual([
      { 200: 4, 502: 6 },
      { answered: 4, 'connection-limit': 6 },
    ]);
    const rate = await through({ nginx: { rateLimit: { rate: '10/m', burst: 3 } }, ...burst });
    expect([rate.statuses, rate.refusals]).toEqual([{ 200: 4, 429: 6 }, Array(6).fill('throttled')]);
  });

  it('asks its backend once for a page that ten want at the same time', async () => {
    const seen = await through({ nginx: { cache: { ttl: '10s' } }, server: { ms: 300 }, traffic: { count: 10 } });
    expect([seen.statuses, seen.results]).toEqual([{ 200: 10 }, { answered: 1 }]);
  });

  it('runs a configuration of the user, and still sees every request', async () => {
    const config = readFileSync('test/fixtures/nginx/own.conf', 'utf8');
    const seen = await through({ config, server: { ms: 300 }, traffic: { count: 10 } });
    expect(seen.statuses).toEqual({ 200: 5, 503: 5 });
    expect(seen.ids).toBe(10);
    expect(seen.refusals).toEqual(Array(5).fill('connection-limit'));
    expect(seen.reducedAttribution).toBeUndefined();
  });

  it("refuses a wrong configuration in nginx's own words", async () => {
    const failure = (await through({ config: 'events {} http { nonsense on; }', traffic: { count: 1 } })) as unknown;
    expect(failure as SceneError).toMatchObject({ where: 'balancer', exitCode: 3 });
    expect((failure as SceneError).error).toContain('unknown directive "nonsense"');
  });

  it('refuses a configuration that listens elsewhere', async () => {
    const config = 'events {} http { server { listen 8081; } }';
    const failure = (await through({ config, traffic: { count: 1 } })) as unknown;
    expect(failure as SceneError).toMatchObject({ exitCode: 3, hint: expect.stringContaining('{{listen}}') });
  });
});
