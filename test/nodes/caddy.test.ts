import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { renderConfig } from '../../src/nodes/caddy/config.js';
import { caddy } from '../../src/nodes/caddy.js';
import { scratch } from '../helpers/portparty.js';
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
/** Longer than a burst takes on a machine that is busy: nobody gives a port back before all have come. */
const SLOW = { ms: 6000 };

describe.each(runners())('caddy as $who', (runner) => {
  it('loses what exceeds its 200 ports to one backend, and its log names each lost request', async () => {
    const seen = await through({ proxy: { ports: RANGE }, server: SLOW, traffic: { count: 300 } }, runner);
    expect(seen.statuses).toEqual({ 200: 200, 502: 100 });
    expect(seen).toMatchObject({ ids: 300, results: { answered: 200, 'no-local-port': 100 } });
  });
});

describe('caddy', () => {
  it('told to hold a backend down, holds down both after a failure each, and its log tells quake from aftershock', async () => {
    const { statuses, results } = await through({
      proxy: { ports: RANGE, maxFails: 1 },
      servers: 2,
      server: SLOW,
      // All at the same moment would be on their way to a backend before the first failure counts.
      traffic: { count: 600, gapMs: 2 },
    });
    const { 'no-local-port': quake, 'no-live-backend': aftershock, ...others } = results;
    expect({ lost: quake + aftershock, others }).toEqual({ lost: 200, others: { answered: 400 } });
    expect(quake).toBeGreaterThanOrEqual(2);
    expect(statuses).toEqual({ 200: 400, 502: quake, 503: aftershock });
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

  it.each([
    ...['round-robin', 'least-connections', 'random-two', 'hash'].map((algorithm) => ({ algorithm })),
    ...['source', 'cookie', 'consistent-hash'].map((sticky) => ({ sticky })),
    { maxFails: 2, failTimeout: '1500ms', retries: 3, connectTimeout: '500ms', responseTimeout: '2s', keepalive: 8 },
    { healthCheck: { interval: '500ms', fall: 1, rise: 1 }, backendConnections: 10 },
  ])('understands %o', (knobs) => {
    const spec = caddy.knobs.parse({ to: 'shop', ...knobs });
    const endpoint = { host: 'x', address: '198.18.0.2', port: 80 };
    const files = { log: '/tmp/x.log', admin: 'unix//tmp/x.sock', storage: '/tmp/x' };
    const file = join(scratch(), 'Caddyfile');
    writeFileSync(file, renderConfig(spec, files, endpoint, [endpoint, endpoint]));
    const { status, stderr } = spawnSync('caddy', ['adapt', '--config', file], { encoding: 'utf8' });
    expect({ status, said: stderr }).toEqual({ status: 0, said: '' });
  });

  it('runs a configuration of the user, and still sees every request', async () => {
    const config = readFileSync('test/fixtures/caddy/Caddyfile', 'utf8');
    // One after another: Caddy looks at its count before it adds to it.
    const seen = await through({ config, server: { ms: 1000 }, traffic: { count: 10, gapMs: 20 } });
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
