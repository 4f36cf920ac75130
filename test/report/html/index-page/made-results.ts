/** A results folder written by hand: runs of one scenario whose gate is held, failed, not trusted; and folders that are no good. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GateResult, RunRecord } from '../../../../src/record/run-record.js';
import { scratch } from '../../../helpers/portparty.js';
import { losingVariant, runRecord, variantRecord } from '../../../helpers/trials.js';

/** A run of the folder; the number gives its time. */
export interface MadeEntry {
  at: number;
  scenario?: string;
  changes?: Partial<RunRecord>;
  gates?: GateResult[];
}

/** The gate that all of them have, with what it saw. */
export function latencyGate(observed: number | null, bound = 250): GateResult {
  return { gate: `latency.response.p99 < ${bound}ms`, observed, pass: observed !== null && observed < bound };
}

/** An id that sorts by the number. */
export function idOf(at: number, scenario = 'ticket-sale'): string {
  return `${timeOf(at).replace(/[-:]|\.\d+/g, '')}-${scenario}-ab12`;
}

const timeOf = (at: number) => new Date(Date.UTC(2026, 10, 1) + at * 60_000).toISOString();

/** A results folder with these runs. */
export function madeResults(entries: MadeEntry[]): string {
  const dir = join(scratch(), 'results');
  mkdirSync(dir);
  for (const entry of entries) addRun(dir, entry);
  if (entries.length > 0) symlinkSync(idOf(entries[0].at, entries[0].scenario), join(dir, 'latest'));
  return dir;
}

/** Writes a run into it; gives its folder. */
function addRun(
  dir: string,
  { at, scenario = 'ticket-sale', changes = {}, gates = [latencyGate(120)] }: MadeEntry,
): void {
  const id = idOf(at, scenario);
  const verdict = gates.every(({ pass }) => pass) ? 'pass' : 'fail';
  const record = runRecord([losingVariant([]), variantRecord('wider-pool', {}, gates)], {
    id,
    startedAt: timeOf(at),
    scenario: { name: scenario, file: 's.yaml', sha256: '00', seed: 1 },
    verdict,
    ...changes,
  });
  mkdirSync(join(dir, id));
  writeFileSync(join(dir, id, 'run.json'), JSON.stringify(record));
}
