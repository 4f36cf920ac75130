/** The library's `tune`: the command line in a process of its own, as with `run`. */
import type { TuneRecord } from '../record/tune-record.js';
import { printedJson, type RunFileOptions } from './run-file.js';

/** What the options of `portparty tune` say (docs/tune.md), all of them optional. */
export interface TuneFileOptions extends Pick<RunFileOptions, 'set' | 'seed' | 'out' | 'driver' | 'engine' | 'trials'> {
  /** Settings to try, each as `--try` takes it; without them settings are proposed. */
  settings?: string[];
  /** The variant to start from; the first one unless said otherwise. */
  variant?: string;
  /** What is to become better, as a gate names it. */
  metric?: string;
  /** At most so many proposals. */
  most?: number;
  /** A folder for the winner as lines to paste. */
  export?: string;
}

/**
 * Tunes a scenario and resolves to the record, whether a setting helps or not.
 * @throws PortPartyError when the scenario or a setting is wrong (exit code 2), the testbed broke (3), or the tuning was interrupted (130)
 */
export async function tune(file: string, options: TuneFileOptions = {}): Promise<TuneRecord> {
  const { set = {}, settings = [], ...rest } = options;
  const args = ['tune', file, '--json', '--quiet'];
  for (const [path, value] of Object.entries(set)) args.push('--set', `${path}=${value}`);
  for (const setting of settings) args.push('--try', setting);
  for (const [name, value] of Object.entries(rest)) if (value !== undefined) args.push(`--${name}`, String(value));
  return await printedJson<TuneRecord>(args);
}
