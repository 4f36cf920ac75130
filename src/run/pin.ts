/** `--pin`: this process keeps to its cores, and what is started on a host to those of its part. */
import { testbedError, usageError } from '../errors.js';
import { allowedCores, keepProcessOn, startingOn } from '../sys/scheduling.js';
import type { Driver } from '../testbed/driver.js';
import type { Host } from '../testbed/host.js';
import { cannotPlaceContainers, type Placement, placeOn, watchingCores } from './placement.js';

/**
 * The placement on the cores that this process may use, taken before it keeps to some of them.
 * Throws a usage error (exit 2) on a driver whose hosts it cannot place, and with a single core.
 */
export function planPlacement(driver: Driver['name']): Placement {
  if (driver === 'docker') throw cannotPlaceContainers();
  const cores = allowedCores();
  const placement = placeOn(cores);
  if (placement !== undefined) return placement;
  throw usageError(
    `there is ${cores.length === 1 ? 'one core' : 'no core'} to place anything on`,
    '--pin',
    'it takes two cores at least: one for the generator, one for the chain; `taskset` and cgroups count',
  );
}

/**
 * Keeps this process, the threads and the processes that it will start, on the harness' cores, off the one that is kept for sending.
 * Throws a testbed error (exit 3) where the kernel refuses.
 */
export function keepHarnessOn(placement: Placement): void {
  if (!keepProcessOn(watchingCores(placement)))
    throw testbedError('the kernel does not let this process choose its cores', '--pin');
}

/** The host, with its daemons on these cores from their first moment on: some ask at their start how many there are. */
export function pinned(host: Host, cores: number[]): Host {
  // netns hosts have forked when `spawn` returns its promise (testbed/netns/host.ts).
  return { ...host, spawn: (argv, options) => startingOn(cores, () => host.spawn(argv, options)) };
}
