/** What a driver is: it builds plans into running testbeds. `netns/driver.ts` and `docker/driver.ts` are the two. */
import type { Plan } from '../topology/plan.js';
import type { Testbed } from './host.js';

/** Where one trial's files go. */
export interface TrialPlace {
  /** Unique in the run. */
  trial: string;
  /** Folder of the record; each host gets a sub-folder of its name. */
  logsRoot: string;
}

/** A driver that is ready to build. */
export interface Driver {
  readonly name: Testbed['driver'];
  /** The machine that the testbed runs on. */
  readonly machine: { kernel: string; cpus: number; versions: Record<string, string> };
  /** Refuses what cannot work here by node and knob, before anything is started. Throws a PortPartyError (exit 3). */
  check(plan: Plan): Promise<void>;
  /** Throws a PortPartyError (exit 3), and leaves nothing, when it cannot be built. */
  build(plan: Plan, place: TrialPlace): Promise<Testbed>;
  /** A folder that all hosts of a node share, as their processes see it. */
  sharedDir(node: string, place: Pick<TrialPlace, 'trial'>): string;
  /** Lets go of what outlasts single testbeds. */
  close(): Promise<void>;
}
