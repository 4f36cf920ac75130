/** What the docker driver finds: the daemon, the way of the traffic, the images, and what earlier runs left. */
import type { PortPartyError } from '../../errors.js';
import type { Check } from '../check.js';
import { connectDaemon, type Daemon } from './daemon.js';
import { imageNames, REPOSITORY } from './images/catalog.js';
import { takeInventory } from './images/inventory.js';
import { findThings } from './leftovers.js';
import { TRAFFIC_SETTING, whyNotDirect } from './reach.js';

/** Checks everything; asks the daemon and changes nothing. */
export async function checkDocker(): Promise<Check[]> {
  let daemon: Daemon;
  try {
    daemon = await connectDaemon();
  } catch (error) {
    return [failed('daemon', error)];
  }
  return [
    {
      name: 'daemon',
      ok: true,
      required: true,
      detail: `Docker ${daemon.version} on Linux ${daemon.kernel}, ${daemon.socketPath ?? process.env.DOCKER_HOST}`,
      remedies: [],
    },
    traffic(daemon),
    ...(await Promise.all([
      images(daemon).catch((error) => failed('images', error)),
      leftovers(daemon).catch((error) => failed('leftovers', error)),
    ])),
  ];
}

/** A check that the daemon, or its answer, has ended. */
function failed(name: string, error: unknown): Check {
  const { message, hint } = error as PortPartyError;
  return { name, ok: false, required: true, detail: message, remedies: hint === undefined ? [] : [hint] };
}

function traffic(daemon: Daemon): Check {
  try {
    const reason = whyNotDirect(daemon);
    const detail =
      reason === undefined
        ? "from this process, which enters the containers' networks"
        : `from a container beside each host, as ${reason}`;
    return { name: 'traffic', ok: true, required: true, detail, remedies: [] };
  } catch (error) {
    const { message, hint } = error as PortPartyError;
    return {
      name: 'traffic',
      ok: false,
      required: true,
      detail: `${TRAFFIC_SETTING}=${process.env[TRAFFIC_SETTING]}: ${message}`,
      remedies: hint === undefined ? [] : [hint],
    };
  }
}

async function images({ docker }: Daemon): Promise<Check> {
  const { images: present } = await takeInventory(docker, []);
  const tags = present.flatMap((image) => image.tags);
  const missing = imageNames().filter((name) => !tags.some((tag) => tag.startsWith(`${REPOSITORY}/${name}:`)));
  const detail = missing.length === 0 ? 'all built' : `a run builds what it needs of ${missing.join(', ')}`;
  return { name: 'images', ok: true, required: false, detail, remedies: [] };
}

async function leftovers(daemon: Daemon): Promise<Check> {
  const { gone, elsewhere } = await findThings(daemon);
  const foreign = elsewhere.length > 0 ? `; ${elsewhere.length} things of runs on other machines` : '';
  const ok = gone.length === 0;
  return {
    name: 'leftovers',
    ok,
    required: false,
    detail: ok
      ? `none${foreign}`
      : `${gone.length} containers, networks and volumes of runs that were killed${foreign}`,
    remedies: ok ? [] : ['portparty clean, or the next run, removes them'],
  };
}
