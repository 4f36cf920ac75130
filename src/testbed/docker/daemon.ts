/** The Docker daemon: finding it as testcontainers does, what it is, and its errors in its own words. */
import './reaper-image.js';
import { createRequire } from 'node:module';
import type Dockerode from 'dockerode';
import { PortPartyError, testbedError } from '../../errors.js';

/** A daemon that answers. */
export interface Daemon {
  docker: Dockerode;
  /** Of the daemon itself, e.g. `20.10.24`. */
  version: string;
  /** Of the kernel that the containers run on. */
  kernel: string;
  cpus: number;
  /** Path of its socket as this process reaches it; undefined over TCP or SSH. */
  socketPath: string | undefined;
}

/** Where Docker's own documentation says that the daemon listens by default. */
const DEFAULT_SOCKET = '/var/run/docker.sock';

/** How long a daemon may be silent when it is first spoken to, ms. */
const SILENCE_MS = 10_000;

let connecting: Promise<Daemon> | undefined;

/**
 * Connects to the daemon that `DOCKER_HOST`, else the usual sockets lead to; once per process.
 * Throws a PortPartyError (exit 3) that says why none answers and what to do.
 */
export function connectDaemon(): Promise<Daemon> {
  connecting ??= connect();
  return connecting;
}

async function connect(): Promise<Daemon> {
  // testcontainers would go on to the usual sockets, and so to another daemon than the one that was named.
  if (process.env.DOCKER_HOST !== undefined) await pingPlainly();
  const { getContainerRuntimeClient } = await import('testcontainers');
  let docker: Dockerode;
  try {
    docker = (await within(SILENCE_MS, getContainerRuntimeClient())).container.dockerode;
  } catch (error) {
    throw await whyNone(error);
  }
  const info = await docker.info().catch((error) => {
    throw daemonError('asking the Docker daemon for its version', error);
  });
  return {
    docker,
    version: info.ServerVersion,
    kernel: info.KernelVersion,
    cpus: info.NCPU,
    socketPath: (docker.modem as { socketPath?: string }).socketPath,
  };
}

/** testcontainers only says that nothing works: asked again the plain way, the socket says why. */
async function whyNone(error: unknown): Promise<PortPartyError> {
  try {
    await pingPlainly();
  } catch (plain) {
    return plain as PortPartyError;
  }
  return daemonError('connecting to the Docker daemon', error);
}

/** Asks the daemon that `DOCKER_HOST` names, else the one at the default socket. Throws a PortPartyError (exit 3). */
async function pingPlainly(): Promise<void> {
  const Docker = createRequire(import.meta.url)('dockerode') as typeof Dockerode;
  const { DOCKER_HOST } = process.env;
  const over = new AbortController();
  try {
    const docker = DOCKER_HOST === undefined ? new Docker({ socketPath: DEFAULT_SOCKET }) : new Docker();
    // The types leave the option out (lib/docker.js has it).
    const ping = docker.ping as (options: { abortSignal: AbortSignal }) => Promise<unknown>;
    await within(SILENCE_MS, ping.call(docker, { abortSignal: over.signal }));
  } catch (error) {
    throw daemonError(`connecting to the Docker daemon at ${DOCKER_HOST ?? `unix://${DEFAULT_SOCKET}`}`, error);
  } finally {
    over.abort();
  }
}

/** Rejects when it takes longer; what it then still does is nobody's concern. */
async function within<Value>(ms: number, work: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it gave no answer within ${ms / 1000} s`)), ms);
  });
  try {
    return await Promise.race([work, silence]);
  } finally {
    clearTimeout(timer);
  }
}

/** What to do about an error, by its code or its words. */
const HINTS: [told: RegExp, hint: string][] = [
  [
    /EACCES|permission denied.*docker\.sock/i,
    'add this user to the group docker (sudo usermod -aG docker $USER), or use sudo',
  ],
  [/ENOENT|ECONNREFUSED/, 'start the daemon (sudo systemctl start docker, or sudo dockerd), or set DOCKER_HOST'],
  [/ENOTFOUND|EHOSTUNREACH|ETIMEDOUT|no answer within/, 'check DOCKER_HOST, and whether the daemon there is well'],
  [/no space left on device/i, 'docker system df shows what takes the space, docker system prune frees it'],
  [
    /Pool overlaps with other one/i,
    'another Docker network uses addresses of 198.18.0.0/15: portparty clean, or docker network rm',
  ],
  [/could not find an available.*IPv4 address pool/i, 'remove networks that nobody uses: docker network prune'],
];

/** A failure of the daemon: the step that failed and the daemon's own words. A PortPartyError passes through as it is. */
export function daemonError(step: string, error: unknown, where?: string): PortPartyError {
  if (error instanceof PortPartyError) return error;
  const words = daemonWords(error);
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const hint = HINTS.find(([told]) => told.test(`${code} ${words}`))?.[1];
  return testbedError(`${step} failed: ${words}`, where, hint, error);
}

/** The daemon's own words of an error that dockerode threw, without the HTTP around them. */
export function daemonWords(error: unknown): string {
  const { json, message, code } = error as { json?: { message?: string } | string; message?: string; code?: string };
  const body = typeof json === 'object' ? json?.message : json;
  const words = body ?? message?.replace(/^\(HTTP code \d+\) [^-]*- /, '') ?? String(error);
  return (words || code || 'no reason given').toString().trim();
}

/** True for an answer "there is no such container, image, network, file". */
export function isNotFound(error: unknown): boolean {
  return (error as { statusCode?: number }).statusCode === 404;
}
