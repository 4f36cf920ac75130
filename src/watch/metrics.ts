/** The samples as Prometheus metrics, served over HTTP; docs/watch.md documents each name. A scrape gets the last sample and costs no count. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { usageError } from '../errors.js';
import type { WatchSample } from './sample.js';

/** A running endpoint. */
export interface MetricsEndpoint {
  /** The sample that the next scrapes get. */
  show(sample: WatchSample): void;
  /** Where it is, `http://127.0.0.1:9464/metrics`. */
  url: string;
  /** Ends it, open connections included. */
  close(): Promise<void>;
}

/** An address to listen on; `host` undefined is every address of this machine. */
export interface ListenAddress {
  host: string | undefined;
  port: number;
}

/** Starts the endpoint. Throws a usageError where it cannot listen there. */
export async function serveMetrics(address: ListenAddress): Promise<MetricsEndpoint> {
  const { register, fill } = await makeMetrics();
  let latest: WatchSample | undefined;
  const server = createServer(async (request, response) => {
    if (request.url?.split('?')[0] !== '/metrics') {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('The metrics are at /metrics.\n');
      return;
    }
    if (latest !== undefined) fill(latest);
    const text = await register.metrics();
    response.writeHead(200, { 'content-type': register.contentType }).end(text);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(address.port, address.host, resolve);
  }).catch((error: Error) => {
    throw usageError(
      `cannot listen: ${error.message}`,
      `--prometheus ${address.host ?? ''}:${address.port}`,
      'another port, or an address of this machine before the colon, such as 127.0.0.1:9464',
    );
  });
  const { port } = server.address() as AddressInfo;
  return {
    show: (sample) => {
      latest = sample;
    },
    url: `http://${address.host ?? 'localhost'}:${port}/metrics`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** The registry with every metric of docs/watch.md, and what fills it. */
export interface Metrics {
  /** What a scrape reads. */
  register: Registry;
  /** Sets every metric to what a sample says. */
  fill(sample: WatchSample): void;
}

/** Makes the metrics; prom-client is loaded for a watch that serves them only. */
export async function makeMetrics(): Promise<Metrics> {
  const { Counter, Gauge, Registry: EmptyRegistry } = (await import('prom-client')).default;
  const register = new EmptyRegistry();
  const registers = [register];
  const gauge = <Label extends string>(name: string, help: string, labelNames: Label[] = []) =>
    new Gauge({ name: `portparty_${name}`, help, labelNames, registers });
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[] = []) =>
    new Counter({ name: `portparty_${name}`, help, labelNames, registers });
  const POOL: ('source' | 'destination')[] = ['source', 'destination'];

  const capacity = gauge('pool_capacity_ports', 'Ports that connections from one address to one destination can have.');
  const pools = gauge('pools', 'Pairs of a source address and a destination with at least one port in use.');
  const inUse = gauge('pool_ports_in_use', 'Ports in use, TIME_WAIT included, of the fullest pools.', POOL);
  const timeWait = gauge('pool_ports_time_wait', 'Those of them in TIME_WAIT.', POOL);
  const reusable = gauge('pool_ports_reusable', 'Those in TIME_WAIT that a new connection gets anyway.', POOL);
  const share = gauge('pool_used_ratio', 'Ports that cannot be had, of the capacity, 0 to 1.', POOL);
  const growth = gauge('pool_growth_ports_per_second', 'Change of the ports that cannot be had.', POOL);
  const left = gauge(
    'pool_exhaustion_seconds',
    'Time until the pool is full at this rate; +Inf where it will not be.',
    POOL,
  );
  const worstShare = gauge('fullest_pool_used_ratio', 'The highest portparty_pool_used_ratio.');
  const soonest = gauge('next_exhaustion_seconds', 'The lowest portparty_pool_exhaustion_seconds.');
  const ports = gauge('ports_in_use', 'Ports of the range in use, all pools, by state.', ['state']);
  const sockets = gauge('sockets', 'TCP sockets of the namespace, whatever their port, by state.', ['state']);
  const opened = counter('connections_opened_total', 'Connections that programs here have opened.');
  const overflows = counter('listen_overflows_total', 'Connections turned away because an accept queue was full.');
  const drops = counter('listen_drops_total', 'Connections that listening sockets turned away, for any reason.');
  const queued = gauge('listen_queue_fullest_ratio', 'The fullest accept queue, 0 to 1.');
  const entries = gauge('conntrack_entries', 'Entries of the connection table.');
  const limit = gauge('conntrack_limit', 'Most entries that it can have.');
  const tableDrops = counter('conntrack_drops_total', 'What connection tracking could not do, by reason.', ['reason']);
  const byProcess = gauge('process_ports_in_use', 'Ports held by live sockets of the top processes.', [
    'pid',
    'command',
  ]);
  const unseen = gauge('process_unseen_ports', 'Ports of live sockets whose process could not be seen.');
  const warnings = gauge('warnings', 'Warnings that stand.');
  const missing = gauge('unreadable', 'What could not be read: things that the sample names.');
  const countedAt = gauge('counted_timestamp_seconds', 'When the sockets were last counted, Unix time.');
  const countCpu = gauge('count_cpu_seconds', 'CPU that the last count took.');
  const ownCpu = gauge('own_cpu_ratio', 'CPU of the watch itself since it began, of one core.');

  /** Counters are the kernel's own: they are set, never counted here. */
  const set = (metric: { reset(): void; inc(value: number): void }, value: number) => {
    metric.reset();
    metric.inc(value);
  };

  function fill(sample: WatchSample): void {
    for (const metric of [inUse, timeWait, reusable, share, growth, left, byProcess]) metric.reset();
    capacity.set(sample.ports.capacity);
    pools.set(sample.counted.pools);
    for (const pool of sample.pools) {
      const labels = { source: pool.source, destination: pool.destination };
      inUse.set(labels, pool.inUse);
      timeWait.set(labels, pool.timeWait);
      reusable.set(labels, pool.reusable);
      share.set(labels, pool.share);
      if (pool.growthPerSecond !== null) growth.set(labels, pool.growthPerSecond);
      left.set(labels, pool.secondsUntilFull ?? Number.POSITIVE_INFINITY);
    }
    worstShare.set(sample.pools[0]?.share ?? 0);
    soonest.set(Math.min(...sample.pools.map((pool) => pool.secondsUntilFull ?? Number.POSITIVE_INFINITY)));
    ports.set({ state: 'live' }, sample.counted.sockets - sample.counted.timeWait);
    ports.set({ state: 'time_wait' }, sample.counted.timeWait);
    sockets.set({ state: 'in_use' }, sample.sockets.inUse);
    sockets.set({ state: 'time_wait' }, sample.sockets.timeWait);
    sockets.set({ state: 'orphan' }, sample.sockets.orphans);
    set(opened, sample.opened.total);
    set(overflows, sample.listening.overflows);
    set(drops, sample.listening.drops);
    const { fullest } = sample.listening;
    queued.set(fullest === null ? 0 : fullest.queued / Math.max(1, fullest.backlog));
    tableDrops.reset();
    // What is not known has no line: 0 would be a statement.
    entries.remove();
    limit.remove();
    if (sample.conntrack !== null) {
      entries.set(sample.conntrack.entries);
      limit.set(sample.conntrack.limit);
      if (sample.conntrack.drops !== null) {
        tableDrops.inc({ reason: 'drop' }, sample.conntrack.drops.drop);
        tableDrops.inc({ reason: 'early_drop' }, sample.conntrack.drops.earlyDrop);
        tableDrops.inc({ reason: 'insert_failed' }, sample.conntrack.drops.insertFailed);
      }
    }
    for (const { pid, command, ports: held } of sample.processes?.top ?? []) byProcess.set({ pid, command }, held);
    unseen.set(sample.processes?.unseen ?? 0);
    warnings.set(sample.warnings.length);
    missing.set(sample.unreadable.length);
    countedAt.set(Date.parse(sample.counted.at) / 1000);
    countCpu.set(sample.counted.cpuMs / 1000);
    if (sample.cpuShare === null) ownCpu.remove();
    else ownCpu.set(sample.cpuShare);
  }

  return { register, fill };
}
