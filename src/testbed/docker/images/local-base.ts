/** The base images without a registry: a Debian from its packages, and on it the Node.js that runs this process. */
import { spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type Dockerode from 'dockerode';
import { testbedError } from '../../../errors.js';
import { daemonError } from '../daemon.js';
import type { ImageProgress } from './build-image.js';
import { DOCKER_DIR, NODE_BASE_FOLDER } from './catalog.js';
import { type BuildContext, contextHash, imageContext } from './context.js';
import type { Inventory } from './inventory.js';

/** Makes the base image out of Debian's own packages, for daemons that reach no registry. */
export const BASE_SCRIPT = join(DOCKER_DIR, 'make-base-image.sh');

/** The image that it makes. */
export const LOCAL_BASE = 'portparty/base:bookworm';

/** Why the base image cannot be made here; undefined when it can. */
export function whyNoLocalBase({ cpu }: Inventory): string | undefined {
  if (process.platform !== 'linux') return `this is ${process.platform}, not Linux`;
  if (process.getuid?.() !== 0) return 'this process is not root';
  return otherProcessor(cpu);
}

/** Runs the script, until `signal`; returns the image's id. Throws a PortPartyError (exit 3) with its last words. */
export async function makeLocalBase(
  docker: Dockerode,
  onProgress: ImageProgress,
  signal?: AbortSignal,
): Promise<string> {
  let last = '';
  const child = spawn('sh', [BASE_SCRIPT], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, DOCKER_HOST: process.env.DOCKER_HOST ?? addressOf(docker) },
  });
  for (const output of [child.stdout, child.stderr])
    createInterface({ input: output }).on('line', (line) => {
      last = line;
      onProgress(line);
    });
  // It clears up behind itself, which is waited for.
  const stop = () => child.kill('SIGTERM');
  signal?.addEventListener('abort', stop);
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  signal?.removeEventListener('abort', stop);
  if (code !== 0) throw testbedError(`making the base image failed: ${last}`, BASE_SCRIPT);
  try {
    return (await docker.getImage(LOCAL_BASE).inspect()).Id;
  } catch (error) {
    throw daemonError('looking for the base image just made', error);
  }
}

/** Where this process reaches the daemon, as `DOCKER_HOST` has it. */
function addressOf({ modem }: Dockerode): string | undefined {
  const { socketPath, host, port } = modem as { socketPath?: string; host?: string; port?: number };
  return socketPath !== undefined ? `unix://${socketPath}` : host === undefined ? undefined : `tcp://${host}:${port}`;
}

/** Why this machine's own Node.js is of no use in the daemon's containers; undefined when it is. */
export function whyNoLocalNode({ cpu }: Inventory): string | undefined {
  if (process.platform !== 'linux') return `this is ${process.platform}, not Linux`;
  return (
    otherProcessor(cpu) ?? (usesGlibc() ? undefined : 'the Node.js here is built for musl, the base image has glibc')
  );
}

function otherProcessor(cpu: string): string | undefined {
  return cpu === process.arch ? undefined : `the daemon's processor is ${cpu}, this machine's ${process.arch}`;
}

function usesGlibc(): boolean {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime !== undefined;
}

/** The image with this machine's Node.js: its tag and how to build it. */
export function localNode(base: { id: string }): { tag: string; context: BuildContext } {
  const context = imageContext(NODE_BASE_FOLDER, []);
  context.binaries.set('node', process.execPath);
  const { size, mtimeMs } = statSync(process.execPath);
  const tag = `portparty/node-base:${contextHash(context, base.id, `${process.version} ${size} ${mtimeMs}`)}`;
  return { tag, context };
}
