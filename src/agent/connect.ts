/** Makes a host's agent out of the streams of its process. */
import type { Readable, Writable } from 'node:stream';
import { testbedError } from '../errors.js';
import type { HostSeen, HostWatch, WatchOrder } from '../observe/host-watch.js';
import type { Engine, TrafficPlan } from '../traffic/engine.js';
import { type Connection, openConnection } from './connection.js';
import type { HostAgent, RemoteTraffic } from './host-agent.js';

export type { HostAgent } from './host-agent.js';

/** How long an agent may take to start, ms: a container's first start on a busy machine included. */
const READY_WITHIN_MS = 60_000;

/**
 * Waits until the agent behind the streams says that it is there, and gives it.
 * Throws a PortPartyError (exit 3): with its last words when it ends before, and when it says nothing for a minute.
 * @param output the agent's stdout, which must end when the agent ends
 * @param input the agent's stdin
 * @param name of the host
 * @param errors the agent's stderr, for the words in which it dies
 */
export async function connectAgent(
  output: Readable,
  input: Writable,
  name: string,
  errors?: Readable,
): Promise<HostAgent> {
  const connection = openConnection({ output, input, errors }, name);
  await ready();
  return {
    closed: connection.closed,
    run: (argv, options) => connection.call('run', { argv, input: options?.input ?? '' }),
    setSysctl: (sysctl, text) => connection.call('write', { path: sysctlPath(sysctl), text }),
    sysctl: async (sysctl) => (await connection.call('read', sysctlPath(sysctl))).trim(),
    readProc: (path) => connection.call('read', path),
    clock: () => connection.call('clock'),
    watch: (order) => watchFrom(connection, order),
    prepare: (engine, plan) => prepareFrom(connection, engine, plan),
    async close() {
      connection.hangUp();
      await connection.closed;
    },
  };

  async function ready(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        connection.on('ready', () => resolve());
        void connection.closed.then((reason) =>
          reject(testbedError(`the agent of ${name} did not start: ${reason}`, name)),
        );
        timer = setTimeout(() => {
          reject(testbedError(`the agent of ${name} did not answer within ${READY_WITHIN_MS / 1000} s`, name));
          connection.hangUp();
        }, READY_WITHIN_MS);
      });
    } finally {
      clearTimeout(timer);
    }
  }
}

async function watchFrom(connection: Connection, order: WatchOrder): Promise<HostWatch> {
  await connection.call('watch', { ...order, processes: 'others' });
  let ended: Promise<HostSeen> | undefined;
  return {
    sample: () => connection.call('sample'),
    stop() {
      ended ??= connection.call('unwatch');
      return ended;
    },
  };
}

async function prepareFrom(connection: Connection, engine: Engine['name'], plan: TrafficPlan): Promise<RemoteTraffic> {
  const visitors = await connection.call('prepare', { engine, plan });
  return {
    visitors,
    run(startNs, onRows) {
      connection.on('rows', onRows);
      return connection.call('start', startNs);
    },
    // Where the line is broken, whoever waits for the end of the sending is told so.
    stop: () => void connection.call('stop').catch(() => {}),
    close: () => connection.call('release').catch(() => {}),
  };
}

function sysctlPath(name: string): string {
  return `/proc/sys/${name.replaceAll('.', '/')}`;
}
