/** Which driver runs a scenario: the one that was asked for, or the first that works here. */
import { testbedError } from '../errors.js';
import { isolationMode } from './netns/isolate.js';
import type { IsolationMode } from './netns/launch.js';

export interface ChosenDriver {
  driver: 'netns';
  /** How this process can isolate itself. */
  mode: IsolationMode;
  /** Why this one, as one clause. */
  reason: string;
}

/** Throws a PortPartyError (exit 3) that says what stands in the way and the ways out. */
export async function chooseDriver(wanted: 'auto' | 'netns' | 'docker'): Promise<ChosenDriver> {
  if (wanted === 'docker') {
    throw testbedError(
      'the docker driver is not part of this version',
      '--driver docker',
      'use --driver netns, which needs no container runtime',
    );
  }
  const mode = await isolationMode();
  const rights = process.getuid?.() === 0 ? 'root' : 'an ordinary user';
  return {
    driver: 'netns',
    mode,
    reason: wanted === 'netns' ? 'asked for' : `network namespaces work here, as ${rights}`,
  };
}
