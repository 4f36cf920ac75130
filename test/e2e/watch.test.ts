/** `portparty watch` on a machine whose ports run out: it warns before the first connect fails, and counts what the kernel counts. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import type { PoolSample, ProcessSample, WatchSample } from '../../src/watch/sample.js';
import { canLowerRights } from '../helpers/ordinary-user.js';
import { portparty } from '../helpers/portparty.js';
import { runFixture } from '../observe/run-fixture.js';

interface Counted {
  inUse: number;
  timeWait: number;
}

interface Report {
  exitBefore: number;
  exitFull: number;
  exitInterrupted: number;
  failure: { error: string; at: string; held: number };
  stderr: string;
  full: { ports: WatchSample['ports']; busy: PoolSample; quiet: PoolSample; warnings: string[] };
  ssFull: { busy: Counted; quiet: Counted };
  closed: PoolSample;
  ssClosed: Counted;
  opened: { watch: number; kernel: number };
  holders: { pid: number; seen: ProcessSample[] };
  metrics: string;
  files: string[];
  logged: string[];
}

const of = ({ inUse, timeWait }: PoolSample): Counted => ({ inUse, timeWait });

describe('200 ports, one of them reserved, used up towards one destination', () => {
  let report: Report;
  beforeAll(() => {
    report = runFixture<Report>('watch-exhaustion.mjs');
  });

  it('are 199 connections; the warning comes before the connect that fails, and comes once', () => {
    expect(report.failure).toMatchObject({ error: 'EADDRNOTAVAIL', held: 199 });
    const warnings = report.stderr.split('\n').filter((line) => line.includes('warning: ports'));
    expect(warnings).toHaveLength(1);
    const [warning] = warnings;
    expect(warning).toContain('from 198.18.0.2 to 198.18.0.2:8080');
    expect(warning).toMatch(/none left in \d+ s at this rate, the process with the most ports is node/);
    expect(warning.split(' ')[0] < report.failure.at).toBe(true);
  });

  it('are counted as the kernel`s own tool counts them, the pool of another destination apart', () => {
    expect(report.full.ports).toEqual({ range: { lo: 20_000, hi: 20_199 }, reserved: 1, bound: 0, capacity: 199 });
    expect(report.ssFull).toEqual({ busy: { inUse: 199, timeWait: 0 }, quiet: { inUse: 40, timeWait: 0 } });
    expect({ busy: of(report.full.busy), quiet: of(report.full.quiet) }).toEqual(report.ssFull);
    expect(report.full.busy).toMatchObject({ share: 1, secondsUntilFull: 0 });
    expect(report.full.warnings).toEqual([expect.stringMatching(/: 199 of 199 taken \(100%\), .*none left/)]);
  });

  it('are still taken in TIME_WAIT', () => {
    expect(report.ssClosed).toEqual({ inUse: 199, timeWait: 80 });
    expect(of(report.closed)).toEqual(report.ssClosed);
    expect(report.closed.share).toBe(1);
    expect(report.opened.watch).toBe(report.opened.kernel);
  });

  it('are held by the process that is named', () => {
    expect(report.holders.seen).toEqual([
      { pid: report.holders.pid, command: 'node', ports: expect.any(Number), estimated: false },
    ]);
  });

  it('are the same in the metrics', () => {
    const labels = '{source="198.18.0.2",destination="198.18.0.2:8080"}';
    expect(report.metrics).toContain(`portparty_pool_ports_in_use${labels} 199\n`);
    expect(report.metrics).toContain(`portparty_pool_exhaustion_seconds${labels} 0\n`);
    expect(report.metrics).toContain('portparty_pool_capacity_ports 199\n');
    expect(report.metrics).toContain('portparty_fullest_pool_used_ratio 1\n');
  });

  it('make --once --fail-at exit with 1, which is 0 before; Ctrl-C ends a watch with 0', () => {
    expect([report.exitBefore, report.exitFull, report.exitInterrupted]).toEqual([0, 1, 0]);
  });

  it('are in a log that keeps as many old files as it was told', () => {
    expect(report.files.sort()).toEqual(['watch.log', 'watch.log.1', 'watch.log.2']);
    expect(new Set(report.logged).has('sample')).toBe(true);
  });
});

it('ports in TIME_WAIT are taken where the kernel refuses them to the next connection, and free where it gives them away', () => {
  type Churn = { first: object; pool: PoolSample; second: object };
  const { loopback, other } = runFixture<{ loopback: Churn; other: Churn }>('watch-time-wait.mjs');
  const all = { connected: 10 };
  expect(loopback).toMatchObject({
    first: all,
    pool: { inUse: 10, timeWait: 10, reusable: 10, taken: 0 },
    second: all,
  });
  expect(other).toMatchObject({
    first: all,
    pool: { inUse: 10, timeWait: 10, reusable: 0, taken: 10, share: 1, secondsUntilFull: 0 },
    second: { connected: 0, error: 'EADDRNOTAVAIL' },
  });
});

it.runIf(canLowerRights())('an ordinary user sees the pools as well, and is told what is not readable', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const connection = connect(port, '127.0.0.1');
  try {
    await once(connection, 'connect');
    const { code, stdout } = await portparty(['watch', '--once', '--json', '--interval', '100ms', '--top', '40'], {
      asUser: true,
    });
    expect(code).toBe(0);
    const { pools, processes, unreadable } = JSON.parse(stdout) as WatchSample;
    expect(pools.find(({ destination }) => destination === `127.0.0.1:${port}`)).toMatchObject({ inUse: 1, taken: 1 });
    expect(processes?.unseen).toBeGreaterThan(0);
    expect(unreadable.join()).toMatch(/processes of other users.*root can read them/);
  } finally {
    connection.destroy();
    server.close();
  }
});
