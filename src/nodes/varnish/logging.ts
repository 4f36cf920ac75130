/** varnish's log lies in its shared memory: how it is brought to disk while it runs, whole to the last request. */
import { setTimeout as sleep } from 'node:timers/promises';
import { testbedError } from '../../errors.js';
import type { Host, HostProcess } from '../../testbed/host.js';
import type { Endpoint } from '../../topology/plan.js';

/** Records that tell a request's way (vsl(7)). */
const TAGS = [
  'Begin',
  'Link',
  'ReqStart',
  'ReqMethod',
  'ReqURL',
  'RespStatus',
  'Timestamp',
  'Hit',
  'BereqMethod',
  'BereqURL',
  'BackendOpen',
  'FetchError',
  'Backend_health',
  'CLI',
];

/** A command that is given at each start, in the log. */
export const BEGINNING = /^ *0 CLI +- Rd backend\.list begin-\d+.*$/m;

const LABEL = 'varnishlog';
/** The log in the host's log folder. */
export const LOG_FILE = `${LABEL}.log`;

/** How long the log may take to follow, ms; it takes some 100 at the start. */
const FOLLOWS_WITHIN_MS = 10_000;
/** How long requests under way may take to end once their backends are gone, ms; they take some 10. */
const ENDS_WITHIN_MS = 2_000;

/** A varnishlog(1) that is running. */
export interface Logging {
  process: HostProcess;
  /** Ends what is under way, and resolves when all of it is in the log. */
  finish(listen: Endpoint): Promise<void>;
}

/** Starts the log; resolves when nothing more is missed. `folder` is the working folder of varnishd. Throws a testbedError after 10 s. */
export async function startLogging(host: Host, folder: string): Promise<Logging> {
  const filter = ['-i', TAGS.join(','), '-I', 'ReqHeader:^(?i)x-request-id:', '-I', 'BereqHeader:^(?i)x-request-id:'];
  const process = await host.spawn(['varnishlog', '-n', folder, '-g', 'raw', ...filter], { label: LABEL });

  // A varnish that was restarted goes on in the log of the one before.
  const start = Date.now();

  /** Varnish logs the commands that it is given: when one is in the file, all before it is too. */
  async function follow(what: string): Promise<void> {
    const marker = `${what}-${start}`;
    const deadline = performance.now() + FOLLOWS_WITHIN_MS;
    for (let asked = 0; ; asked++) {
      if (!process.running)
        throw testbedError(`varnishlog ended: ${(await host.readFile(LOG_FILE)).trim().slice(-300)}`, host.name);
      if (performance.now() > deadline)
        throw testbedError(`varnish's log did not follow within ${FOLLOWS_WITHIN_MS / 1000} s`, host.name);
      // It is named by the number of the question, as one that was asked too early is never seen.
      await host.run(['varnishadm', '-n', folder, 'backend.list', `${marker}-${asked}`]);
      await sleep(5);
      if ((await host.readFile(LOG_FILE)).includes(`Rd backend.list ${marker}-`)) return;
    }
  }

  async function underWay(): Promise<number> {
    const { stdout } = await host.run(['varnishstat', '-n', folder, '-1', '-f', 'MEMPOOL.*.live']);
    const counts = [...stdout.matchAll(/^MEMPOOL\.(?:busyobj|req\d+)\.live\s+(\d+)/gm)];
    return counts.reduce((sum, [, count]) => sum + Number(count), 0);
  }

  async function finish(listen: Endpoint): Promise<void> {
    // Varnish does not notice that a client has left, and logs a request when its backend has answered or gone.
    const deadline = performance.now() + ENDS_WITHIN_MS;
    while ((await underWay()) > 0 && performance.now() < deadline) await breakConnections(host, listen);
    await follow('end');
  }

  await follow('begin');
  return { process, finish };
}

/** Ends all connections but the clients', from outside, by the kernel (SOCK_DESTROY); where it cannot, time-outs have to. */
async function breakConnections(host: Host, listen: Endpoint): Promise<void> {
  const ours = ['state', 'established', 'state', 'syn-sent', 'sport', '!=', `:${listen.port}`];
  try {
    await host.run(['ss', '-K', '-n', '-t', ...ours]);
  } catch {
    await sleep(20);
  }
}
