/** Work on the docker driver, in this process: what it makes carries labels, and a reaper removes it should the process be killed. */
import { ExitCode } from '../errors.js';
import { raiseDescriptorLimit } from '../sys/descriptors.js';
import { connectDaemon } from '../testbed/docker/daemon.js';
import { dockerDriver } from '../testbed/docker/driver.js';
import { removeAbandoned } from '../testbed/docker/leftovers.js';
import type { DriverWork } from './run-with-driver.js';

/** The first signal ends the work in order, the second one at once: the reaper removes the rest then. */
export async function workInContainers(work: DriverWork, driverReason: string): Promise<number> {
  const interrupt = new AbortController();
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const onSignal = () => {
    if (interrupt.signal.aborted) process.exit(ExitCode.interrupted);
    interrupt.abort();
  };
  for (const signal of signals) process.on(signal, onSignal);
  try {
    raiseDescriptorLimit();
    const daemon = await connectDaemon();
    try {
      for (const { what, name } of await removeAbandoned(daemon))
        process.stderr.write(`removed the ${what} ${name} of a run that was killed\n`);
    } catch (error) {
      // What a killed run left takes its place, and nothing else: this run finds another one.
      process.stderr.write(`what a killed run left stays for now: ${(error as Error).message}\n`);
    }
    return await work({
      driver: (onProgress) => dockerDriver(daemon, onProgress, interrupt.signal),
      driverReason,
      interrupt: interrupt.signal,
    });
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
  }
}
