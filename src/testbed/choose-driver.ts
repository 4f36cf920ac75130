/** Which driver runs a scenario: the one that was asked for, or the first that works here. */
import { PortPartyError, testbedError, usageError } from '../errors.js';
import type { Scenario } from '../scenario/scenario.js';
import { isolationMode } from './netns/isolate.js';
import type { IsolationMode } from './netns/launch.js';

/** The driver, and why this one, as one clause. `mode` is how this process can isolate itself. */
export type ChosenDriver =
  | { driver: 'netns'; mode: IsolationMode; reason: string }
  | { driver: 'docker'; reason: string };

/**
 * Throws a PortPartyError: exit 3, with what stands in the way and the ways out, where none works; exit 2 where the scenario
 * needs another driver than the one asked for.
 */
export async function chooseDriver(
  wanted: 'auto' | 'netns' | 'docker',
  scenario: Pick<Scenario, 'variants'>,
): Promise<ChosenDriver> {
  const image = nodeWithImage(scenario);
  if (wanted === 'netns' && image !== undefined)
    throw usageError('`image:` needs the docker driver', image, 'use --driver docker, or leave `image` out');
  if (wanted === 'docker') return { driver: 'docker', reason: 'asked for' };
  if (image !== undefined) return { driver: 'docker', reason: `${image} needs it` };
  try {
    const mode = await isolationMode();
    const rights = process.getuid?.() === 0 ? 'root' : 'an ordinary user';
    const reason = wanted === 'netns' ? 'asked for' : `network namespaces work here, as ${rights}`;
    return { driver: 'netns', mode, reason };
  } catch (error) {
    if (wanted === 'netns' || !(error instanceof PortPartyError)) throw error;
    return await dockerInstead(error);
  }
}

/** The knob of the first node that runs an image of the user's own. */
function nodeWithImage({ variants }: Pick<Scenario, 'variants'>): string | undefined {
  for (const { topology } of variants)
    for (const [node, spec] of Object.entries(topology)) if (spec.image !== undefined) return `topology.${node}.image`;
  return undefined;
}

async function dockerInstead(netns: PortPartyError): Promise<ChosenDriver> {
  try {
    const { connectDaemon } = await import('./docker/daemon.js');
    await connectDaemon();
    return { driver: 'docker', reason: netns.message };
  } catch (error) {
    const docker = error as PortPartyError;
    throw testbedError(
      `${netns.message}; and the docker driver cannot run either: ${docker.message}`,
      undefined,
      [netns.hint, docker.hint].filter((hint) => hint !== undefined).join('; or '),
      error,
    );
  }
}
