/** The ways in which a testbed can be had here: each driver, as each kind of user, by each way into a container's network. */
import { dockerMissing } from './docker.js';
import { AS_NOBODY, canLowerRights } from './ordinary-user.js';

/** One way, and how its program is started. */
export interface Way {
  name: string;
  driver: 'netns' | 'docker';
  /** Goes before the command line: to lower its rights. */
  prefix: string[];
  env: Record<string, string>;
  /** Why it cannot be had here. */
  missing?: string;
}

const asRoot = process.getuid?.() === 0;

/** All ways, those that are missing here included. */
export async function testbedWays(): Promise<Way[]> {
  const noDaemon = await dockerMissing();
  const docker = (name: string, traffic: string, missing?: string): Way => ({
    name: `docker, ${name}`,
    driver: 'docker',
    prefix: [],
    env: { PORTPARTY_DOCKER_TRAFFIC: traffic },
    missing,
  });
  return [
    { name: `netns as ${asRoot ? 'root' : 'this user'}`, driver: 'netns', prefix: [], env: {} },
    {
      name: 'netns as an ordinary user',
      driver: 'netns',
      prefix: AS_NOBODY,
      env: {},
      missing: canLowerRights()
        ? undefined
        : 'these tests run as an ordinary user, or in a folder that is root`s alone',
    },
    docker('entered from here', 'host', noDaemon ?? (asRoot ? undefined : 'only root may enter a container`s network')),
    docker('through sidecars', 'container', noDaemon),
  ];
}

/** Its name in a report, with the reason when it is skipped. */
export function titleOf({ name, missing }: Way): string {
  return missing === undefined ? name : `${name} (skipped: ${missing})`;
}
