import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runners, type SceneError, scene } from '../testbed/scene.js';

interface Seen {
  statuses: Record<string, number>;
  ids: number;
  results: Record<string, number>;
  refusals: Record<string, number>;
  incidents: string[];
  connectionsFrom: Record<string, number>;
  ports: number;
  reducedAttribution?: string;
}

async function through(argument: object, runner = runners()[0]): Promise<Seen> {
  const seen = await scene<Seen>('throughHaproxy', argument, runner);
  // Else a test would only tell what is missing.
  expect(seen).not.toHaveProperty('error');
  return seen;
}
const failing = (argument: object) => scene<SceneError>('throughHaproxy', argument);

describe.each(runners())('haproxy as $who', (runner) => {
  it('loses what exceeds its 200 ports to one backend, and its log names each lost request', async () => {
    const haproxy = { ports: '20000-20199', workers: 2 };
    const seen = await through({ haproxy, server: { ms: 1500 }, traffic: { count: 300 } }, runner);
    expect(seen.statuses).toEqual({ 200: 200, 503: 100 });
    expect(seen).toMatchObject({ ids: 300, results: { answered: 200 }, ports: 200 });
    // The first try, and three repeated ones, of which two threads may report some together.
    expect(seen.results['no-local-port']).toBeGreaterThan(300);
    expect(seen.results['no-local-port']).toBeLessThanOrEqual(400);
  });
});

describe('haproxy', () => {
  it('takes turns among its source addresses and its backends, to the unit', async () => {
    const seen = await through({
      haproxy: { ports: '20000-20099', sourceAddresses: 2 },
      servers: 2,
      server: { ms: 1500 },
      traffic: { count: 450 },
    });
    expect(seen.statuses).toEqual({ 200: 400, 503: 50 });
    expect(Object.values(seen.connectionsFrom)).toEqual([200, 200]);
  });

  it('leaves no TIME_WAIT where it closes first: 100 ports serve 200 requests in a row', async () => {
    const seen = await through({
      haproxy: { ports: '20000-20099' },
      server: { close: 'client' },
      traffic: { count: 200, gapMs: 5 },
    });
    expect(seen.statuses).toEqual({ 200: 200 });
  });

  it('tells of resets, of early ends and of backends that are not there', async () => {
    const traffic = { count: 5 };
    expect((await through({ server: { behaviour: 'reset' }, traffic })).results).toEqual({ reset: 5 });
    expect((await through({ server: { behaviour: 'hang-up' }, traffic })).results).toEqual({ reset: 5 });
    const nobody = await through({ haproxy: { retries: 0 }, server: null, traffic });
    expect(nobody.results).toEqual({ refused: 5 });
  });

  it('logs what is still under way when it is told to end', async () => {
    const seen = await through({ server: { ms: 9000 }, traffic: { count: 5, timeoutMs: 200 } });
    expect(seen).toMatchObject({ statuses: { '-1': 5 }, ids: 5, results: { 'response-timeout': 5 } });
  });

  it('runs a configuration of the user, and still sees every request', async () => {
    const config = readFileSync('test/fixtures/haproxy/own.cfg', 'utf8');
    const seen = await through({ config, server: { ms: 500 }, traffic: { count: 12 } });
    expect(seen.statuses).toEqual({ 200: 5, 429: 1, 503: 6 });
    expect(seen).toMatchObject({ ids: 12, results: { answered: 5, 'queue-timeout': 6 }, refusals: { throttled: 1 } });
    expect(seen.reducedAttribution).toBeUndefined();
  });

  it("refuses a wrong configuration in haproxy's own words", async () => {
    const failure = await failing({ config: 'global\n  nonsense on\n', traffic: { count: 1 } });
    expect(failure).toMatchObject({ where: 'balancer', exitCode: 3 });
    expect(failure.error).toContain("unknown keyword 'nonsense'");
  });

  it('refuses a limit of descriptors with which it cannot start', async () => {
    const failure = await failing({ haproxy: { openFiles: 64 }, traffic: { count: 1 } });
    expect(failure).toMatchObject({ exitCode: 3, hint: 'raise `openFiles`' });
  });
});
