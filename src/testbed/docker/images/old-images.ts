/** Images of earlier contents, which nobody needs any more, so that a developer's disk does not fill up. */
import type Dockerode from 'dockerode';
import { REPOSITORY } from './catalog.js';
import { type PresentImage, takeInventory } from './inventory.js';

/** How many older ones of a name are kept: another checkout on this machine may be at work with them. */
const KEPT = 2;
/** Younger ones are kept in any case, s: they may be about to be used. */
const YOUNG_S = 600;

/** Removes older images of these names that no container uses. Best effort: what cannot be removed stays. */
export async function removeOldImages(docker: Dockerode, current: Iterable<string>): Promise<void> {
  try {
    const { images } = await takeInventory(docker, []);
    const old = [...current].flatMap((tag) => oldImages(images, tag, Date.now() / 1000));
    await Promise.allSettled(old.map((tag) => docker.getImage(tag).remove()));
  } catch {
    // In use, or another process was faster. The images that are needed are there; that is what counts.
  }
}

/** Which tags go in favour of the current one, which is of the same name; `now` in seconds since 1970. */
export function oldImages(images: PresentImage[], current: string, now: number): string[] {
  const [repository] = current.split(':');
  if (!repository.startsWith(`${REPOSITORY}/`)) return [];
  return images
    .toSorted((one, other) => other.created - one.created)
    .flatMap(({ tags, created }) =>
      tags
        // Of our own making: a name by hand, such as `latest`, is somebody's wish.
        .filter((tag) => tag.startsWith(`${repository}:`) && /:[0-9a-f]{12}$/.test(tag) && tag !== current)
        .map((tag) => ({ tag, created })),
    )
    .slice(KEPT)
    .filter(({ created }) => now - created > YOUNG_S)
    .map(({ tag }) => tag);
}
