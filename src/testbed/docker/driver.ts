/** The docker driver as `Driver`. */
import type { Driver } from '../driver.js';
import { buildDocker } from './build.js';
import { checkPlan } from './check-plan.js';
import { SHARED_DIR } from './container.js';
import type { Daemon } from './daemon.js';
import { imagesFor } from './images-for.js';
import { openSession, type Session } from './session.js';

/**
 * Opens the driver on a daemon that answers; the images are built, with a line of `onProgress` per step, when the first
 * plan is checked. `interrupt` breaks off a build.
 */
export function dockerDriver(daemon: Daemon, onProgress: (line: string) => void, interrupt?: AbortSignal): Driver {
  let opening: Promise<Session> | undefined;
  const session = () => {
    opening ??= openSession(daemon, [], onProgress, interrupt);
    return opening;
  };
  return {
    name: 'docker',
    machine: { kernel: daemon.kernel, cpus: daemon.cpus, versions: { docker: daemon.version } },
    async check(plan) {
      const open = await session();
      await open.need(imagesFor(plan, daemon));
      await checkPlan(open, plan);
    },
    build: async (plan, { logsRoot }) => buildDocker(await session(), plan, { logsRoot }),
    sharedDir: () => SHARED_DIR,
    async close() {
      await (await opening?.catch(() => undefined))?.close();
    },
  };
}
