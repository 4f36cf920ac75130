/** `portparty explain` on real runs: the story names what ran out and what cures it, the way of a request ends where it was lost. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Story } from '../../src/analysis/story.js';
import type { FoundRequest } from '../../src/record/find-request.js';
import type { RequestRow } from '../../src/record/read-requests.js';
import { losses, portparty, record, scenarioFile } from '../helpers/portparty.js';

/** 60 held connections through 40 ports, to a server behind NGINX. */
const HELD = `
name: held
topology:
  buyers: { kind: client, hosts: 2, to: edge }
  edge: { kind: nat, ports: 20000-20039, to: balancer }
  balancer: { kind: nginx, to: shop }
  shop: { kind: fixed }
traffic:
  from: buyers
  journey: hold
  holdFor: 4s
  arrivals: [{ for: 500ms, rate: 120/s }]
  process: uniform
  maxLateness: 10s
  timeout: { connect: 2s, response: 5s }
`;

/** A proxy of 10 ports towards each of two backends, under 120 requests a second of 500 ms each. */
const SHAKEN = `
name: shaken
topology:
  buyers: { kind: client, to: balancer }
  balancer: { kind: nginx, ports: 30000-30009, to: shop }
  shop: { kind: fixed, hosts: 2, serviceTime: 500ms }
traffic:
  from: buyers
  journey: view-event
  connections: per-request
  arrivals: [{ for: 1s, rate: 120/s }]
  process: uniform
  maxLateness: 10s
  timeout: { connect: 3s, response: 5s }
  retry: { attempts: 1, backoff: 50ms }
`;

const explain = (folder: string, ...args: string[]) => portparty(['explain', folder, ...args]);

async function json<Value>(folder: string, ...args: string[]): Promise<Value> {
  const { code, stdout, stderr } = await explain(folder, '--json', ...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as Value;
}

async function idsOf(folder: string, ...args: string[]): Promise<string[]> {
  const { stdout } = await portparty(['requests', folder, '--json', ...args]);
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => (JSON.parse(line) as RequestRow).id);
}

describe('an exhausted gateway', () => {
  const own = mkdtempSync(join(tmpdir(), 'portparty-test-'));
  const results = join(own, 'results');
  let folder: string;
  beforeAll(async () => {
    await portparty(['run', scenarioFile(own, HELD), '--out', results, '--quiet']);
    folder = join(results, readdirSync(results).find((name) => name !== 'latest')!);
  });
  afterAll(() => rmSync(own, { recursive: true, force: true }));

  it('is the story of the run: how full, towards what, who suffered, and what it would have needed', async () => {
    const { stories, missing } = await json<{ stories: Story[]; missing: string[] }>(folder);
    expect(missing).toEqual([]);
    const [{ chapters, requests }] = stories;
    expect(requests).toMatchObject({ due: 60, completed: 40, dropped: 20 });
    expect(chapters).toHaveLength(1);
    const [chapter] = chapters;
    expect(chapter).toMatchObject({
      cause: 'ports-exhausted',
      at: 'edge',
      lost: 20,
      wake: [],
      late: 0,
      visitors: 20,
      neededPorts: 60,
    });
    expect(chapter.pool).toMatchObject({ capacity: 40, peak: 40 });
    expect(chapter.pool?.towards).toMatch(/^balancer \(198\.18\.\d+\.\d+:80\)$/);
    expect(Object.values(chapter.byClient).reduce((sum, value) => sum + value, 0)).toBe(20);
    const { stdout } = await explain(folder);
    expect(stdout).toContain('edge ran out of ports: all 40 towards balancer');
    expect(stdout).toMatch(/topology\.edge\.ports: 20000-200\d\d/);
  });

  it('cured as advised loses nothing', async () => {
    const { stories } = await json<{ stories: Story[] }>(folder);
    for (const { knob, value } of stories[0].chapters[0].advice.slice(0, 2)) {
      const cured = await record(HELD, ['--set', `${knob}=${value}`]);
      expect(losses(cured.variants[0])).toEqual({});
    }
  });

  it('is where the way of a lost SYN ends, with all of its copies', async () => {
    const [id] = await idsOf(folder, '--dropped');
    const { request, way, evidence } = await json<FoundRequest>(folder, '--request', id);
    expect(request).toMatchObject({ state: 'dropped', cause: 'ports-exhausted', at: 'edge' });
    const hops = way!.tries[0].leg!.hops;
    expect(hops.map(({ host }) => host.replace(/\[\d\]/, ''))).toEqual(['buyers', 'edge']);
    expect(hops[0].synOut!.length).toBeGreaterThan(1);
    expect(hops[1].synIn).toHaveLength(hops[0].synOut!.length);
    expect(hops[1]).toMatchObject({ in: hops[0].out, forwarded: true });
    expect(hops[1].synOut).toBeUndefined();
    expect(evidence.join()).toContain('never left');
    const { stdout } = await explain(folder, '--request', id);
    expect(stdout).toContain('lost: ports-exhausted@edge');
    expect(stdout).toContain('it never left; it had reached the forward chain');
    expect(stdout).toMatch(/gave up: the handshake did not finish within timeout\.connect \(2 s\)/);
  });

  it('translated those that completed: each address and port before and behind it, and behind the proxy', async () => {
    const completed = (await idsOf(folder)).filter((id) => id === '0.1.0.0' || id === '0.1.5.0');
    expect(completed).toHaveLength(2);
    for (const id of completed) {
      const { way } = await json<FoundRequest>(folder, '--request', id);
      const [{ leg, visit }] = way!.tries;
      const [buyers, edge, balancer] = leg!.hops;
      expect(edge.in).toEqual(buyers.out);
      expect(edge.out![0]).toMatch(/:200[0-3]\d$/);
      expect(balancer.in).toEqual(edge.out);
      expect(visit).toMatchObject({ host: 'balancer', status: 200, peer: edge.out![0] });
      const [one] = visit!.tries;
      expect(one).toMatchObject({ host: 'shop', result: 'answered' });
      expect(one.leg!.hops.map(({ host }) => host)).toEqual(['balancer', 'shop']);
      expect(one.visit).toMatchObject({ host: 'shop', status: 200, peer: one.leg!.hops[0].out![0] });
    }
    const { stdout } = await explain(folder, '--request', completed[0]);
    expect(stdout).toContain('whole answer: 200');
    expect(stdout).toContain(', translated');
  });

  it('a visitor alone lists its requests; what is no id is told with one that is', async () => {
    const { stdout, code } = await explain(folder, '--request', '0.1.5');
    expect(code).toBe(0);
    expect(stdout).toContain('0.1.5.0');
    expect((await explain(folder, '--request', '5')).stdout).toBe(stdout);
    for (const id of ['0.1.999.0', '7.7.7.7', 'x']) {
      const wrong = await explain(folder, '--request', id);
      expect(wrong.code).toBe(2);
      expect(wrong.stderr).toMatch(/such as 0\.1\.\d+\.0 \(default/);
    }
  });
});

describe('an exhausted proxy', () => {
  it('is told from its aftershock, with its moment, its length, and the retries of both sides', async () => {
    const { folder, variants } = await record(SHAKEN);
    const [{ requests, aftershocks, proxies }] = variants;
    const down = requests.byCause.filter(({ cause }) => cause === 'backend-held-down');
    expect(down).toHaveLength(1);
    expect(down[0].because).toEqual({ cause: 'ports-exhausted', at: 'balancer' });
    expect(aftershocks!.reduce((sum, one) => sum + one.count, 0)).toBe(down[0].count);
    expect(aftershocks![0]).toMatchObject({ at: 'balancer', because: { cause: 'ports-exhausted', at: 'balancer' } });
    expect(aftershocks![0].lastedMs).toBeGreaterThan(0);
    expect(proxies!.balancer.tries).toBeGreaterThanOrEqual(proxies!.balancer.requests);
    const { stories } = await json<{ stories: Story[] }>(folder);
    const [{ chapters, retries }] = stories;
    expect(chapters).toHaveLength(1);
    expect(chapters[0].wake).toEqual([{ cause: 'backend-held-down', at: 'balancer', count: down[0].count }]);
    expect(retries.further).toBe(requests.attempts - requests.due);
    expect(retries.further).toBeGreaterThan(0);
    const { stdout } = await explain(folder);
    expect(stdout).toContain('Its aftershock');
    expect(stdout).toContain('Retries');
    const [id] = await idsOf(folder, '--cause', 'backend-held-down', '--dropped');
    const { way } = await json<FoundRequest>(folder, '--request', id);
    expect(way!.tries.map(({ number }) => number)).toEqual([1, 2]);
    expect(way!.tries.at(-1)!.visit!.tries.at(-1)!.result).toBe('no-live-backend');
  });
});
