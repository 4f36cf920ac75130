/** A whole run: every variant of a scenario, trial by trial, into one record. */
import { spawnSync } from 'node:child_process';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { PortPartyError, testbedError, usageError } from '../errors.js';
import { kindOf } from '../nodes/registry.js';
import type { RunRecord } from '../record/run-record.js';
import { createRecord, type RecordWriter, type TrialWriter } from '../record/write-record.js';
import type { Scenario, ScenarioVariant } from '../scenario/scenario.js';
import type { Testbed } from '../testbed/host.js';
import { buildNetns, checkPlan } from '../testbed/netns/build.js';
import { SCRATCH_ROOT } from '../testbed/netns/enter.js';
import { makePlan } from '../topology/make-plan.js';
import type { Plan } from '../topology/plan.js';
import type { Engine } from '../traffic/engine.js';
import { ENGINES } from '../traffic/engines.js';
import { chooseEngine, makeTrafficPlan } from '../traffic/traffic-plan.js';
import { runTrial, type TrialProgress } from './trial.js';

export interface RunOptions {
  /** Folder that takes the place of `results/`. */
  outDir: string;
  driver: 'netns';
  driverReason: string;
  /** Overrides the engine that follows from `connections:`. */
  engine?: Engine['name'];
  onProgress(label: string, progress: TrialProgress): void;
  /** One line that a reader should see beside the result. */
  onRemark(text: string): void;
  interrupt: AbortSignal;
  /** Called with a chain that has been measured, before it is taken down (`--keep`). */
  keep?: (testbed: Testbed) => Promise<void>;
}

/** How often what has settled is written to disk, ms. */
const WRITE_EVERY_MS = 1000;

/** Runs a scenario. Only inside the isolation of `testbed/netns/enter.ts`. The record is complete or `interrupted` afterwards. */
export async function runScenario(
  scenario: Scenario,
  options: RunOptions,
): Promise<{ record: RunRecord; dir: string }> {
  const plans = new Map(scenario.variants.map((variant) => [variant.name, makePlan(variant)]));
  for (const variant of scenario.variants)
    checkEngine(variant, plans.get(variant.name)!, scenario.seed, options.engine);
  for (const plan of plans.values()) await checkPlan(plan);
  const writer = createRecord({
    outDir: options.outDir,
    scenario,
    driver: options.driver,
    driverReason: options.driverReason,
    environment: environment([...plans.values()]),
  });
  const remarks = new Set<string>();
  try {
    // Interleaved by trial, so that a drifting machine meets all variants alike.
    for (let trial = 1; trial <= scenario.trials; trial++) {
      for (const [index, variant] of scenario.variants.entries()) {
        if (options.interrupt.aborted) break;
        await oneTrial(scenario, { variant, index, trial, plan: plans.get(variant.name)! }, options, writer, remarks);
      }
    }
  } catch (error) {
    writer.finish('interrupted');
    throw named(error, writer.dir);
  }
  for (const remark of remarks) options.onRemark(remark);
  const record = writer.finish(options.interrupt.aborted ? 'interrupted' : 'complete');
  return { record, dir: writer.dir };
}

async function oneTrial(
  scenario: Scenario,
  one: { variant: ScenarioVariant; index: number; trial: number; plan: Plan },
  options: RunOptions,
  writer: RecordWriter,
  remarks: Set<string>,
): Promise<void> {
  const { variant, index, trial, plan } = one;
  const label = scenario.trials === 1 ? variant.name : `${variant.name} (trial ${trial} of ${scenario.trials})`;
  const logsRoot = writer.logsDir(variant.name, trial);
  const sharedRoot = join(SCRATCH_ROOT, `shared-${index}-${trial}`);
  const idPrefix = `${index}.${trial}`;
  let rows: TrialWriter | undefined;
  let timer: NodeJS.Timeout | undefined;
  try {
    const result = await runTrial({
      variant,
      plan,
      engine: engineOf(variant, options.engine),
      // Every trial its own arrivals, every variant of a trial the same ones.
      seed: scenario.seed + trial - 1,
      idPrefix,
      build: (planned) => buildNetns(planned, { logsRoot, sharedRoot }),
      sharedDir: (node) => join(sharedRoot, node),
      onProgress: (progress) => options.onProgress(label, progress),
      onBegin({ traffic, outcomes, startedAtMs }) {
        rows = writer.beginTrial({
          variant: variant.name,
          trial,
          idPrefix,
          steps: traffic.steps.map((step) => step.name),
          clients: traffic.clients.map((client) => client.host),
          nodes: Object.keys(variant.topology),
          startedAtMs,
          outcomes,
        });
        timer = setInterval(() => rows?.appendSettled(), WRITE_EVERY_MS);
      },
      onEvent: (event) => rows?.event(event),
      interrupt: options.interrupt,
      keep: options.keep,
    });
    clearInterval(timer);
    for (const sample of result.observations.samples) rows!.sample(sample);
    for (const remark of result.remarks) remarks.add(remark);
    if (options.interrupt.aborted) {
      rows!.abandon();
      return;
    }
    rows!.finish({
      dropped: result.ledger.lost,
      delayed: result.ledger.delayed,
      pools: result.observations.pools,
      counters: result.observations.counters,
      generator: result.generator,
      tickets: result.tickets,
      attackers: result.attackers,
      plannedVisitors: isClosedLoop(variant) ? undefined : result.traffic.arrivalsNs.length,
      maxLatenessMs: variant.traffic.maxLatenessMs,
      problems: result.problems,
      events: result.observations.events,
    });
  } finally {
    clearInterval(timer);
  }
}

function engineOf(variant: ScenarioVariant, wanted: Engine['name'] | undefined): Engine {
  return ENGINES[wanted ?? chooseEngine(variant.traffic.connections, isClosedLoop(variant))];
}

/** An engine that cannot send what the scenario asks for is a usage error, told before anything is built. */
function checkEngine(variant: ScenarioVariant, plan: Plan, seed: number, wanted: Engine['name'] | undefined): void {
  const notYetRunning = new Map(plan.hosts.map(({ name }) => [name, { netns: null }]));
  const refusal = engineOf(variant, wanted).refuses(
    makeTrafficPlan(variant, plan, notYetRunning, { seed, idPrefix: '' }),
  );
  if (refusal !== undefined) throw usageError(refusal, wanted === undefined ? `variant ${variant.name}` : '--engine');
}

function isClosedLoop(variant: ScenarioVariant): boolean {
  return variant.traffic.arrivals.some((phase) => 'connections' in phase);
}

/** An error that names the run's folder, where the daemons' logs are. */
function named(error: unknown, dir: string): unknown {
  if (error instanceof PortPartyError) {
    if (error.hint !== undefined) return error;
    return new PortPartyError(error.message, {
      exitCode: error.exitCode,
      where: error.where,
      hint: `the logs are in ${join(dir, 'logs')}`,
      cause: error,
    });
  }
  return testbedError(`the run broke: ${(error as Error).message}`, undefined, `the record so far is in ${dir}`, error);
}

function environment(plans: Plan[]): RunRecord['environment'] {
  const kinds = new Set(plans.flatMap((plan) => plan.hosts.map((host) => host.spec.kind)));
  const versions: Record<string, string> = {};
  for (const kind of kinds) {
    const { version } = kindOf(kind);
    if (version === undefined) continue;
    const { stdout, stderr } = spawnSync(version.argv[0], version.argv.slice(1), { encoding: 'utf8' });
    const found = /\d+(\.\d+)+/.exec(`${stdout}${stderr}`);
    if (found !== null) versions[version.name] = found[0];
  }
  return { kernel: release(), node: process.versions.node, cpus: cpus().length, versions };
}
