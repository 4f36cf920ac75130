/** What stands in the way of more, told from the first trial at the level that fails: the resource by name, and what would help. */
import { join } from 'node:path';
import { tellStory } from '../analysis/story.js';
import type { CapacityLimit, CapacityRecord, CapacityTrial } from '../record/capacity-record.js';
import { readRun } from '../record/read-record.js';
import { readStories } from '../record/read-stories.js';
import { whatRanOut } from '../report/explain/story-text.js';
import { count, percent, plural } from '../report/format.js';
import { observed } from '../report/gate-text.js';

/** Reads the trial's own record in `dir`; null where no level failed. */
export function limitOf({ trials, failsAt }: CapacityRecord, dir: string): CapacityLimit | null {
  const own = trials.filter(({ level }) => level === failsAt);
  const failed = own.find(({ outcome }) => outcome === 'fail');
  const invalid = own.find(({ outcome }) => outcome === 'invalid');
  if (failed !== undefined) return inTheChain(failed, dir);
  if (invalid === undefined) return null;
  const { level, trial, reasons } = invalid;
  return { what: 'generator', level, trial, says: reasons[0], advice: [] };
}

function inTheChain(trial: CapacityTrial, dir: string): CapacityLimit {
  const run = join(dir, trial.run);
  const [source] = readStories(run, readRun(run), {}).trials;
  const { chapters } = tellStory(source.read());
  const [worst] = chapters;
  const where = { what: 'chain' as const, level: trial.level, trial: trial.trial };
  if (worst === undefined) return { ...where, says: withoutCause(trial), advice: [] };
  const { cause, at, advice } = worst;
  return { ...where, cause, at, says: whatRanOut(worst), advice };
}

/** Nothing was lost and nothing late: the gates themselves say what was wrong, and the fullest pool is the first suspect. */
function withoutCause({ gates, ports, requests }: CapacityTrial): string {
  const broken = gates.filter(({ pass }) => !pass).map((gate) => `${gate.gate} saw ${observed(gate)}`);
  const [fullest] = Object.entries(ports).sort(([, a], [, b]) => b.peakShare - a.peakShare);
  const pool =
    fullest === undefined
      ? ''
      : `; the fullest pool was that of ${fullest[0]}, ${percent(fullest[1].peakShare)} of ${count(fullest[1].capacity)} ports`;
  return `${broken.join(', ')}, while none of ${plural(requests.due, 'request')} was lost${pool}.`;
}
