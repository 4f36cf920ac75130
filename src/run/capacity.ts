/** A search for capacity: trial after trial, each on a testbed of its own, until the search has its answer or has to end. */
import { join, relative } from 'node:path';
import { curveOf, kneeOf, saturationOf } from '../analysis/capacity-curve.js';
import { nextStep, type ProbeOutcome, type SearchSettings, type SearchStep } from '../analysis/capacity-search.js';
import { capacityVerdict, latenessNotes } from '../analysis/capacity-verdict.js';
import { evaluateGate } from '../analysis/evaluate-gates.js';
import { type CapacityRecord, type CapacityTrial, createCapacityRecord } from '../record/capacity-record.js';
import { judgedPart } from '../record/judged-part.js';
import type { Measured } from '../record/run-record.js';
import { type Load, type ScaledVariant, scaleVariant } from '../scenario/scale.js';
import type { Scenario, ScenarioVariant } from '../scenario/scenario.js';
import { limitOf } from './capacity-limit.js';
import { type RunOptions, recordRun } from './run.js';

/** What is searched for, and how. */
export interface CapacitySearch {
  load: Load;
  settings: SearchSettings;
  gates: string[];
  gatesLeftOut: { gate: string; why: string }[];
  /** The level that the chain is to carry. */
  need: number | undefined;
}

/** What a search needs beside that. */
export interface CapacityOptions
  extends Pick<
    RunOptions,
    'outDir' | 'driver' | 'driverReason' | 'placement' | 'engine' | 'interrupt' | 'onRemark' | 'onProgress'
  > {
  /** Called before a trial; the text names it in the progress of that trial. */
  nameTrial(step: Extract<SearchStep, { do: 'probe' }>, trials: CapacityTrial[], plannedMs: number): string;
  /** Called with each trial that ran to its end. */
  onTrial(trial: CapacityTrial): void;
}

/**
 * Searches the only variant of the scenario; lets the driver go at the end. An interruption, and a testbed that breaks, keep what is known.
 * Throws a PortPartyError (exit 2 or 3) where a trial cannot be run.
 */
export async function searchCapacity(
  scenario: Scenario,
  search: CapacitySearch,
  options: CapacityOptions,
): Promise<{ record: CapacityRecord; dir: string }> {
  const [variant] = scenario.variants;
  const { load, settings, need = null } = search;
  const { upTo, isWhole: _, ...kept } = settings;
  const writer = createCapacityRecord(options.outDir, scenario, {
    variant: variant.name,
    driver: options.driver.name,
    driverReason: options.driverReason,
    of: load.of,
    gates: search.gates,
    gatesLeftOut: search.gatesLeftOut,
    settings: {
      ...kept,
      upTo: upTo ?? null,
      process: scaleVariant(variant, load, settings.from).variant.traffic.process,
    },
    need,
  });
  const { record, dir } = writer;
  const remarks = new Set<string>();
  try {
    for (;;) {
      const step = nextStep(record.trials, settings);
      const end = step.do === 'end' ? step.end : undefined;
      Object.assign(record, capacityVerdict(step.bracket, end, need), { end: end ?? null });
      if (step.do === 'end' || options.interrupt.aborted) break;
      const scaled = scaleVariant(variant, load, step.level);
      const label = options.nameTrial(step, record.trials, scaled.lastsMs);
      const place = { step, label, dir, number: record.trials.length + 1 };
      const done = await oneTrial(scenario, scaled, place, search, {
        ...options,
        onRemark: (text) => remarks.add(text),
      });
      if (done === undefined) break;
      record.environment ??= done.environment;
      record.trials.push(done.trial);
      options.onTrial(done.trial);
      writer.save();
    }
    record.status = record.end === null ? 'interrupted' : 'complete';
  } catch (error) {
    // The terminal's Ctrl-C goes to what the driver has started as well: what breaks off with it is no fault.
    if (!options.interrupt.aborted) throw error;
  } finally {
    await options.driver.close();
    record.finishedAt = new Date().toISOString();
    const curve = curveOf(record.trials);
    record.knee = kneeOf(curve);
    record.saturation = load.of === 'rate' ? saturationOf(curve) : null;
    // How fast connections to be held were opened is no part of the question.
    record.notes = [
      ...(load.of === 'connections' ? [] : latenessNotes(record.trials)),
      ...limitWarnings(record.trials),
    ];
    record.limit = limitOf(record, dir);
    writer.save();
  }
  for (const remark of remarks) options.onRemark(remark);
  return { record, dir };
}

/** Where a trial stands in the search. */
interface Place {
  step: Extract<SearchStep, { do: 'probe' }>;
  label: string;
  dir: string;
  number: number;
}

/** undefined when it was interrupted. */
async function oneTrial(
  scenario: Scenario,
  { variant, judged }: ScaledVariant,
  { step, label, dir, number }: Place,
  { gates }: CapacitySearch,
  options: CapacityOptions,
): Promise<{ trial: CapacityTrial; environment: CapacityRecord['environment'] } | undefined> {
  let measured: Measured | undefined;
  let arrived = 0;
  const begun = Date.now();
  const one: Scenario = {
    ...scenario,
    trials: 1,
    // Every trial its own arrivals.
    seed: scenario.seed + number - 1,
    // The gates are held against the part that is judged, and not against the whole trial.
    variants: [{ ...variant, gates: [] }],
  };
  const { record, dir: runDir } = await recordRun(one, {
    ...options,
    outDir: join(dir, 'trials'),
    onProgress: (_, progress) => options.onProgress(label, progress),
    onTrial({ outcomes, traffic, ledger }, whole, idPrefix) {
      const { lost: dropped, delayed } = ledger;
      const { arrivalsNs } = traffic;
      measured = judgedPart({ whole, outcomes, arrivalsNs, dropped, delayed, idPrefix, ...judged });
      arrived = measured.visitors.arrived;
    },
  });
  if (measured === undefined || record.status === 'interrupted') return undefined;
  const { requests, latency, throughput, ports, generator, cpu, warnings } = measured;
  const reasons = [...measured.validity.reasons, ...ownPorts(variant, measured)];
  const results = gates.map((gate) => evaluateGate(gate, measured!));
  const seconds = (judged.toMs - judged.fromMs) / 1000;
  return {
    environment: record.environment,
    trial: {
      trial: number,
      level: step.level,
      purpose: step.purpose,
      outcome: outcomeOf(reasons, results),
      judged: { ...judged, offeredPerSecond: Number((arrived / seconds).toPrecision(6)) },
      ...{ requests, latency, throughput, ports, generator, gates: results, reasons },
      ...(cpu && { cpu }),
      ...(warnings && { warnings }),
      run: relative(dir, runDir),
      tookMs: Date.now() - begun,
    },
  };
}

/** What is to be known of the lowest level that failed: whether it was a daemon's speed, say, and no setting of the chain. */
function limitWarnings(trials: CapacityTrial[]): string[] {
  const failed = trials.filter(({ outcome }) => outcome === 'fail');
  const lowest = Math.min(...failed.map(({ level }) => level));
  return failed.find(({ level, warnings }) => level === lowest && warnings !== undefined)?.warnings ?? [];
}

function outcomeOf(reasons: string[], gates: CapacityTrial['gates']): ProbeOutcome {
  if (reasons.length > 0) return 'invalid';
  return gates.every(({ pass }) => pass) ? 'pass' : 'fail';
}

/** The clients stand for a crowd: unless the scenario gives them a range of ports, it is no limit of the chain that theirs is used up. */
function ownPorts({ topology, traffic }: ScenarioVariant, { requests }: Measured): string[] {
  return requests.byCause
    .filter(({ cause, at }) => cause === 'ports-exhausted' && traffic.from.includes(at))
    .filter(({ at }) => !('ports' in topology[at]) || topology[at].ports === undefined)
    .map(
      ({ at, count }) =>
        `the generator's own node ${at} was out of ports ${count} times; give it more \`hosts\`, or \`ports\` if its range is what is to be tested`,
    );
}
