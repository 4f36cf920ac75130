/** Which addresses of 198.18.0.0/15 a testbed takes: all networks of a daemon share them, those of other runs included. */
import type Dockerode from 'dockerode';
import type { Plan } from '../../topology/plan.js';
import { boundsOf, RANGE_SIZE, RANGE_START } from '../../topology/subnets.js';
import { daemonError, daemonWords } from './daemon.js';
import { wireSegments } from './wires.js';

/** A plan takes a place of this size at least, so that few sizes meet and places fit beside each other. */
const SMALLEST_PLACE = 4096;

/**
 * How far the plan may be moved so that it meets no network that the daemon has, nearest first; empty where all is taken.
 * Throws a PortPartyError (exit 3).
 */
export async function freeOffsets(docker: Dockerode, plan: Plan): Promise<number[]> {
  const taken = await takenRanges(docker);
  const last = Math.max(...[...plan.segments, ...wireSegments(plan)].map(({ subnet }) => boundsOf(subnet).last));
  const size = Math.max(SMALLEST_PLACE, 2 ** Math.ceil(Math.log2(last + 1 - RANGE_START)));
  const offsets: number[] = [];
  for (let offset = 0; offset + size <= RANGE_SIZE; offset += size) {
    const [first, end] = [RANGE_START + offset, RANGE_START + offset + size - 1];
    if (taken.every((range) => range.last < first || range.first > end)) offsets.push(offset);
  }
  return offsets;
}

async function takenRanges(docker: Dockerode): Promise<{ first: number; last: number }[]> {
  try {
    const networks = await docker.listNetworks();
    return networks
      .flatMap(({ IPAM }) => IPAM?.Config ?? [])
      .flatMap(({ Subnet }) => (Subnet !== undefined && /^[\d.]+\/\d+$/.test(Subnet) ? [boundsOf(Subnet)] : []));
  } catch (error) {
    throw daemonError('listing the networks', error);
  }
}

/** True for the daemon's answer that a network's addresses were taken in the meantime. */
export function isTaken(error: unknown): boolean {
  const { cause } = error as { cause?: unknown };
  return /Pool overlaps with other one/i.test(daemonWords(cause ?? error));
}
