import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runners, type SceneError, scene } from '../testbed/scene.js';

interface Seen {
  statuses: Record<string, number>;
  ids: number;
  results: Record<string, number>;
  refusals: Record<string, number>;
  incidents: Record<string, number>;
  reducedAttribution?: string;
}

const through = (argument: object, runner = runners()[0]) =>
  scene<Seen>('throughProxy', { kind: 'caddy', ...argument }, runner);
const RANGE = '20000-20199';
const SLOW = { ms: 3000 };

describe.each(runners())('caddy as $who', (runner) => {
  it('loses what exceeds its 200 ports to one backend, and its log names each lost request', async () => {
    const seen = await through({ proxy: { ports: RANGE }, server: SLOW, traffic: { count: 300 } }, runner);
    expect(seen.statuses).toEqual({ 200: 200, 502: 100 });
    expect(seen).toMatchObject({ ids: 300, results: { answered: 200, 'no-local-port': 100 } });
  });
});

describe('caddy', () => {
  it('holds no backend down unless it is asked to, and then tells quake from aftershock', async () => {
    const two = { servers: 2, server: SLOW, traffic: { count: 600 } };
    const quake = await through({ proxy: { ports: RANGE }, ...two });
    expect(quake.results).toEqual({ answered: 400, 'no-local-port': 200 });
    const { statuses, results } = await through({ proxy: { ports: RANGE, maxFails: 1 }, ...two });
    expect(results.answered).toBe(400);
    expect(results['no-local-port']).toBeGreaterThanOrEqual(2);
    expect(results['no-local-port'] + results['no-live-backend']).toBe(200);
    expect(statuses).toEqual({ 200: 400, 502: results['no-local-port'], 503: results['no-live-backend'] });
  });

  it('runs out of ports by TIME_WAIT when it must close itself, and keepalive cures it', async () => {
    const traffic = { count: 300, gapMs: 5 };
    const server = { close: 'client' };
    const without = await through({ proxy: { ports: RANGE }, server, traffic });
    expect(without.results).toEqual({ answered: 200, 'no-local-port': 100 });
    const cured = await through({ proxy: { ports: RANGE, keepalive: 16 }, server, traffic });
    expect(cured.statuses).toEqual({ 200: 300 });
  });

  it('tells of resets, of early ends and of backends that are not there', async () => {
    const traffic = { count: 5 };
    expect((await through({ server: { behaviour: 'reset' }, traffic })).results).toEqual({ reset: 5 });
    expect((await through({ server: { behaviour: 'hang-up' }, traffic })).results).toEqual({ 'closed-early': 5 });
    expect((await through({ server: null, traffic })).results).toEqual({ refused: 5 });
    const again = await through({ proxy: { retries: 2 }, server: null, traffic });
    expect([again.results, again.statuses]).toEqual([{ refused: 15 }, { 502: 5 }]);
  });

  it('lets requests wait for one of its connections to a backend, however long it takes', async () => {
    const { statuses, results } = await through({
      proxy: { backendConnections: 4 },
      server: { ms: 300 },
      traffic: { count: 20 },
    });
    expect([statuses, results]).toEqual([{ 200: 20 }, { answered: 20 }]);
  });

  it('tells of its limit of files', async () => {
    const { results, incidents } = await through({
      proxy: { openFiles: 24 },
      server: { ms: 500 },
      traffic: { count: 40 },
    });
    expect((results['file-limit'] ?? 0) + (incidents['file-limit'] ?? 0)).toBeGreaterThan(0);
  });

  it('runs a configuration of the user, and still sees every request', async () => {
    const config = readFileSync('test/fixtures/caddy/Caddyfile', 'utf8');
    const seen = await through({ config, server: { ms: 1000 }, traffic: { count: 10 } });
    expect(seen.statuses).toEqual({ 200: 5, 503: 5 });
    expect(seen.ids).toBe(10);
    expect(seen.results).toEqual({ answered: 5, 'connection-limit': 5 });
    expect(seen.reducedAttribution).toBeUndefined();
  });

  it.each([
    [
      "a wrong configuration in Caddy's own words",
      '{{listen}} {\n\tnonsense on\n}',
      'unrecognized directive: nonsense',
    ],
    ['a configuration that listens elsewhere', ':8081 {\n\trespond ok\n}', 'does not listen on'],
  ])('refuses %s', async (_, config, words) => {
    const failure = (await through({ config: `${config}\n`, traffic: { count: 1 } })) as unknown as SceneError;
    expect(failure).toMatchObject({ where: 'balancer', exitCode: 3, error: expect.stringContaining(words) });
  });
});
