/** The netns driver as `Driver`. Only inside the isolation of `enter.ts`. */
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import type { Driver } from '../driver.js';
import { buildNetns, checkPlan } from './build.js';
import { SCRATCH_ROOT } from './enter.js';

/** Makes the driver. It holds nothing of its own: the kernel removes a testbed's hosts with its processes. */
export function netnsDriver(): Driver {
  const sharedRoot = (trial: string) => join(SCRATCH_ROOT, `shared-${trial}`);
  return {
    name: 'netns',
    machine: { kernel: release(), cpus: cpus().length, versions: {} },
    check: checkPlan,
    build: (plan, { trial, logsRoot }) => buildNetns(plan, { logsRoot, sharedRoot: sharedRoot(trial) }),
    sharedDir: (node, { trial }) => join(sharedRoot(trial), node),
    async close() {},
  };
}
