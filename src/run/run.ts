/** A whole run: every variant of a scenario, trial by trial, into one record. */
import { join } from 'node:path';
import { type Baseline, checkBaseline } from '../analysis/baseline.js';
import { isRelative, parseGate } from '../analysis/gate-expression.js';
import { PortPartyError, testbedError, usageError } from '../errors.js';
import { keptWays, waysOf } from '../ledger/kept-ways.js';
import { proxyTriesOf } from '../ledger/proxy-tries.js';
import { kindOf } from '../nodes/registry.js';
import { chainRecord } from '../record/chain-record.js';
import type { RunRecord, TrialRecord } from '../record/run-record.js';
import { createRecord, type RecordWriter, type TrialWriter } from '../record/write-record.js';
import { endsAbout } from '../report/time-left.js';
import type { Scenario, ScenarioVariant } from '../scenario/scenario.js';
import type { Driver } from '../testbed/driver.js';
import type { Testbed } from '../testbed/host.js';
import { makePlan } from '../topology/make-plan.js';
import type { Plan } from '../topology/plan.js';
import type { Engine, TrafficPlan } from '../traffic/engine.js';
import { ENGINES } from '../traffic/engines.js';
import { chooseEngine, makeTrafficPlan } from '../traffic/traffic-plan.js';
import { type RateCheck, rateCheck } from './asked-rate.js';
import { keepHarnessOn } from './pin.js';
import type { Placement } from './placement.js';
import type { TrialResult } from './settle.js';
import { runTrial, type TrialProgress } from './trial.js';
import { versionNotes } from './version-notes.js';

/** What a run needs beside its scenario. */
export interface RunOptions {
  /** Folder that takes the place of `results/`. */
  outDir: string;
  driver: Driver;
  driverReason: string;
  /** What relative gates are held against. */
  baseline?: Baseline;
  /** Which cores the parts keep to (`--pin`); absent: the kernel chooses. */
  placement?: Placement;
  /** Overrides the engine that follows from `connections:`. */
  engine?: Engine['name'];
  /** Called with each phase of each trial; `label` names the variant, and the trial where there are several. */
  onProgress(label: string, progress: TrialProgress): void;
  /** One line that a reader should see beside the result. */
  onRemark(text: string): void;
  /** One line that a reader should see before anything is built. */
  onAhead?: (text: string) => void;
  interrupt: AbortSignal;
  /** Called with each trial that ran to its end, while its outcomes are still there. */
  onTrial?(result: TrialResult, trial: TrialRecord, idPrefix: string): void;
  /** Called with the run's folder where a run broke; its record is closed, and holds what was known. */
  onBroken?(dir: string): Promise<void>;
  /** Called with a chain that has been measured, before it is taken down (`--keep`). */
  keep?: (testbed: Testbed) => Promise<void>;
}

/** How often what has settled is written to disk, ms. */
const WRITE_EVERY_MS = 1000;

/** Runs a scenario; lets the driver go at the end. The record is complete or `interrupted` afterwards. */
export async function runScenario(
  scenario: Scenario,
  options: RunOptions,
): Promise<{ record: RunRecord; dir: string }> {
  try {
    return await recordRun(scenario, options);
  } finally {
    await options.driver.close();
  }
}

/** The same on a driver that goes on to further runs. */
export async function recordRun(scenario: Scenario, options: RunOptions): Promise<{ record: RunRecord; dir: string }> {
  const plans = new Map(scenario.variants.map((variant) => [variant.name, makePlan(variant)]));
  const checkRate = rateCheck(options.driver, options.placement !== undefined);
  const beyond = scenario.variants.flatMap((variant) => {
    const traffic = checkEngine(variant, plans.get(variant.name)!, scenario.seed, options.engine);
    const asked = checkRate(traffic, engineOf(variant, options.engine).name);
    return asked === undefined ? [] : [{ name: variant.name, ...asked }];
  });
  // One of them is enough to be told of, the worst one.
  const [worst] = beyond.sort((a, b) => b.perSecond - a.perSecond);
  if (worst !== undefined) options.onAhead?.(`${worst.name}: ${worst.says}`);
  if (options.baseline !== undefined)
    checkBaseline(options.baseline, { scenario, driver: options.driver.name }, variantsWithRelativeGates(scenario));
  await checkPlans(plans.values(), options);
  if (options.placement !== undefined) keepHarnessOn(options.placement);
  return await runTrials(scenario, plans, options, checkRate);
}

async function checkPlans(plans: Iterable<Plan>, { driver, interrupt }: RunOptions): Promise<void> {
  for (const plan of plans) {
    if (interrupt.aborted) return;
    try {
      await driver.check(plan);
    } catch (error) {
      // The terminal's Ctrl-C goes to what the driver has started as well: what breaks off with it is no fault.
      if (!interrupt.aborted) throw error;
    }
  }
}

async function runTrials(
  scenario: Scenario,
  plans: Map<string, Plan>,
  options: RunOptions,
  checkRate: RateCheck,
): Promise<{ record: RunRecord; dir: string }> {
  const { driver } = options;
  const { kernel, cpus, versions } = driver.machine;
  const environment = { kernel, node: process.versions.node, cpus, versions: { ...versions } };
  const writer = createRecord({
    outDir: options.outDir,
    scenario,
    driver: driver.name,
    driverReason: options.driverReason,
    baseline: options.baseline,
    placement: options.placement,
    environment,
  });
  const noteVersions = versionNotes(environment.versions);
  const remarks = new Set<string>();
  try {
    // Interleaved by trial, so that a drifting machine meets all variants alike; every other time backwards (A B, B A), for else the
    // later variant would meet a machine that has drifted a little further in every trial.
    const order = Array.from({ length: scenario.trials }, (_, done) => {
      const round = [...scenario.variants.entries()];
      return (done % 2 === 0 ? round : round.toReversed()).map(([index, variant]) => {
        return { variant, index, trial: done + 1, plan: plans.get(variant.name)! };
      });
    }).flat();
    const plannedMs = order.map(({ variant }) => arrivalsMs(variant));
    const tookMs: number[] = [];
    for (const one of order) {
      if (options.interrupt.aborted) break;
      const begun = Date.now();
      const label = labelOf(one, scenario.trials, order.length, endsAbout(plannedMs, tookMs), tookMs.length + 1);
      await oneTrial(scenario, { ...one, label }, options, { writer, noteVersions, remarks, checkRate });
      tookMs.push(Date.now() - begun);
    }
  } catch (error) {
    writer.finish('interrupted');
    await options.onBroken?.(writer.dir);
    throw named(error, writer.dir);
  }
  for (const remark of remarks) options.onRemark(remark);
  const record = writer.finish(options.interrupt.aborted ? 'interrupted' : 'complete');
  return { record, dir: writer.dir };
}

/** What a trial adds to. */
interface Notes {
  writer: RecordWriter;
  noteVersions(testbed: Testbed): Promise<void>;
  remarks: Set<string>;
  checkRate: RateCheck;
}

async function oneTrial(
  scenario: Scenario,
  one: { variant: ScenarioVariant; index: number; trial: number; plan: Plan; label: string },
  options: RunOptions,
  { writer, noteVersions, remarks, checkRate }: Notes,
): Promise<void> {
  const { variant, index, trial, plan, label } = one;
  const engine = engineOf(variant, options.engine);
  const logsRoot = writer.logsDir(variant.name, trial);
  const place = { trial: `${index}-${trial}`, logsRoot };
  const idPrefix = `${index}.${trial}`;
  let rows: TrialWriter | undefined;
  let timer: NodeJS.Timeout | undefined;
  try {
    const result = await runTrial({
      variant,
      plan,
      engine,
      placement: options.placement,
      // Every trial its own arrivals, every variant of a trial the same ones.
      seed: scenario.seed + trial - 1,
      idPrefix,
      async build(planned) {
        const testbed = await options.driver.build(planned, place);
        await noteVersions(testbed);
        return testbed;
      },
      sharedDir: (node) => options.driver.sharedDir(node, place),
      onProgress: (progress) => options.onProgress(label, progress),
      onBegin({ plan: built, traffic, outcomes, startedAtMs }) {
        rows = writer.beginTrial({
          variant: variant.name,
          cell: variant.cell,
          trial,
          idPrefix,
          steps: traffic.steps.map((step) => step.name),
          clients: traffic.clients.map((client) => client.host),
          nodes: Object.keys(variant.topology),
          startedAtMs,
          outcomes,
          chain: chainRecord(variant, built),
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
    const ahead = checkRate(result.traffic, engine.name);
    const recorded = rows!.finish({
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
      ...(ahead !== undefined && { warnings: [ahead.says] }),
      cpu: {
        samples: result.observations.samples,
        busy: result.observations.busy ?? [],
        pinned: options.placement !== undefined,
        daemons: plan.hosts
          .filter(({ spec }) => kindOf(spec.kind).start !== undefined)
          .filter(({ layer }) => layer !== 'L3'),
      },
      proxies: proxyTriesOf(result.file.plan, [...result.observations.sightings.values()].flat()),
      ways: { kept: keptWays(result.outcomes, result.ledger), all: waysOf(result.file, result.ledger) },
    });
    options.onTrial?.(result, recorded, idPrefix);
  } finally {
    clearInterval(timer);
  }
}

function engineOf(variant: ScenarioVariant, wanted: Engine['name'] | undefined): Engine {
  return ENGINES[wanted ?? chooseEngine(variant.traffic.connections, isClosedLoop(variant))];
}

/** The traffic of the first trial. An engine that cannot send it is a usage error, told before anything is built. */
function checkEngine(
  variant: ScenarioVariant,
  plan: Plan,
  seed: number,
  wanted: Engine['name'] | undefined,
): TrafficPlan {
  const notYetRunning = new Map(plan.hosts.map(({ name }) => [name, { netns: null }]));
  const traffic = makeTrafficPlan(variant, plan, notYetRunning, { seed, idPrefix: '' });
  const refusal = engineOf(variant, wanted).refuses(traffic);
  if (refusal !== undefined) throw usageError(refusal, wanted === undefined ? `variant ${variant.name}` : '--engine');
  return traffic;
}

function variantsWithRelativeGates({ variants }: Scenario): string[] {
  return variants.filter(({ gates }) => gates.some(({ text }) => isRelative(parseGate(text)))).map(({ name }) => name);
}

function arrivalsMs({ traffic }: ScenarioVariant): number {
  return traffic.arrivals.reduce((sum, { forMs }) => sum + forMs, 0);
}

/** `wider-pool (trial 2 of 5; 7 of 20, until ~21:43)`. */
function labelOf(
  { variant, trial }: { variant: ScenarioVariant; trial: number },
  trials: number,
  all: number,
  end: string,
  number: number,
): string {
  const parts = [
    ...(trials > 1 ? [`trial ${trial} of ${trials}`] : []),
    ...(all > 1 ? [`${number} of ${all}, until ~${end}`] : []),
  ];
  return parts.length === 0 ? variant.name : `${variant.name} (${parts.join('; ')})`;
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
