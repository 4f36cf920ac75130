/** What the daemon has: its processor, and which of the images that matter here. One question each. */
import type Dockerode from 'dockerode';
import { testbedError } from '../../../errors.js';
import { daemonError } from '../daemon.js';
import { REPOSITORY } from './catalog.js';

/** An image of the daemon. */
export interface PresentImage {
  id: string;
  /** All its names, `portparty/nginx:0123456789ab`. */
  tags: string[];
  /** Seconds since 1970. */
  created: number;
}

/** What the daemon has. */
export interface Inventory {
  /** Its processor in Node's words, `x64`. */
  cpu: string;
  images: PresentImage[];
}

/** Go's names of processors, where Node has others. */
const NODE_CPU: Record<string, string> = { amd64: 'x64', '386': 'ia32', ppc64le: 'ppc64' };

/** Asks for the processor, and for our own images and those of these names. Throws a PortPartyError (exit 3). */
export async function takeInventory(docker: Dockerode, names: string[]): Promise<Inventory> {
  const reference = [`${REPOSITORY}/*`, ...names];
  try {
    const [{ Os, Arch }, images] = await Promise.all([docker.version(), docker.listImages({ filters: { reference } })]);
    if (Os !== 'linux')
      throw testbedError(`the Docker daemon runs ${Os} containers`, undefined, 'switch it to Linux containers');
    return {
      cpu: NODE_CPU[Arch] ?? Arch,
      images: images.map(({ Id, RepoTags, Created }) => ({
        id: Id,
        tags: (RepoTags ?? []).map(shortName),
        created: Created,
      })),
    };
  } catch (error) {
    throw daemonError('listing the images', error);
  }
}

/** Podman writes names out in full. */
function shortName(tag: string): string {
  return tag.replace(/^(?:docker\.io\/(?:library\/)?|localhost\/)/, '');
}

/** Id of the image with that tag; undefined where the daemon has none. */
export function idOf({ images }: Inventory, tag: string): string | undefined {
  return images.find(({ tags }) => tags.includes(tag))?.id;
}
