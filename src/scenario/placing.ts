/** Where in the file, or on the command line, a problem of the resolved scenario comes from. */
import { usageError } from '../errors.js';
import type { Override } from './overrides.js';
import type { KeyPath, PlacedProblem, Problem } from './problem.js';
import { find, findMerged, nodeAt, offsetOf, type Source, whereOf } from './source.js';

const SHOWN = 5;

/** Whose problem it is. */
export interface Blame {
  variant: string;
  /** The scenario without the variant's patch doesn't have it. */
  ofPatch: boolean;
}

/** Gives a problem its place; `blame` is left out for a problem of the scenario's base. */
export type Placer = (problem: Problem, blame?: Blame) => PlacedProblem;

/**
 * Makes the function that places problems: on the overriding option, else in the variant's patch or its setting of the matrix, else in
 * the file. `cells` are the settings of the matrix's variants, by name.
 */
export function placer(source: Source, overrides: Override[], cells: ReadonlyMap<string, Override[]>): Placer {
  return (problem, blame) => {
    const { message, hint, path } = problem;
    const patch = blame && nodeAt(source, ['variants', blame.variant]);
    const spot = patch ? findMerged(source, patch, path) : find(source, source.document.contents, path);
    const settings = [...(cells.get(blame?.variant ?? '') ?? []), ...overrides];
    const override = settings.findLast((candidate) => overrode(candidate, path, spot.depth));
    if (override) {
      const isKey = problem.at === 'key' && path.length === override.path.length;
      return { message, hint, where: (isKey ? override.key : undefined) ?? override.option, offset: -1 };
    }

    const complete = spot.depth === path.length;
    const shift = complete ? (problem.shift ?? 0) + quoteWidth(source, spot.value, problem) : 0;
    if (!blame?.ofPatch || patch === undefined || ('patched' in spot && spot.patched)) {
      const offset = offsetOf(spot, complete ? problem.at : 'key') + shift;
      return { message, hint, where: whereOf(source, offset), offset };
    }
    // The patch broke it without holding the key itself: by what it says nearby, or by removing the key.
    const near = find(source, patch, path);
    const holder = near.depth > 0 ? near : find(source, source.document.contents, ['variants', blame.variant]);
    const offset = offsetOf(holder, 'key');
    return { message: `${message}, in variant \`${blame.variant}\``, hint, where: whereOf(source, offset), offset };
  };
}

/** An override is to blame where it set the value or one that holds it, or made the mapping that lacks it. */
function overrode(override: Override, path: KeyPath, depthInFile: number): boolean {
  let common = 0;
  while (common < Math.min(path.length, override.path.length) && path[common] === override.path[common]) common++;
  return common === override.path.length || common > depthInFile;
}

/** Columns inside a text count from behind its opening quote. */
function quoteWidth(source: Source, value: { range?: [number, number, number] | null } | undefined, problem: Problem) {
  if (problem.shift === undefined || !value?.range) return 0;
  return ['"', "'"].includes(source.text[value.range[0]]) ? 1 : 0;
}

/**
 * Throws all problems as one error, in the file's order; does nothing when there are none.
 * @throws PortPartyError (exit 2): one problem as it is; of several the first five, one a line, hints in brackets
 */
export function throwProblems(found: PlacedProblem[]): void {
  const problems = distinct(found).sort((a, b) => a.offset - b.offset);
  if (problems.length === 0) return;
  const [first, ...others] = problems;
  if (others.length === 0) throw usageError(first.message, first.where, first.hint);
  const lines = problems.slice(0, SHOWN).map((problem, index) => {
    const said = problem.hint === undefined ? problem.message : `${problem.message} (${problem.hint})`;
    return index === 0 ? said : `${problem.where}: ${said}`;
  });
  if (problems.length > SHOWN) lines.push(`and ${problems.length - SHOWN} more`);
  throw usageError(lines.join('\n'), first.where);
}

function distinct(problems: PlacedProblem[]): PlacedProblem[] {
  return [...new Map(problems.map((problem) => [`${problem.where} ${problem.message}`, problem])).values()];
}
