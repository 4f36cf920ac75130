/** Pulling an image from a registry, given up when nothing comes. */
import type Dockerode from 'dockerode';
import { daemonError } from '../daemon.js';
import type { ImageProgress } from './build-image.js';

/** How long a registry may be silent, ms. */
const SILENCE_MS = 20_000;

/** Pulls an image, until `signal`, and returns its id. Throws a PortPartyError (exit 3) in the daemon's own words. */
export async function pullImage(
  docker: Dockerode,
  name: string,
  onProgress: ImageProgress,
  signal?: AbortSignal,
): Promise<string> {
  const step = `pulling the image ${name}`;
  onProgress(step);
  const silent = new AbortController();
  const patience = setTimeout(() => silent.abort(), SILENCE_MS);
  try {
    const output = await docker.pull(name, { abortSignal: anyOf(silent.signal, signal) });
    await new Promise<void>((resolve, reject) => {
      docker.modem.followProgress(
        output,
        (error) => (error ? reject(error) : resolve()),
        () => patience.refresh(),
      );
    });
    return (await docker.getImage(name).inspect()).Id;
  } catch (error) {
    throw silent.signal.aborted
      ? daemonError(step, new Error(`the registry was silent for ${SILENCE_MS / 1000} s`))
      : daemonError(step, error);
  } finally {
    clearTimeout(patience);
  }
}

function anyOf(first: AbortSignal, second: AbortSignal | undefined): AbortSignal {
  return second === undefined ? first : AbortSignal.any([first, second]);
}
