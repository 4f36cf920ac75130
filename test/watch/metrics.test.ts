/** The endpoint says what docs/watch.md promises, and the dashboard and the alerts ask for nothing else. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { makeMetrics, serveMetrics } from '../../src/watch/metrics.js';
import type { WatchSample } from '../../src/watch/sample.js';

const doc = (file: string) => readFileSync(new URL(`../../docs/${file}`, import.meta.url), 'utf8');
const names = (text: string) => new Set(text.match(/portparty_[a-z_]+/g));

const SAMPLE: WatchSample = {
  schema: 'portparty/watch@1',
  at: '2026-01-01T00:00:01.000Z',
  host: 'web-3',
  ports: { range: { lo: 20_000, hi: 20_099 }, reserved: 0, bound: 0, capacity: 100 },
  counted: { at: '2026-01-01T00:00:01.000Z', cpuMs: 2, sockets: 60, timeWait: 10, pools: 2 },
  pools: [
    {
      source: '198.18.0.1',
      destination: '198.18.0.2:80',
      inUse: 50,
      timeWait: 10,
      reusable: 0,
      taken: 50,
      share: 0.5,
      growthPerSecond: 2,
      closingPerSecond: 0,
      secondsUntilFull: 25,
    },
  ],
  sockets: { inUse: 50, timeWait: 10, orphans: 0 },
  opened: { total: 70, perSecond: 2 },
  listening: {
    overflows: 3,
    drops: 4,
    dropsPerSecond: 0,
    fullest: { address: '0.0.0.0:80', queued: 32, backlog: 128 },
  },
  conntrack: null,
  processes: null,
  warnings: [],
  unreadable: ['connection table'],
  cpuShare: null,
};

describe('the metrics', () => {
  it('are those of docs/watch.md, with their types', async () => {
    const { register } = await makeMetrics();
    const rows = doc('watch.md').matchAll(/^\| `(portparty_[a-z_]+)` \| (\w+) \|/gm);
    const documented = [...rows].map(([, name, type]) => `${name} ${type}`);
    const made = register.getMetricsAsArray().map(({ name, type }) => `${name} ${type}`);
    expect(documented.sort()).toEqual(made.sort());
  });

  it('are all that the dashboard and the alert rules ask for', async () => {
    const { register } = await makeMetrics();
    const made = new Set(register.getMetricsAsArray().map(({ name }) => name));
    const dashboard = JSON.parse(doc('grafana/dashboard.json')) as { panels: { targets: { expr: string }[] }[] };
    const queries = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
    const { groups } = parse(doc('grafana/alerts.yaml')) as { groups: { rules: { alert: string; expr: string }[] }[] };
    const asked = names([...queries, ...groups.flatMap(({ rules }) => rules.map(({ expr }) => expr))].join('\n'));
    expect(asked.size).toBeGreaterThan(10);
    expect([...asked].filter((name) => !made.has(name))).toEqual([]);
  });

  it('say nothing of what was not measured', async () => {
    const { register, fill } = await makeMetrics();
    fill(SAMPLE);
    const text = await register.metrics();
    expect(text).not.toMatch(/^portparty_(conntrack|process_ports|own_cpu)\w*(\{.*\})? /m);
    expect(text).toContain('portparty_unreadable 1\n');
    fill({
      ...SAMPLE,
      conntrack: { entries: 5, limit: 10, share: 0.5, growthPerSecond: null, secondsUntilFull: null, drops: null },
    });
    expect(await register.metrics()).toMatch(/^portparty_conntrack_entries 5$/m);
  });

  it('forget pools that are gone, and set counters to what the kernel says', async () => {
    const { register, fill } = await makeMetrics();
    fill(SAMPLE);
    fill({ ...SAMPLE, pools: [], opened: { total: 71, perSecond: 1 } });
    const text = await register.metrics();
    expect(text).not.toContain('198.18.0.2:80');
    expect(text).toContain('portparty_connections_opened_total 71\n');
    expect(text).toContain('portparty_next_exhaustion_seconds +Inf\n');
  });

  it('are served under /metrics only; a port that is taken is told by the option', async () => {
    const endpoint = await serveMetrics({ host: '127.0.0.1', port: 0 });
    try {
      endpoint.show(SAMPLE);
      expect(await (await fetch(endpoint.url)).text()).toContain('portparty_pool_used_ratio');
      expect((await fetch(endpoint.url.replace('/metrics', '/'))).status).toBe(404);
      const port = Number(new URL(endpoint.url).port);
      await expect(serveMetrics({ host: '127.0.0.1', port })).rejects.toMatchObject({
        exitCode: 2,
        where: `--prometheus 127.0.0.1:${port}`,
      });
    } finally {
      await endpoint.close();
    }
  });
});
