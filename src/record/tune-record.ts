/** The record of a tuning, `tune.json` (schema `portparty/tune@1`): its types, and how it is written. */
import { join } from 'node:path';
import type { TuneVerdict } from '../analysis/tune-verdict.js';
import type { Scenario } from '../scenario/scenario.js';
import { writeWhole } from './run-files.js';
import { makeRunFolder } from './run-folder.js';
import type { RunRecord } from './run-record.js';

/** Value of `schema`, for readers to check. */
const TUNE_SCHEMA = 'portparty/tune@1';

/** The whole of `tune.json`. */
export interface TuneRecord {
  schema: typeof TUNE_SCHEMA;
  id: string;
  startedAt: string;
  finishedAt: string | null;
  status: 'complete' | 'interrupted';
  scenario: RunRecord['scenario'];
  /** The variant that the settings were tried on. */
  variant: string;
  driver: RunRecord['driver'];
  driverReason: string;
  /** The run that the proposals were made from, a folder beside `tune.json`; null where the settings were given. */
  look: string | null;
  /** Requests that the look saw lost; null without one. */
  lost: number | null;
  /** The run of all trials, a folder beside `tune.json`; null where there was nothing to try. */
  trials: string | null;
  /** Settings that were proposed, and cannot be written into this scenario, and why. */
  leftOut: { setting: string; why: string }[];
  /** What the trials say; null until they have ended, and where there was nothing to try. */
  result: TuneVerdict | null;
  /** Files with lines to paste, beside `tune.json`. */
  exported: string[];
  /** `pass`: a setting was shown to help, or nothing was lost and so none was tried. `fail`: none was shown to help. `invalid`: the trials are no measurement. `none`: interrupted. */
  verdict: RunRecord['verdict'];
}

/** A record that is being written. */
export interface TuneWriter {
  readonly dir: string;
  readonly record: TuneRecord;
  /** Replaces `tune.json` by the record as it is now. */
  save(): void;
}

/**
 * Makes `<outDir>/<id>/tune.json`; it says `interrupted` until the tuning has come to its end.
 * @throws PortPartyError (exit 2) when the folder cannot be made
 */
export function createTuneRecord(
  outDir: string,
  scenario: Scenario,
  start: Pick<TuneRecord, 'variant' | 'driver' | 'driverReason'>,
): TuneWriter {
  const now = new Date();
  const { id, dir } = makeRunFolder(outDir, `${scenario.name}-tune`, now);
  const { name, file, sha256, seed } = scenario;
  const record: TuneRecord = {
    schema: TUNE_SCHEMA,
    id,
    startedAt: now.toISOString(),
    finishedAt: null,
    status: 'interrupted',
    scenario: { name, file, sha256, seed },
    ...start,
    look: null,
    lost: null,
    trials: null,
    leftOut: [],
    result: null,
    exported: [],
    verdict: 'none',
  };
  const save = () => writeWhole(join(dir, 'tune.json'), `${JSON.stringify(record, null, 2)}\n`);
  save();
  return { dir, record, save };
}
