/** Our own images: a folder of `docker/` and one line here each. */

/** What an image is built from. */
export interface ImageSource {
  /** `plain`: a Debian with nothing more; `node`: one with Node.js. */
  base: 'plain' | 'node';
  /** Files of `dist/` that run in the image; they come with all that they import. */
  entries?: string[];
}

export const IMAGES = {
  client: { base: 'plain' },
  gateway: { base: 'plain' },
  nginx: { base: 'plain' },
  haproxy: { base: 'node', entries: ['nodes/haproxy/rings-to-log.js'] },
  squid: { base: 'plain' },
  varnish: { base: 'plain' },
  redis: { base: 'plain' },
  'ticket-shop': { base: 'node', entries: ['servers/ticket-shop.js', 'servers/inventory.js'] },
  fixed: { base: 'node', entries: ['servers/fixed.js'] },
  attacker: { base: 'node', entries: ['attacks/attacker.js'] },
  agent: { base: 'node', entries: ['agent/main.js'] },
  reaper: { base: 'node', entries: ['testbed/docker/reaper/main.js'] },
} satisfies Record<string, ImageSource>;

/** The name of an image, which is that of its folder in `docker/` too. */
export type ImageName = keyof typeof IMAGES;

/** The first part of every tag: `portparty/nginx:0123456789ab`. */
export const REPOSITORY = 'portparty';

/** The built package in the images that have one, as `Host.distDir`. */
export const IMAGE_DIST_DIR = '/portparty/package/dist';

/** Node.js in the images that have one, as `Host.nodeBinary`. */
export const IMAGE_NODE = '/usr/local/bin/node';
