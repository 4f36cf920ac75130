/** All that the page over a results folder shows, as one plain value of bounded size: what `portparty report --index DIR --json` prints. */
import type { GateUnit, Operator } from '../../../analysis/gate-expression.js';
import type { Ending } from '../ending.js';
import type { Totals } from '../run-words.js';

/** A results folder, ready to be shown. */
export interface IndexData {
  /** Newest first. */
  runs: IndexRun[];
  /** By name, the scenario with the newest run first. */
  scenarios: IndexScenario[];
  /** Records that cannot be read, newest first as far as their names tell. */
  broken: BrokenRecord[];
  /** What the page leaves out, in numbers. */
  left: {
    /** Older runs, which are not listed. */
    runs: number;
    /** Broken records that are not listed. */
    broken: number;
    /** Folders of searches for capacity and of tunings: they are no single runs. */
    searches: number;
  };
}

/** A run in the list. */
export interface IndexRun {
  id: string;
  /** Name of its folder. */
  folder: string;
  /** Whether its own page is there. */
  hasReport: boolean;
  scenario: string;
  /** ISO 8601, UTC. */
  startedAt: string;
  driver: string;
  ending: Ending;
  /** In words: `2 of 6 gates do not hold`. */
  words: string;
  variants: number;
  totals: Totals;
}

/** A record that cannot be read. */
export interface BrokenRecord {
  folder: string;
  /** What is wrong, in a sentence. */
  why: string;
}

/** The runs of one scenario. */
export interface IndexScenario {
  name: string;
  runs: number;
  /** How its newest runs ended, the oldest of them first. */
  course: Ending[];
  /** Its gate metrics over time; those that failed first. */
  trends: Trend[];
  /** Trends that are left out, as there are too many: they are of gates that always held, before others. */
  left: number;
}

/** One metric that gates hold something against, over the runs of a scenario. */
export interface Trend {
  variant: string;
  /** Of runs on one driver only, where the scenario ran on several. */
  driver?: string;
  /** As gates name it: `latency.response.p99`. */
  metric: string;
  operator: Operator;
  unit: GateUnit;
  /** In the order of time. */
  points: TrendPoint[];
  /** Older points that are left out. */
  left: number;
}

/** What one run saw of it. */
export interface TrendPoint {
  /** Place of the run in `runs`. */
  run: number;
  /** In the unit; null where nothing was measured. */
  observed: number | null;
  /** What it was held against; null where the baseline measured nothing. */
  bound: number | null;
  pass: boolean;
  /** Whether the run's numbers can be trusted. */
  valid: boolean;
  /** Place of the gate in the run's `run.json`: of its variant, and among that one's gates. */
  at: [variant: number, gate: number];
  /** Whether the scenario's file was another one than in the run before. */
  isChanged: boolean;
}
