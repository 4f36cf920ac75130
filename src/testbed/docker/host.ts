/** A host of the docker driver: a container of its own, its daemons started by exec, its network reached as `reach.ts` says. */
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PlannedHost } from '../../topology/plan.js';
import type { Host, HostProcess } from '../host.js';
import { execRun, execSpawn } from './exec.js';
import { copyFolder, inFolder, putFiles, readText } from './files.js';
import { IMAGE_DIST_DIR, IMAGE_NODE } from './images/catalog.js';
import { containerName } from './names.js';
import type { Reach } from './reach.js';
import type { Session } from './session.js';
import { startUserContainer } from './user-container.js';

/** Folders of our own images (docker/): logs, scratch files. */
const LOG_DIR = '/portparty/logs';
const RUN_DIR = '/portparty/run';

/** A host, and how its logs reach this machine. */
export interface DockerHost extends Host {
  readonly containerId: string;
  /** Copies what its daemons wrote to the record's folder, once no image is being started any more. */
  keepLogs(): Promise<void>;
}

/** Makes the host of a container that runs. `recordDir` is the record's folder for this host's logs. */
export async function dockerHost(
  session: Session,
  planned: PlannedHost,
  containerId: string,
  reach: Reach,
  recordDir: string,
): Promise<DockerHost> {
  const { daemon } = session;
  const { name } = planned;
  const container = daemon.docker.getContainer(containerId);
  /** Where its files are: in its own container, or in that of an image of the user's own. */
  let files = { container, root: reach.root };
  await mkdir(recordDir, { recursive: true });
  // What its daemons say comes here as they say it; what they write into files is copied at the end.
  const spawned = new Set<string>();
  /** Containers being made; whoever removes them waits until they are there to be found. */
  const starting: Promise<unknown>[] = [];

  return {
    name,
    containerId,
    node: planned.node,
    netns: reach.netns,
    agent: reach.agent,
    logDir: LOG_DIR,
    runDir: RUN_DIR,
    distDir: IMAGE_DIST_DIR,
    nodeBinary: IMAGE_NODE,
    run: (argv, options) => execRun(daemon, container, name, argv, options?.input),
    async spawn(argv, { label, openFiles, env }): Promise<HostProcess> {
      spawned.add(`${label}.log`);
      const logFile = join(recordDir, `${label}.log`);
      await appendFile(logFile, '');
      return execSpawn(daemon, container, name, { argv, openFiles, env, logFile });
    },
    async startImage(start) {
      spawned.add(`${start.label}.log`);
      const place = {
        host: name,
        name: `${containerName(name)}-image`,
        networkOf: containerId,
        recordDir,
        folders: [LOG_DIR, RUN_DIR],
      };
      const made = startUserContainer(session, place, start);
      starting.push(made);
      const user = await made;
      files = { container: user.container, root: undefined };
      return user.process;
    },
    async writeFile(path, text) {
      const target = inFolder(LOG_DIR, path);
      await Promise.all([
        putFiles(files.container, name, [{ path: target, text }]),
        path.startsWith('/') ? undefined : writeFile(join(recordDir, path), text),
      ]);
      return target;
    },
    async readFile(path) {
      const target = inFolder(LOG_DIR, path);
      const label = target.slice(LOG_DIR.length + 1);
      if (spawned.has(label)) return readFile(join(recordDir, label), 'utf8');
      return readText(files.container, name, files.root, target);
    },
    setSysctl: reach.setSysctl,
    sysctl: reach.sysctl,
    async keepLogs() {
      await Promise.allSettled(starting);
      // A host without daemons has written nothing.
      if (spawned.size > 0) await copyFolder(files.container, name, LOG_DIR, recordDir);
    },
  };
}
