/** Images of earlier contents, which nobody needs any more, so that a developer's disk does not fill up. */
import type Dockerode from 'dockerode';
import type { PresentImage } from './inventory.js';

/** How many older ones of a name are kept: another checkout on this machine may be at work with them. */
const KEPT = 2;
/** Younger ones are kept in any case, s: they may be in the making, or about to be used. */
const YOUNG_S = 600;

/** Removes older images of that name that no container uses. Best effort: what cannot be removed stays. */
export async function removeOldImages(docker: Dockerode, name: string, current: string): Promise<void> {
  try {
    const images = await docker.listImages({ filters: { label: [`${IMAGE_LABEL}=${name}`] } });
    const old = oldImages(
      images.map(({ Id, RepoTags, Labels, Created }) => ({
        id: Id,
        tags: RepoTags ?? [],
        labels: Labels ?? {},
        created: Created,
      })),
      current,
      Date.now() / 1000,
    );
    for (const id of old)
      await docker
        .getImage(id)
        .remove({ noprune: false })
        .catch(() => {});
  } catch {
    // The images that are needed are there; that is what counts.
  }
}

/** Label of every image of ours; its value is the image's name. */
export const IMAGE_LABEL = 'portparty.image';

/** Which of a name's images go, by id or tag; `now` in seconds since 1970. */
export function oldImages(images: PresentImage[], current: string, now: number): string[] {
  const others = images
    .filter(({ tags, created }) => !tags.includes(current) && now - created > YOUNG_S)
    .sort((one, other) => other.created - one.created);
  const [tagged, untagged] = [others.filter(hasTag), others.filter((image) => !hasTag(image))];
  return [...untagged.map(({ id }) => id), ...tagged.slice(KEPT).flatMap(({ tags }) => tags)];
}

function hasTag({ tags }: PresentImage): boolean {
  return tags.some((tag) => tag !== '<none>:<none>');
}
