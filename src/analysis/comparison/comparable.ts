/** Whether two measurements may be held against each other, and every difference beside the one that is compared, by its name. */
import type { RunRecord, TrialRecord, VariantRecord } from '../../record/run-record.js';
import { coresText } from '../../sys/cores.js';

/** Something that two measurements do not have in common. */
export interface Obstacle {
  /** The name of the difference: `kernel`. */
  about: string;
  /** In words, with both values. */
  text: string;
  /** Whether the numbers mean something else, so that a comparison must be forced; else it is only weaker. */
  refused: boolean;
}

/** Obstacles between two runs, their variants left aside. */
export function runObstacles(base: RunRecord, other: RunRecord): Obstacle[] {
  const differs = (about: string, a: unknown, b: unknown, refused: boolean): Obstacle[] =>
    a === b ? [] : [{ about, text: `different ${about}: ${told(a)} and ${told(b)}`, refused }];
  const sameName = base.scenario.name === other.scenario.name;
  return [
    ...differs('scenario', base.scenario.name, other.scenario.name, true),
    ...(sameName ? scenarioFiles(base, other) : []),
    ...differs('driver', base.driver, other.driver, true),
    ...differs('placement', placed(base), placed(other), false),
    ...differs('number of CPUs', base.environment.cpus, other.environment.cpus, true),
    ...differs('kernel', base.environment.kernel, other.environment.kernel, false),
    ...differs('seed', base.scenario.seed, other.scenario.seed, false).map((seed) => ({
      ...seed,
      text: `${seed.text}, so other arrivals: trials are no pairs`,
    })),
    ...versionObstacles(base, other),
    ...differs('Node.js', base.environment.node, other.environment.node, false),
    {
      about: 'time',
      text:
        `made one after the other (${base.startedAt.slice(0, 16)} and ${other.startedAt.slice(0, 16)}), not trial by trial in turn: ` +
        'a machine that changed in between looks like a difference; variants of one run leave no such doubt',
      refused: false,
    },
  ];
}

/** What weakens or spoils a run as a whole. */
export function statusObstacles({ id, status }: RunRecord): Obstacle[] {
  if (status === 'complete') return [];
  return [
    { about: 'status', text: `run ${id} was interrupted: only trials that ran to their end count`, refused: false },
  ];
}

/** What spoils a variant by itself: nothing measured, or numbers that must not be trusted. */
export function validityObstacles(run: RunRecord, { name, validity, perTrial }: VariantRecord): Obstacle[] {
  const about = 'validity';
  if (perTrial.length === 0)
    return [{ about, text: `${name} of run ${run.id} has no trial that ran to its end`, refused: true }];
  if (validity.valid && perTrial.every((trial) => trial.validity.valid)) return [];
  const [reason] = [...validity.reasons, ...perTrial.flatMap((trial) => trial.validity.reasons)];
  return [{ about, text: `${name} of run ${run.id} is invalid: ${reason ?? 'it does not say why'}`, refused: true }];
}

/** Obstacles between two variants, of one run or of two. `ownRun`: the setting itself may choose another engine. */
export function variantObstacles(base: VariantRecord, other: VariantRecord, ownRun: boolean): Obstacle[] {
  const names = ownRun ? `${base.name} and ${other.name}` : base.name;
  const [a, b] = [base, other].map(({ perTrial }) => [...new Set(perTrial.map(engineOf))].sort().join(', '));
  const trials = `${names}: ${base.perTrial.length} and ${other.perTrial.length} trials`;
  return [
    ...(a === b
      ? []
      : [{ about: 'engine', text: `${names}: different traffic engines, ${a} and ${b}`, refused: !ownRun }]),
    ...(base.perTrial.length === other.perTrial.length ? [] : [{ about: 'trials', text: trials, refused: false }]),
  ];
}

/** The same seed gives the same visitors, unless the traffic itself was changed: by a variant, in the file, or with --set. */
export function arrivalObstacles(base: VariantRecord, other: VariantRecord): Obstacle[] {
  const arrived = new Map(other.perTrial.map(({ trial, visitors }) => [trial, visitors.arrived]));
  const apart = base.perTrial.find(
    ({ trial, visitors }) => (arrived.get(trial) ?? visitors.arrived) !== visitors.arrived,
  );
  if (apart === undefined) return [];
  const names = base.name === other.name ? base.name : `${base.name} and ${other.name}`;
  const counts = `${apart.visitors.arrived} and ${arrived.get(apart.trial)} in trial ${apart.trial}`;
  const text = `${names}: different numbers of visitors (${counts}), so counts compare only as shares of them`;
  return [{ about: 'arrivals', text, refused: false }];
}

function scenarioFiles(base: RunRecord, other: RunRecord): Obstacle[] {
  if (base.scenario.sha256 === other.scenario.sha256) return [];
  const text = `different content of the scenario file (sha256 ${base.scenario.sha256.slice(0, 12)} and ${other.scenario.sha256.slice(0, 12)})`;
  return [{ about: 'scenario file', text, refused: true }];
}

function versionObstacles(base: RunRecord, other: RunRecord): Obstacle[] {
  const [a, b] = [base.environment.versions, other.environment.versions];
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((name) => a[name] !== b[name]);
  return names.map((name) => ({
    about: name,
    text: `different versions of ${name}: ${told(a[name])} and ${told(b[name])}`,
    refused: false,
  }));
}

function engineOf({ generator }: TrialRecord): string {
  return generator.engine;
}

/** `--pin` gives each part cores of its own: what it took from another before, it no longer takes. */
function placed({ placement }: RunRecord): string {
  if (placement === undefined) return 'not pinned';
  const { harness, proxies, servers } = placement;
  return [harness, proxies, servers].map(coresText).join(' / ');
}

function told(value: unknown): string {
  return value === undefined ? 'unknown' : String(value);
}
