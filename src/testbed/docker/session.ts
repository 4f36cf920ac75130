/** One process's dealings with the daemon: its labels, its reaper, and the images that it needs. */
import { randomUUID } from 'node:crypto';
import { type Daemon, daemonError } from './daemon.js';
import { ensureImages } from './images/ensure.js';
import { OWNER_LABEL, ownOwner } from './owner.js';
import { REAPER_LABEL, startReaper } from './reaper-client.js';
import { OWN_REAPER, REAPER_IMAGE } from './reaper-image.js';

/** What every container, network and volume of this process carries. */
export interface Session {
  daemon: Daemon;
  /** Begins every name; unique to the process. */
  prefix: string;
  labels: Record<string, string>;
  /** Full tags of our own images, by name; those of `openSession` and of later `need` calls. */
  images: Partial<Record<string, string>>;
  /** Says a line to the user, beside the progress. */
  tell(line: string): void;
  /** Builds further images. */
  need(names: string[]): Promise<void>;
  /** Lets the reaper go. Idempotent. */
  close(): Promise<void>;
}

/**
 * Builds the images that are missing and starts the reaper, which removes everything of this process should it be killed.
 * `onProgress` gets a line per step; `interrupt` breaks off a build.
 */
export async function openSession(
  daemon: Daemon,
  names: string[],
  onProgress: (line: string) => void,
  interrupt?: AbortSignal,
): Promise<Session> {
  const images: Session['images'] = {};
  const need = async (wanted: string[]) => {
    const missing = wanted.filter((name) => images[name] === undefined);
    if (missing.length > 0) Object.assign(images, await ensureImages(daemon.docker, missing, onProgress, interrupt));
  };
  const ownReaper = REAPER_IMAGE === OWN_REAPER && process.env.TESTCONTAINERS_RYUK_DISABLED !== 'true';
  await need(ownReaper ? [...names, 'reaper'] : names);
  if (ownReaper) await nameReaper(daemon, images.reaper!);
  const reaper = await startReaper(daemon);
  return {
    daemon,
    prefix: `portparty-${randomUUID().slice(0, 8)}`,
    labels: { [REAPER_LABEL]: reaper.sessionId, [OWNER_LABEL]: ownOwner() },
    images,
    tell: onProgress,
    need,
    close: () => reaper.leave(),
  };
}

async function nameReaper(daemon: Daemon, tag: string): Promise<void> {
  const [repo, version] = OWN_REAPER.split(':');
  await daemon.docker
    .getImage(tag)
    .tag({ repo, tag: version })
    .catch((error) => {
      throw daemonError(`naming the image ${tag}`, error);
    });
}
