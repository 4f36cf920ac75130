/** Daemons on a host: their log, their limits, their end, and signals that reach all of them. */
import { describe, expect, it } from 'vitest';
import type { Daemon, OpenHost, OpenTestbed } from '../open.js';
import { until } from './until.js';

let labels = 0;

/** Starts a shell script as a daemon that says `ready` once its traps are set. */
async function daemonOf(
  host: OpenHost,
  script: string,
  options: { openFiles?: number; env?: Record<string, string> } = {},
) {
  const label = `daemon-${++labels}`;
  const daemon = await host.spawn(['sh', '-c', script], { label, ...options });
  const log = () => host.readFile(`${label}.log`);
  return { daemon, log, said: (text: string) => until(async () => (await log()).includes(text)) };
}

/** Sleeps for ever in a way that a trap interrupts. */
const WAIT = 'while :; do sleep 60 & wait $!; done';

/** Its end, once it is over. */
async function endOf(daemon: Daemon) {
  const end = await daemon.exited();
  expect(await daemon.running()).toBe(false);
  return end;
}

export function daemonPromises(testbed: () => OpenTestbed): void {
  const host = () => testbed().host('shop[0]');

  describe('a daemon', () => {
    it.each(['edge', 'shop[0]'])('on %s writes both outputs into its log while it runs', async (name) => {
      const one = await daemonOf(testbed().host(name), 'echo first; echo second >&2; exec sleep 60');
      await one.said('second');
      expect((await one.log()).trim().split('\n').sort()).toEqual(['first', 'second']);
      expect(await one.daemon.running()).toBe(true);
      expect(one.daemon.pid).toBeGreaterThan(1);
      await one.daemon.signal('SIGKILL');
      expect(await endOf(one.daemon)).toEqual({ code: null, signal: 'SIGKILL' });
    });

    it('tells its exit code, and all that it wrote is in its log by then', async () => {
      const { daemon, log } = await daemonOf(host(), 'seq 20000; exit 7');
      expect(await endOf(daemon)).toEqual({ code: 7, signal: null });
      expect((await log()).trim().split('\n')).toHaveLength(20_000);
    });

    it('gets its environment', async () => {
      const { daemon, log } = await daemonOf(host(), 'echo "$GREETING"', { env: { GREETING: 'hello "you"' } });
      await endOf(daemon);
      expect(await log()).toBe('hello "you"\n');
    });

    it('has the descriptors that it was given', async () => {
      const { daemon, log } = await daemonOf(host(), 'ulimit -Sn; ulimit -Hn', { openFiles: 123 });
      await endOf(daemon);
      expect(await log()).toBe('123\n123\n');
    });

    it.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGKILL'] as const)('ends by %s, and says so', async (signal) => {
      const { daemon, said } = await daemonOf(host(), 'echo ready; exec sleep 60');
      await said('ready');
      await daemon.signal(signal);
      expect(await endOf(daemon)).toEqual({ code: null, signal });
    });

    it.each(['SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const)('that handles %s goes on', async (signal) => {
      const { daemon, said } = await daemonOf(host(), `trap 'echo handled' ${signal.slice(3)}; echo ready; ${WAIT}`);
      await said('ready');
      await daemon.signal(signal);
      await said('handled');
      expect(await daemon.running()).toBe(true);
      await daemon.signal('SIGKILL');
      await daemon.exited();
    });

    it('that ends itself on SIGTERM has an exit code', async () => {
      const { daemon, said } = await daemonOf(host(), `trap 'exit 5' TERM; echo ready; ${WAIT}`);
      await said('ready');
      await daemon.signal('SIGTERM');
      expect(await endOf(daemon)).toEqual({ code: 5, signal: null });
    });

    it('can be stopped and go on', async () => {
      const { daemon, said, log } = await daemonOf(
        host(),
        'trap "echo woken" CONT; echo ready; while :; do sleep 0.01; done',
      );
      await said('ready');
      await daemon.signal('SIGSTOP');
      expect(await daemon.running()).toBe(true);
      expect(await log()).not.toContain('woken');
      await daemon.signal('SIGCONT');
      await said('woken');
      await daemon.signal('SIGKILL');
      await daemon.exited();
    });

    it('takes its children with it when it is signalled', async () => {
      const { daemon, said } = await daemonOf(
        host(),
        `sh -c "trap 'echo child ends; exit' TERM; echo child ready; ${WAIT}" & ${WAIT}`,
      );
      await said('child ready');
      await daemon.signal('SIGTERM');
      await said('child ends');
      await daemon.exited();
    });

    it('has ended when it has, whatever its children do', async () => {
      const { daemon, said } = await daemonOf(host(), 'sleep 60 & echo ready; exit 4');
      await said('ready');
      expect(await endOf(daemon)).toEqual({ code: 4, signal: null });
    });

    it('that has ended can be signalled without harm', async () => {
      const { daemon } = await daemonOf(host(), 'exit 0');
      await daemon.exited();
      await daemon.signal('SIGTERM');
      expect(await daemon.exited()).toEqual({ code: 0, signal: null });
    });

    it('whose program is missing does not start', async () => {
      const failure = { where: 'shop[0]', exitCode: 3, message: expect.stringContaining('no-such-program') };
      await expect(host().spawn(['no-such-program'], { label: 'missing' })).rejects.toMatchObject(failure);
    });
  });
}
