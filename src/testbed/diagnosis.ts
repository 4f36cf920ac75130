/** What this machine can run, driver by driver, and what to do about what it cannot. */
import { type Check, runs } from './check.js';
import { checkDocker } from './docker/checks.js';
import { checkNetns } from './netns/checks.js';
import { install, installLine, mayInstall } from './netns/packages.js';

/** One driver's checks, and whether it runs. */
export interface DriverReport {
  ok: boolean;
  checks: Check[];
}

/** What `portparty doctor` tells. */
export interface Diagnosis {
  drivers: { netns: DriverReport; docker: DriverReport };
  /** The one that `--driver auto` takes; null where none can run. */
  driver: 'netns' | 'docker' | null;
  /** The line to type that installs what is missing; undefined where nothing is, or no package manager is known. */
  install: string | undefined;
}

/** With `fix`, packages that the netns driver misses are installed first, where that needs no asking. */
export async function diagnose({ fix }: { fix: boolean }): Promise<Diagnosis> {
  let [netns, docker] = await Promise.all([checkNetns(), checkDocker()]);
  const missing = () => netns.flatMap((check) => (!check.ok && check.package ? [check.package] : []));
  if (fix && missing().length > 0 && mayInstall() && (await install(missing()))) netns = await checkNetns();
  const drivers = {
    netns: { ok: runs(netns), checks: netns },
    docker: { ok: runs(docker), checks: docker },
  };
  return {
    drivers,
    driver: drivers.netns.ok ? 'netns' : drivers.docker.ok ? 'docker' : null,
    install: missing().length > 0 ? installLine(missing()) : undefined,
  };
}
