/** The Docker daemon as the tests see it, by its own API and not by the driver's code. */
import type Dockerode from 'dockerode';
import { connectDaemon } from '../../src/testbed/docker/daemon.js';

/** Why tests of the docker driver cannot run here; undefined where a daemon answers. */
export async function dockerMissing(): Promise<string | undefined> {
  try {
    await connectDaemon();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** The daemon's API. */
export async function docker(): Promise<Dockerode> {
  return (await connectDaemon()).docker;
}
