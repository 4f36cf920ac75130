/** The container of an image of the user's own, in the network of the host that it belongs to. */
import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { finished } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Container } from 'dockerode';
import type { HostProcess, ImageStart } from '../host.js';
import { startContainer } from './container.js';
import { daemonError } from './daemon.js';
import { putFiles } from './files.js';
import type { Session } from './session.js';
import { attachStreams } from './streams.js';

/** Where such a container is. */
export interface UserContainerPlace {
  host: string;
  /** Name of the container. */
  name: string;
  /** Id of the host's container, which holds the network. */
  networkOf: string;
  /** Folder of the record for its output. */
  recordDir: string;
  /** Folders that anybody in the container may write to. */
  folders: string[];
}

/** How long the last of its output may lag behind its end, which comes by another connection, ms. */
const OUTPUT_LAG_MS = 1000;

/** Starts it; resolves once its first process runs. Throws a PortPartyError (exit 3). */
export async function startUserContainer(
  session: Session,
  place: UserContainerPlace,
  { image, label, files, openFiles }: ImageStart,
): Promise<{ container: Container; process: HostProcess }> {
  const { docker } = session.daemon;
  const { host } = place;
  // The record keeps the configuration that it ran with.
  for (const { path, text } of files) await writeFile(join(place.recordDir, basename(path)), text);
  const streams = attachStreams(session.daemon, host);
  const log = createWriteStream(join(place.recordDir, `${label}.log`), { flags: 'a' });
  const started = await startContainer(session, {
    name: place.name,
    image,
    network: { of: place.networkOf },
    asBuilt: true,
    openFiles,
    async prepare(id) {
      await putFiles(docker.getContainer(id), host, files, place.folders);
      await streams.attach(id);
      const { stdout, stderr } = streams.opened();
      stdout.pipe(log, { end: false });
      stderr.pipe(log, { end: false });
    },
  });
  const container = docker.getContainer(started.getId());
  const { State } = await container.inspect();
  let running = true;
  const { stdout, stderr } = streams.opened();
  const outputEnded = Promise.allSettled([finished(stdout), finished(stderr)]);
  const exited = container
    .wait()
    .then(
      ({ StatusCode }: { StatusCode: number }) => ({ code: StatusCode, signal: null }),
      () => ({ code: null, signal: 'SIGKILL' }),
    )
    .then(async (end) => {
      await Promise.race([outputEnded, sleep(OUTPUT_LAG_MS, undefined, { ref: false })]);
      // What comes later still must not be written to a file that has ended.
      stdout.unpipe(log).resume();
      stderr.unpipe(log).resume();
      await new Promise<void>((resolve) => log.end(resolve));
      running = false;
      return end;
    });
  return {
    container,
    process: {
      pid: State.Pid,
      exited,
      get running() {
        return running;
      },
      async signal(name) {
        if (!running) return;
        try {
          await container.kill({ signal: name });
        } catch (error) {
          // It may have ended meanwhile.
          if ((error as { statusCode?: number }).statusCode !== 409) throw daemonError(`sending ${name}`, error, host);
        }
      },
    },
  };
}
