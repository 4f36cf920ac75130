/** The library's `capacity`: the command line in a process of its own, as with `run`. */
import type { CapacityRecord } from '../record/capacity-record.js';
import { printedJson, type RunFileOptions } from './run-file.js';

/** What the options of `portparty capacity` say (docs/capacity.md), all of them optional; levels and times are written with their units. */
export interface CapacityFileOptions extends Pick<RunFileOptions, 'set' | 'seed' | 'out' | 'driver' | 'engine'> {
  of?: 'rate' | 'connections' | 'visitors';
  variant?: string;
  /** Gates that take the place of the scenario's. */
  gates?: string[];
  /** `900/s`, or of connections and visitors `900`. */
  need?: string;
  from?: string;
  upTo?: string;
  /** `1%`. */
  resolution?: string;
  repeat?: number;
  /** How long a trial is judged: `10s`. */
  for?: string;
  process?: 'uniform' | 'poisson';
  /** At most so many trials. */
  max?: number;
  /** `20m`. */
  budget?: string;
}

/**
 * Searches the capacity of a scenario and resolves to its record, whether a need is met or not.
 * @throws PortPartyError when the scenario is wrong (exit code 2), the testbed broke (3), or the search was interrupted (130)
 */
export async function capacity(file: string, options: CapacityFileOptions = {}): Promise<CapacityRecord> {
  const { set = {}, gates = [], upTo, ...rest } = options;
  const args = ['capacity', file, '--json', '--quiet'];
  for (const [path, value] of Object.entries(set)) args.push('--set', `${path}=${value}`);
  for (const gate of gates) args.push('--gate', gate);
  if (upTo !== undefined) args.push('--up-to', upTo);
  for (const [name, value] of Object.entries(rest)) if (value !== undefined) args.push(`--${name}`, String(value));
  return await printedJson<CapacityRecord>(args);
}
