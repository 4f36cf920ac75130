/** Our own images in the daemon: those that are there for this content are used, the others are built, several at a time. */
import type Dockerode from 'dockerode';
import { baseSetting } from './base-setting.js';
import { BASE_NAMES, type BaseImage, getBase, getNode, presentBase, presentNode } from './bases.js';
import { buildImage, type ImageProgress } from './build-image.js';
import { programsOf, REPOSITORY } from './catalog.js';
import { addPackages, type BuildContext, contextHash, imageContext } from './context.js';
import { idOf, takeInventory } from './inventory.js';
import { removeOldImages } from './old-images.js';

export type { ImageProgress } from './build-image.js';

/** Builds at a time: each of them waits for downloads and unpacks in turn. */
const AT_A_TIME = 3;

/**
 * Builds what is missing; resolves to the full tag by name. A tag says what is in it (a hash of the Dockerfile, of all that
 * is copied, and of the image below), so an image of that name is never built twice.
 * Throws a PortPartyError (exit 3) with the daemon's own words and the step that failed; aborted by `signal`, it stops.
 */
export async function ensureImages<Name extends string>(
  docker: Dockerode,
  names: Name[],
  onProgress: ImageProgress,
  signal?: AbortSignal,
): Promise<Record<Name, string>> {
  const setting = baseSetting();
  // The files are read while the daemon answers.
  const [inventory, contexts] = await Promise.all([takeInventory(docker, BASE_NAMES), readContexts(names)]);
  for (const context of contexts.values()) addPackages(context, inventory.cpu);
  const getting = { docker, inventory, setting, onProgress, signal };
  const plain = once(async () => presentBase(inventory, setting) ?? (await getBase(getting)));
  const node = once(
    async () => presentNode(inventory, setting, presentBase(inventory, setting)) ?? (await getNode(getting, plain)),
  );

  const tags = {} as Record<Name, string>;
  const builds: Build[] = [];
  await Promise.all(
    names.map(async (name) => {
      const base = await (programsOf(name).length > 0 ? node() : plain());
      const context = contexts.get(name)!;
      tags[name] = `${REPOSITORY}/${name}:${contextHash(context, base.id)}`;
      if (idOf(inventory, tags[name]) === undefined) builds.push({ name, tag: tags[name], base, context });
    }),
  );
  await inParallel(builds, AT_A_TIME, (build, index) =>
    buildOne(
      docker,
      build,
      (line) => onProgress(`building ${REPOSITORY}/${build.name} (${index + 1} of ${builds.length}): ${line}`),
      signal,
    ),
  );
  if (builds.length > 0) await removeOldImages(docker, new Set(builds.flatMap(({ tag, base }) => [tag, base.name])));
  return tags;
}

async function readContexts<Name extends string>(names: Name[]): Promise<Map<Name, BuildContext>> {
  return new Map(names.map((name) => [name, imageContext(name, programsOf(name))]));
}

interface Build {
  name: string;
  tag: string;
  base: BaseImage;
  context: BuildContext;
}

function buildOne(
  docker: Dockerode,
  { name, tag, base, context }: Build,
  onProgress: ImageProgress,
  signal: AbortSignal | undefined,
): Promise<void> {
  const [native] = context.modules.missing;
  const buildArgs: Record<string, string> =
    programsOf(name).length > 0 ? { NODE_BASE: base.name } : { BASE: base.name };
  if (native !== undefined) buildArgs.NATIVE = native;
  return buildImage(docker, { tag, context, buildArgs }, onProgress, signal);
}

function once<Value>(get: () => Promise<Value>): () => Promise<Value> {
  let value: Promise<Value> | undefined;
  return () => {
    value ??= get();
    return value;
  };
}

/** Does them some at a time, in order; the first error is thrown when those under way have ended. */
async function inParallel<Item>(
  items: Item[],
  width: number,
  work: (item: Item, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  let failed = false;
  const lane = async () => {
    while (next < items.length && !failed) {
      const index = next++;
      await work(items[index], index).catch((error) => {
        failed = true;
        throw error;
      });
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: width }, lane));
  const broken = ends.find((end) => end.status === 'rejected');
  if (broken !== undefined) throw broken.reason;
}
