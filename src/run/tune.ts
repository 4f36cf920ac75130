/** A tuning: a look at what is lost, settings proposed for it (or given), all of them tried in turn, and a verdict. */
import { join, relative } from 'node:path';
import { trialsToShowAnything } from '../analysis/comparison/needed-trials.js';
import { tellStory } from '../analysis/story.js';
import { type Candidate, proposedCandidates, textsOf } from '../analysis/tune-candidates.js';
import { tuneVerdict } from '../analysis/tune-verdict.js';
import { PortPartyError } from '../errors.js';
import { readStories } from '../record/read-stories.js';
import { createTuneRecord, type TuneRecord } from '../record/tune-record.js';
import type { Scenario, ScenarioVariant } from '../scenario/scenario.js';
import { exportVariant, writeExport } from './export-variant.js';
import { type RunOptions, recordRun } from './run.js';

/** What is to be tried, and how. */
export interface Tuning {
  /** Settings to try; absent: those that are proposed for what is lost. */
  given?: Candidate[];
  /** At most so many proposals. */
  most: number;
  /** Trials per setting; absent: as many as it takes to show anything about so many settings. */
  trials?: number;
  /** What is to become better, as a gate names it; absent: what is dropped, or where nothing is, the p99 of the response. */
  metric?: string;
  /** A folder for the lines to paste, beside `export/` of the record. */
  exportTo?: string;
  /** The scenario's variant with these settings (`--set` texts) on it; throws a PortPartyError where they cannot be written into it. */
  withSettings(texts: string[]): Promise<ScenarioVariant>;
}

/** What a tuning needs beside that. */
export interface TuneOptions
  extends Pick<
    RunOptions,
    'outDir' | 'driver' | 'driverReason' | 'placement' | 'engine' | 'interrupt' | 'onRemark' | 'onAhead' | 'onProgress'
  > {
  /** A line about what comes next. */
  onStep(text: string): void;
  /** Called with each trial that ran to its end. */
  onTrial?: RunOptions['onTrial'];
}

/** Chance of calling a setting better that is not, over all settings. */
const ALPHA = 0.05;

/**
 * Tunes the only variant of the scenario; lets the driver go at the end. An interruption keeps what is known.
 * Throws a PortPartyError (exit 2 or 3) where a setting that was given is wrong, or a trial cannot be run.
 */
export async function tune(
  scenario: Scenario,
  tuning: Tuning,
  options: TuneOptions,
): Promise<{ record: TuneRecord; dir: string }> {
  const [variant] = scenario.variants;
  const { driver, driverReason } = options;
  const writer = createTuneRecord(options.outDir, scenario, {
    variant: variant.name,
    driver: driver.name,
    driverReason,
  });
  const { record, dir } = writer;
  const remarks = new Set<string>();
  const run = async (variants: ScenarioVariant[], trials: number) =>
    recordRun(
      // What is gated in the scenario is the scenario's point, and not that of a setting on trial.
      { ...scenario, trials, variants: variants.map((one) => ({ ...one, gates: [] })) },
      { ...options, outDir: join(dir, 'runs'), onRemark: (text) => remarks.add(text) },
    );
  try {
    const candidates = tuning.given ?? (await look());
    const tried = candidates === undefined ? [] : await variantsOf(candidates, tuning, record);
    if (tried.length > 0 && !options.interrupt.aborted) {
      const trials = tuning.trials ?? trialsToShowAnything(tried.length, ALPHA, true);
      options.onStep(
        `tries ${tried.length} ${tried.length === 1 ? 'setting' : 'settings'} against ${variant.name}, ${trials} trials each, in turn`,
      );
      const done = await run([variant, ...tried.map((one) => one.variant)], trials);
      record.trials = relative(dir, done.dir);
      if (done.record.status === 'complete') {
        record.result = tuneVerdict(
          done.record,
          tried.map(({ candidate }) => candidate),
          tuning.metric,
        );
        const { winner } = record.result;
        if (winner !== null) {
          const files = exportVariant(done, { base: variant.name, variant: winner });
          for (const folder of [join(dir, 'export'), ...(tuning.exportTo === undefined ? [] : [tuning.exportTo])])
            writeExport(files, folder);
          record.exported = files.map(({ name }) => join('export', name));
        }
      }
    }
    record.status = options.interrupt.aborted ? 'interrupted' : 'complete';
    record.verdict = verdictOf(record);
  } catch (error) {
    // The terminal's Ctrl-C goes to what the driver has started as well: what breaks off with it is no fault.
    if (!options.interrupt.aborted) throw error;
  } finally {
    await driver.close();
    record.finishedAt = new Date().toISOString();
    writer.save();
  }
  for (const remark of remarks) options.onRemark(remark);
  return { record, dir };

  async function look(): Promise<Candidate[] | undefined> {
    options.onStep(`looks at what ${variant.name} loses`);
    const done = await run([variant], 1);
    record.look = relative(dir, done.dir);
    record.lost = done.record.variants.reduce((sum, { requests }) => sum + requests.dropped, 0);
    writer.save();
    if (done.record.status !== 'complete') return undefined;
    const [source] = readStories(done.dir, done.record, {}).trials;
    return proposedCandidates(tellStory(source.read()), tuning.most);
  }
}

/** Proposals that the scenario does not take are left out and named; of settings that were given, the mistake is the user's to mend. */
async function variantsOf(
  candidates: Candidate[],
  { given, withSettings }: Tuning,
  record: TuneRecord,
): Promise<{ candidate: Candidate; variant: ScenarioVariant }[]> {
  const tried: { candidate: Candidate; variant: ScenarioVariant }[] = [];
  for (const candidate of candidates) {
    try {
      const variant = await withSettings(textsOf(candidate));
      tried.push({ candidate, variant: { ...variant, name: candidate.name } });
    } catch (error) {
      if (given !== undefined || !(error instanceof PortPartyError)) throw error;
      record.leftOut.push({ setting: textsOf(candidate).join(' '), why: error.message });
    }
  }
  return tried;
}

function verdictOf({ status, lost, result }: TuneRecord): TuneRecord['verdict'] {
  if (status === 'interrupted') return 'none';
  if (result === null) return lost === 0 ? 'pass' : 'fail';
  if (!result.base.validity.valid || result.tried.every(({ validity }) => !validity.valid)) return 'invalid';
  return result.winner === null ? 'fail' : 'pass';
}
