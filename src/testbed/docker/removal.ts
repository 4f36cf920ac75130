/** Removing what the driver made, by label: what was made half, or by a process that was killed, is found as well. */
import { setTimeout as sleep } from 'node:timers/promises';
import type Dockerode from 'dockerode';
import { type PortPartyError, testbedError } from '../../errors.js';
import { allOrFirstError } from '../../promises.js';
import { daemonError, daemonWords, isNotFound } from './daemon.js';

/** Label of everything that belongs to one testbed; its value is unique. */
export const TESTBED_LABEL = 'portparty.testbed';

/** A container, network or volume. */
export interface Thing {
  what: 'container' | 'network' | 'volume';
  id: string;
  name: string;
  labels: Record<string, string>;
}

/** Everything that carries a label, `key` or `key=value`, in the order in which it can be removed. */
export async function findLabelled(docker: Dockerode, label: string): Promise<Thing[]> {
  const filters = { label: [label] };
  const [containers, networks, { Volumes }] = await Promise.all([
    docker.listContainers({ all: true, filters }),
    docker.listNetworks({ filters }),
    docker.listVolumes({ filters: JSON.stringify(filters) as never }),
  ]);
  return [
    ...containers.map(
      ({ Id, Names, Labels }): Thing => ({
        what: 'container',
        id: Id,
        name: Names[0]?.replace(/^\//, '') ?? Id.slice(0, 12),
        labels: Labels,
      }),
    ),
    ...networks.map(({ Id, Name, Labels }): Thing => ({ what: 'network', id: Id, name: Name, labels: Labels ?? {} })),
    ...(Volumes ?? []).map(
      ({ Name, Labels }): Thing => ({ what: 'volume', id: Name, name: Name, labels: Labels ?? {} }),
    ),
  ];
}

/**
 * Removes them all, containers first. What is gone already is no error. Throws a PortPartyError (exit 3) for what stays;
 * networks that the daemon itself holds on to are told to `onHeld` instead, where there is one.
 */
export async function removeThings(
  docker: Dockerode,
  things: Thing[],
  onHeld?: (error: PortPartyError) => void,
): Promise<void> {
  for (const kinds of [['container'], ['network', 'volume']]) {
    const ofKinds = things.filter(({ what }) => kinds.includes(what));
    for (const held of await allOrFirstError(ofKinds.map((thing) => tryToRemove(docker, thing)))) {
      if (held === undefined) continue;
      if (onHeld === undefined) throw held;
      onHeld(held);
    }
  }
}

/** How often what is in use is tried again, and how long for, ms: its containers may be on their way out by another's hand. */
const IN_USE_MS = { pause: 100, longest: 10_000, longestEmpty: 2000 };

/** Removes one. Throws a PortPartyError (exit 3) for what stays. */
export async function removeThing(docker: Dockerode, thing: Thing): Promise<void> {
  const held = await tryToRemove(docker, thing);
  if (held !== undefined) throw held;
}

/** Removes one; resolves to what to say of a network that the daemon itself holds on to, and throws for all else that stays. */
async function tryToRemove(docker: Dockerode, thing: Thing): Promise<PortPartyError | undefined> {
  const begin = performance.now();
  const passed = () => performance.now() - begin;
  while (!(await isRemoved(docker, thing, passed() > IN_USE_MS.longest))) {
    if (thing.what === 'network' && passed() > IN_USE_MS.longestEmpty && (await isEmpty(docker, thing)))
      return heldNetwork(thing);
    await sleep(IN_USE_MS.pause);
  }
  return undefined;
}

async function isEmpty(docker: Dockerode, { id }: Thing): Promise<boolean> {
  const { Containers } = await docker
    .getNetwork(id)
    .inspect()
    .catch(() => ({ Containers: undefined }));
  return Containers !== undefined && Object.keys(Containers).length === 0;
}

/**
 * Containers that are started at the same time may be counted twice by the daemon (seen with 20.10): it then takes an empty
 * network for one in use until it is restarted.
 */
function heldNetwork({ name }: Thing): PortPartyError {
  return testbedError(
    `the daemon has lost count of the containers in the network ${name}, which is empty, and does not remove it`,
    undefined,
    "portparty clean removes it once the daemon has been restarted; until then it is in nobody's way",
  );
}

/** False while a network or volume is in use still; throws for that too if it is the last try. */
async function isRemoved(docker: Dockerode, { what, id, name }: Thing, last: boolean): Promise<boolean> {
  try {
    if (what === 'container') await docker.getContainer(id).remove({ force: true, v: true });
    else if (what === 'network') await docker.getNetwork(id).remove();
    else await docker.getVolume(id).remove({ force: true });
    return true;
  } catch (error) {
    // Another process, the reaper perhaps, may be at it as well.
    if (isNotFound(error) || /already in progress/.test(daemonWords(error))) return true;
    if (!last && /has active endpoints|volume is in use/.test(daemonWords(error))) return false;
    throw daemonError(`removing the ${what} ${name}`, error);
  }
}

/** Removes everything that carries a label; `onHeld` gets the networks that the daemon holds on to. Throws a PortPartyError (exit 3). */
export async function removeLabelled(
  docker: Dockerode,
  label: string,
  onHeld?: (error: PortPartyError) => void,
): Promise<void> {
  try {
    await removeThings(docker, await findLabelled(docker, label), onHeld);
  } catch (error) {
    throw daemonError(`listing what carries the label ${label}`, error);
  }
}
