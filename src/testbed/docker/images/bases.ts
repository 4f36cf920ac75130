/** Which images ours are built on: from a registry or made here, by what is there, what can be reached, and the setting. */
import type Dockerode from 'dockerode';
import { type PortPartyError, testbedError } from '../../../errors.js';
import { BASE_SETTING, type BaseSetting } from './base-setting.js';
import { buildImage, type ImageProgress } from './build-image.js';
import { type Inventory, idOf } from './inventory.js';
import { BASE_SCRIPT, LOCAL_BASE, localNode, makeLocalBase, whyNoLocalBase, whyNoLocalNode } from './local-base.js';
import { pullImage } from './pull.js';

/** An image to build on. */
export interface BaseImage {
  name: string;
  id: string;
}

/** Docker's official images, which a registry has. */
const OFFICIAL_BASE = 'debian:bookworm-slim';
const OFFICIAL_NODE = 'node:20-bookworm-slim';

/** All names that the inventory must look for. */
export const BASE_NAMES = [OFFICIAL_BASE, OFFICIAL_NODE];

/** The Debian that is there already, by the setting. */
export function presentBase(inventory: Inventory, setting: BaseSetting): BaseImage | undefined {
  return firstPresent(inventory, allowed(setting, OFFICIAL_BASE, LOCAL_BASE));
}

/** The Node.js that is there already, by the setting. A local one is of a local or official Debian. */
export function presentNode(inventory: Inventory, setting: BaseSetting, base?: BaseImage): BaseImage | undefined {
  const local = base === undefined ? [] : [localNode(base).tag];
  return firstPresent(inventory, allowed(setting, OFFICIAL_NODE, ...local));
}

function allowed(setting: BaseSetting, official: string, ...local: string[]): string[] {
  return [...(setting === 'local' ? [] : [official]), ...(setting === 'registry' ? [] : local)];
}

function firstPresent(inventory: Inventory, names: string[]): BaseImage | undefined {
  const name = names.find((one) => idOf(inventory, one) !== undefined);
  return name === undefined ? undefined : { name, id: idOf(inventory, name)! };
}

/** Where to get one, and how. */
export interface Getting {
  docker: Dockerode;
  inventory: Inventory;
  setting: BaseSetting;
  onProgress: ImageProgress;
  signal: AbortSignal | undefined;
}

/** Gets a Debian that is not there yet. Throws a PortPartyError (exit 3). */
export function getBase({ docker, inventory, setting, onProgress, signal }: Getting): Promise<BaseImage> {
  return getEither(
    { setting, signal },
    {
      what: 'the base image',
      pull: async () => ({ name: OFFICIAL_BASE, id: await pullImage(docker, OFFICIAL_BASE, onProgress, signal) }),
      whyNotLocal: () => whyNoLocalBase(inventory),
      make: async () => {
        onProgress(`making the base image ${LOCAL_BASE} with ${BASE_SCRIPT}`);
        return { name: LOCAL_BASE, id: await makeLocalBase(docker, onProgress, signal) };
      },
      hint: `run \`sudo ${BASE_SCRIPT}\` on a Linux machine with the daemon, or let the daemon reach a registry; ${BASE_SETTING} decides which`,
    },
  );
}

/** Gets a Node.js that is not there yet; `base` is awaited only where one is built on it. Throws a PortPartyError (exit 3). */
export function getNode(
  { docker, inventory, setting, onProgress, signal }: Getting,
  base: () => Promise<BaseImage>,
): Promise<BaseImage> {
  return getEither(
    { setting, signal },
    {
      what: 'the image with Node.js',
      pull: async () => ({ name: OFFICIAL_NODE, id: await pullImage(docker, OFFICIAL_NODE, onProgress, signal) }),
      whyNotLocal: () => whyNoLocalNode(inventory),
      make: async () => {
        const below = await base();
        const { tag, context } = localNode(below);
        const say = (line: string) => onProgress(`building portparty/node-base of Node.js ${process.version}: ${line}`);
        await buildImage(docker, { tag, context, buildArgs: { BASE: below.name } }, say, signal);
        return { name: tag, id: (await docker.getImage(tag).inspect()).Id };
      },
      hint: `let the daemon reach a registry, or load the image by hand: docker pull ${OFFICIAL_NODE} && docker save ${OFFICIAL_NODE}; see ${BASE_SETTING}`,
    },
  );
}

interface Ways {
  what: string;
  pull(): Promise<BaseImage>;
  whyNotLocal(): string | undefined;
  make(): Promise<BaseImage>;
  hint: string;
}

async function getEither(
  { setting, signal }: Pick<Getting, 'setting' | 'signal'>,
  { what, pull, whyNotLocal, make, hint }: Ways,
): Promise<BaseImage> {
  const where = `${BASE_SETTING}=${setting}`;
  let pulling: PortPartyError | undefined;
  if (setting !== 'local') {
    try {
      return await pull();
    } catch (error) {
      pulling = error as PortPartyError;
      if (signal?.aborted) throw error;
      if (setting === 'registry') throw testbedError(pulling.message, where, hint, error);
    }
  }
  const obstacle = whyNotLocal();
  if (obstacle === undefined) return make();
  const both = pulling === undefined ? '' : `${pulling.message}; and `;
  throw testbedError(`${both}${what} cannot be made here: ${obstacle}`, where, hint, pulling);
}
