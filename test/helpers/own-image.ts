/** Images as a user has them, built by the tests. They stay on the daemon, as the cache of the next run. */
import { connectDaemon } from '../../src/testbed/docker/daemon.js';
import { BASE_NAMES } from '../../src/testbed/docker/images/bases.js';
import { buildImage } from '../../src/testbed/docker/images/build-image.js';
import { ensureImages } from '../../src/testbed/docker/images/ensure.js';
import { takeInventory } from '../../src/testbed/docker/images/inventory.js';

/**
 * Builds `portparty-test/<name>` and returns that. `FROM plain` in the Dockerfile is the Debian that is here, `FROM node` the
 * Node.js.
 */
export async function ownImage(name: string, dockerfile: string, files: Record<string, string> = {}): Promise<string> {
  const { docker } = await connectDaemon();
  // Whatever they are built on is here then.
  await ensureImages(docker, ['client', 'fixed'], () => {});
  const { images } = await takeInventory(docker, BASE_NAMES);
  const tags = images.flatMap((image) => image.tags);
  const first = (...wanted: RegExp[]) => wanted.flatMap((one) => tags.filter((tag) => one.test(tag)))[0];
  const plain = first(/^debian:/, /^portparty\/base:/);
  const node = first(/^node:/, /^portparty\/node-base:/);
  const tag = `portparty-test/${name}:latest`;
  const text = dockerfile.replace(/^FROM plain$/m, `FROM ${plain}`).replace(/^FROM node$/m, `FROM ${node}`);
  const texts = new Map(Object.entries({ Dockerfile: text, ...files }));
  const context = {
    texts,
    modules: { placed: [], missing: [] },
    binaries: new Map<string, string>(),
    packages: new Set<string>(),
    version: '1',
  };
  await buildImage(docker, { tag, context, buildArgs: {} }, () => {});
  return tag;
}
