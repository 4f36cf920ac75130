/** The built `fixed` program, running on a free loopback port, and what the kernel tells of its connections. */
import { readFileSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { awaitListening, spawnServer } from '../../src/nodes/server-daemon.js';
import type { FixedOptions } from '../../src/servers/fixed.js';
import type { LoggedEvent, LoggedRequest } from '../../src/servers/request-log.js';
import type { Host, HostProcess } from '../../src/testbed/host.js';
import type { LocalHosts } from './local-host.js';

export interface RunningFixed {
  port: number;
  process: HostProcess;
  host: Host;
  /** The log so far. */
  log(): Promise<{ requests: LoggedRequest[]; events: LoggedEvent[] }>;
  /** Ends it by SIGTERM, and reads its whole log. */
  end(): Promise<{ requests: LoggedRequest[]; events: LoggedEvent[]; code: number | null }>;
}

let started = 0;

export async function runFixed(
  hosts: LocalHosts,
  settings: Partial<FixedOptions> = {},
  openFiles?: number,
): Promise<RunningFixed> {
  const host = hosts.host(`fixed-${started++}`);
  const options: FixedOptions = {
    address: '127.0.0.1',
    port: 0,
    backlog: 128,
    reusePort: false,
    serviceTimeMs: 0,
    close: 'server',
    keepaliveTimeoutMs: 60_000,
    workers: undefined,
    status: 200,
    log: `${host.logDir}/requests.log`,
    control: `${host.logDir}/changes.json`,
    ...settings,
  };
  const process = await spawnServer(host, 'fixed', options, { label: 'fixed', openFiles });
  await awaitListening(host, process, 'fixed');
  const [, port] = /^listening [\d.]+:(\d+)$/m.exec(await host.readFile('fixed.log'))!;
  async function log() {
    const lines = (await host.readFile('requests.log')).split('\n').filter((line) => line !== '');
    const entries = lines.map((line) => JSON.parse(line) as LoggedRequest | LoggedEvent);
    return {
      requests: entries.filter((entry): entry is LoggedRequest => !('kind' in entry)),
      events: entries.filter((entry): entry is LoggedEvent => 'kind' in entry),
    };
  }
  return {
    port: Number(port),
    process,
    host,
    log,
    async end() {
      await process.signal('SIGTERM');
      const { code } = await process.exited;
      return { ...(await log()), code };
    },
  };
}

/** Waits until `condition` holds; the test's own time limit ends a wait in vain. */
export async function eventually(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await setImmediate();
}

/** States of /proc/net/tcp (<net/tcp_states.h>). */
export const TcpState = { established: 1, synSent: 2, timeWait: 6, listen: 10 } as const;

export interface TcpRow {
  localPort: number;
  remotePort: number;
  state: number;
  /** Of a listener: connections in its accept queue. */
  received: number;
}

/** The kernel's own table of TCP sockets. */
export function tcpTable(): TcpRow[] {
  const lines = readFileSync('/proc/net/tcp', 'utf8').trim().split('\n').slice(1);
  return lines.map((line) => {
    const [, local, remote, state, queues] = line.trim().split(/\s+/);
    const port = (end: string) => Number.parseInt(end.split(':')[1], 16);
    return {
      localPort: port(local),
      remotePort: port(remote),
      state: Number.parseInt(state, 16),
      received: Number.parseInt(queues.split(':')[1], 16),
    };
  });
}

/** Connections that wait in the accept queue of the listener on `port`. */
export function acceptQueue(port: number): number {
  return tcpTable().find((row) => row.localPort === port && row.state === TcpState.listen)!.received;
}
