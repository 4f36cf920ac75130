/** Which cores the parts of a run keep to with `--pin`, so that none takes time from another. */
import { type PortPartyError, usageError } from '../errors.js';
import type { PlannedHost } from '../topology/plan.js';

/** Numbers of cores, by part. Parts share cores where there are too few. */
export interface Placement {
  /** This program: sending, watching and recording; and attackers, which send as well. */
  harness: number[];
  /** Daemons of the proxies. */
  proxies: number[];
  /** Daemons of the servers, and of their stores. */
  servers: number[];
}

/** From so many cores on the harness has two: one for sending, one for watching. */
const CORES_FOR_TWO = 4;

/**
 * Two cores: the harness has one, the chain the other. Three: one each. From four on the harness has two, and proxies and servers share the rest,
 * the proxies with one more where it does not come out even. undefined with fewer than two.
 */
export function placeOn(cores: readonly number[]): Placement | undefined {
  if (cores.length < 2) return undefined;
  const own = cores.length >= CORES_FOR_TWO ? 2 : 1;
  const chain = cores.slice(own);
  const forProxies = Math.ceil(chain.length / 2);
  return {
    harness: cores.slice(0, own),
    proxies: chain.slice(0, forProxies),
    servers: chain.length === 1 ? chain : chain.slice(forProxies),
  };
}

/** The core that is the sending thread's alone; undefined where the harness has one core for all that it does. */
export function sendingCore({ harness }: Placement): number | undefined {
  return harness.length < 2 ? undefined : harness[0];
}

/** The cores of all else that the harness does. */
export function watchingCores({ harness }: Placement): number[] {
  return harness.length < 2 ? harness : harness.slice(1);
}

/** `--pin` with the docker driver: a usage error (exit 2). */
export function cannotPlaceContainers(): PortPartyError {
  return usageError(
    'containers are not started by this process, so it cannot place them',
    '--pin',
    'use --driver netns, or leave --pin out',
  );
}

/** The cores of a host's daemons. */
export function coresFor({ layer }: Pick<PlannedHost, 'layer'>, placement: Placement): number[] {
  if (layer === 'server') return placement.servers;
  return layer === 'L7' ? placement.proxies : placement.harness;
}
