/** Our own images: a folder of `docker/` each, and one line here for those that run programs of ours. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Folder of this package, with `dist/` and `docker/` in it; the same from `src/` and from `dist/`. */
export const PACKAGE_DIR = fileURLToPath(new URL('../../../../', import.meta.url));

/** Folder of the Dockerfiles. */
export const DOCKER_DIR = join(PACKAGE_DIR, 'docker');

/** Files of `dist/` that run in an image, by the image's name. */
const PROGRAMS: Record<string, string[]> = {
  haproxy: ['nodes/haproxy/rings-to-log.js', 'nodes/haproxy/workers.js'],
  'ticket-shop': ['servers/ticket-shop.js', 'servers/inventory.js'],
  fixed: ['servers/fixed.js'],
  attacker: ['attacks/attacker.js'],
  agent: ['agent/main.js'],
  reaper: ['testbed/docker/reaper/main.js'],
};

/** The folder of the image that brings Node.js to the others; it is made like a base, and is no host's. */
export const NODE_BASE_FOLDER = 'node-base';

/** All names: the folders that have a Dockerfile. The name of an image is that of its folder. */
export function imageNames(): string[] {
  return readdirSync(DOCKER_DIR)
    .filter((name) => name !== NODE_BASE_FOLDER && existsSync(join(DOCKER_DIR, name, 'Dockerfile')))
    .sort();
}

/** Files of `dist/` that run in the image of that name; they come with all that they import. Where there are none, it needs no Node.js. */
export function programsOf(name: string): string[] {
  return Object.hasOwn(PROGRAMS, name) ? PROGRAMS[name] : [];
}

/** The first part of every tag: `portparty/nginx:0123456789ab`. */
export const REPOSITORY = 'portparty';

/** The built package in the images that have one, as `Host.distDir`. */
export const IMAGE_DIST_DIR = '/portparty/package/dist';

/** Node.js in the images that have one, as `Host.nodeBinary`. */
export const IMAGE_NODE = '/usr/local/bin/node';
