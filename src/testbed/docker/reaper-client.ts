/** This process's end of the reaper: testcontainers' own, with our image in the place of one from a registry. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Daemon, daemonError } from './daemon.js';
import { REAPER_IMAGE } from './reaper-image.js';

/** Label by which the reaper knows what to remove. */
export const REAPER_LABEL = 'org.testcontainers.session-id';

/** A reaper that knows of this process. */
export interface Reaper {
  sessionId: string;
  /** Lets it go. Idempotent. */
  leave(): Promise<void>;
}

/** How long a reaper may take to answer, ms. */
const ANSWER_MS = 5000;
const ATTEMPTS = 5;

/**
 * Starts the reaper, or joins one that runs. One that has just begun to end may still be found: Docker's port forwarding takes
 * a connection for a program that is gone. Only the answer tells, and without one another reaper is started.
 * Throws a PortPartyError (exit 3).
 */
export async function startReaper(daemon: Daemon): Promise<Reaper> {
  const { getContainerRuntimeClient, getReaper } = await import('testcontainers');
  try {
    const client = await getContainerRuntimeClient();
    const reaper = await getReaper(client);
    const { sessionId } = reaper;
    let { socket } = reaper as unknown as { socket?: Socket };
    // Without one where the user's environment switches it off.
    for (let attempt = 1; socket !== undefined && !(await answers(socket)); attempt++) {
      if (attempt === ATTEMPTS) throw new Error('it does not answer');
      socket = await startAnother(daemon, sessionId, client.info.containerRuntime);
    }
    return { sessionId, leave: () => leave(socket) };
  } catch (error) {
    throw daemonError('starting the reaper, which removes the containers should this process be killed', error);
  }
}

/** True once the reaper has acknowledged what it was sent; false when the connection ends before. */
async function answers(socket: Socket): Promise<boolean> {
  const waiting = new AbortController();
  const { signal } = waiting;
  const heard = once(socket, 'data', { signal }).then(() => true);
  const closed = once(socket, 'close', { signal }).then(() => false);
  const tooLate = sleep(ANSWER_MS, false, { signal });
  try {
    if (socket.destroyed) return false;
    return await Promise.race([heard, closed, tooLate]);
  } catch {
    return false; // The connection broke.
  } finally {
    waiting.abort();
    await Promise.allSettled([heard, closed, tooLate]);
  }
}

/** A reaper as testcontainers starts it, for the session that it has given this process already. */
async function startAnother(
  daemon: Daemon,
  sessionId: string,
  { host, remoteSocketPath }: { host: string; remoteSocketPath: string },
): Promise<Socket> {
  const { GenericContainer, Wait } = await import('testcontainers');
  const container = await new GenericContainer(REAPER_IMAGE)
    .withExposedPorts(8080)
    .withBindMounts([{ source: remoteSocketPath, target: '/var/run/docker.sock' }])
    .withLabels({ [REAPER_LABEL]: sessionId })
    .withWaitStrategy(Wait.forLogMessage(/.*Started.*/))
    .start();
  const { Ports } = (await daemon.docker.getContainer(container.getId()).inspect()).NetworkSettings;
  const port = Number(Ports['8080/tcp'][0].HostPort);
  const socket = connect(port, host).unref();
  // Whoever waits for the answer learns of it.
  socket.on('error', () => {});
  socket.write(`label=${REAPER_LABEL}=${sessionId}\r\n`);
  return socket;
}

async function leave(socket: Socket | undefined): Promise<void> {
  if (socket === undefined || socket.destroyed) return;
  await new Promise<void>((resolve) => {
    socket.end(resolve);
    socket.once('error', () => resolve());
  });
}
