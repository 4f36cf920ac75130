/**
 * The search for the highest load that still passes, in the manner of RFC 2544 §26.1 and RFC 9693: double until a trial fails, halve the
 * bracket, then repeat the trials on both of its sides before they are believed. Pure: the results so far in, the next step out.
 */

/** How a trial at a level ended. `invalid`: the harness itself could not do it, so it says nothing about the chain. */
export type ProbeOutcome = 'pass' | 'fail' | 'invalid';

/** A trial that is over. */
export interface ProbeResult {
  /** Visitors per second, connections held at once, or visitors. */
  level: number;
  outcome: ProbeOutcome;
  tookMs: number;
}

/** Where and how closely to search. */
export interface SearchSettings {
  /** The first level. */
  from: number;
  /** The highest level that may be tried; undefined: as far as it goes. */
  upTo: number | undefined;
  /** The lowest level that is worth a trial. */
  least: number;
  /** Levels are whole numbers. */
  isWhole: boolean;
  /** Width of the bracket at the end, as a share of its lower side. */
  resolution: number;
  /** Trials at a level that decides, of which the majority counts. */
  repeat: number;
  maxTrials: number;
  budgetMs: number;
}

/** Why a trial is made: to find a bracket, to halve it, to be sure that its upper side fails, or that its lower side passes. */
export type ProbePurpose = 'bracket' | 'bisect' | 'confirm' | 'validate';

/** Where a search stands. */
export interface Bracket {
  /** The highest level that passes; undefined where none does. */
  passes: number | undefined;
  /** The lowest level above it that does not; undefined where none was met. */
  failsAt: number | undefined;
  /** `invalid`: it is the harness that could go no further. */
  failsAs: 'fail' | 'invalid' | undefined;
  /** `passes` and `failsAt` are each backed by as many trials as were asked for. */
  isSure: boolean;
}

/** Why a search has ended. */
export type SearchEnd =
  /** The bracket is as narrow as asked for, and sure. */
  | 'resolved'
  /** Even the highest level that may be tried passes. */
  | 'up-to'
  /** Even the lowest level fails. */
  | 'none-passes'
  /** The allowed trials, or the time for them, are used up. */
  | 'trials'
  | 'budget';

/** What to do next. */
export type SearchStep =
  | { do: 'probe'; level: number; purpose: ProbePurpose; bracket: Bracket; left: TrialsLeft }
  | { do: 'end'; end: SearchEnd; bracket: Bracket };

/** How many trials are left, this one included. `isAtLeast`: no upper side is known yet. */
export interface TrialsLeft {
  trials: number;
  isAtLeast: boolean;
}

/** The next step after these results, which are those of the steps before, in their order. */
export function nextStep(results: ProbeResult[], settings: SearchSettings): SearchStep {
  const levels = levelsOf(results, settings);
  const bracket = bracketOf(levels, settings);
  const wish = wishOf(levels, bracket, settings);
  if (wish.do === 'end') return { ...wish, bracket };
  if (results.length >= settings.maxTrials) return { do: 'end', end: 'trials', bracket };
  const spentMs = results.reduce((sum, { tookMs }) => sum + tookMs, 0);
  const longestMs = Math.max(0, ...results.map(({ tookMs }) => tookMs));
  if (results.length > 0 && spentMs + longestMs > settings.budgetMs) return { do: 'end', end: 'budget', bracket };
  return { ...wish, bracket, left: trialsLeft(levels, wish, bracket, settings) };
}

/** A level with its trials counted. */
interface Level {
  level: number;
  pass: number;
  fail: number;
  invalid: number;
  /** What most of its trials say; undefined while two are equal, and of a harness's own trouble until it has come again. */
  verdict: ProbeOutcome | undefined;
}

/** Trials by which a level's verdict is firm. */
const majority = ({ repeat }: SearchSettings) => Math.floor(repeat / 2) + 1;
/** One trial that passed may have been lucky, so that even `repeat: 1` has the result tried again. */
const validations = (settings: SearchSettings) => Math.max(2, majority(settings));
/** The machine may have been busy just then: once or twice is no proof that the harness cannot do it. */
const INVALID_TRIALS = 3;

function levelsOf(results: ProbeResult[], settings: SearchSettings): Level[] {
  const levels = new Map<number, Level>();
  for (const { level, outcome } of results) {
    const one = levels.get(level) ?? { level, pass: 0, fail: 0, invalid: 0, verdict: undefined };
    one[outcome]++;
    levels.set(level, one);
  }
  for (const one of levels.values()) one.verdict = verdictOf(one, settings);
  return [...levels.values()].sort((a, b) => a.level - b.level);
}

function verdictOf({ pass, fail, invalid }: Level, settings: SearchSettings): ProbeOutcome | undefined {
  if (pass > fail && pass >= invalid) return 'pass';
  if (fail > pass && fail >= invalid) return 'fail';
  if (invalid > pass + fail && invalid >= INVALID_TRIALS) return 'invalid';
  // A level that will not be decided must not hold the search for ever: what sometimes fails does not hold.
  if (pass + fail + invalid > 2 * Math.max(INVALID_TRIALS, settings.repeat)) return fail > 0 ? 'fail' : 'invalid';
  return undefined;
}

function bracketOf(levels: Level[], settings: SearchSettings): Bracket {
  const upper = levels.find(({ verdict }) => verdict === 'fail' || verdict === 'invalid');
  const lower = levels.findLast(
    ({ level, verdict }) => verdict === 'pass' && level < (upper?.level ?? Number.POSITIVE_INFINITY),
  );
  return {
    passes: lower?.level,
    failsAt: upper?.level,
    failsAs: upper?.verdict as Bracket['failsAs'],
    isSure:
      (lower === undefined || isValidated(lower, settings)) && (upper === undefined || isConfirmed(upper, settings)),
  };
}

const isValidated = (level: Level, settings: SearchSettings) => level.pass >= validations(settings);
const isConfirmed = ({ fail, verdict }: Level, settings: SearchSettings) =>
  verdict === 'invalid' || fail >= majority(settings);

type Wish = { do: 'probe'; level: number; purpose: ProbePurpose } | { do: 'end'; end: SearchEnd };

function wishOf(levels: Level[], { passes, failsAt }: Bracket, settings: SearchSettings): Wish {
  const probe = (level: number, purpose: ProbePurpose): Wish => ({ do: 'probe', level, purpose });
  const at = (level: number | undefined) => levels.find((one) => one.level === level);
  const [lower, upper] = [at(passes), at(failsAt)];
  const undecided = levels.find(
    ({ level, verdict }) => verdict === undefined && level < (failsAt ?? Number.POSITIVE_INFINITY),
  );
  if (undecided !== undefined) {
    const before = undecided.pass + undecided.fail > 0 ? 'confirm' : failsAt === undefined ? 'bracket' : 'bisect';
    return probe(undecided.level, before);
  }
  if (upper === undefined) {
    const next = grid(lower === undefined ? settings.from : lower.level * 2, settings);
    if (lower === undefined || settings.upTo === undefined || lower.level < settings.upTo)
      return probe(Math.min(next, settings.upTo ?? next), 'bracket');
    return isValidated(lower, settings) ? { do: 'end', end: 'up-to' } : probe(lower.level, 'validate');
  }
  if (lower === undefined) {
    if (upper.level > settings.least)
      return probe(Math.max(settings.least, grid(upper.level / 2, settings)), 'bracket');
    return isConfirmed(upper, settings) ? { do: 'end', end: 'none-passes' } : probe(upper.level, 'confirm');
  }
  const middle = middleOf(lower.level, upper.level, settings);
  if (middle !== undefined) return probe(middle, 'bisect');
  if (!isConfirmed(upper, settings)) return probe(upper.level, 'confirm');
  if (!isValidated(lower, settings)) return probe(lower.level, 'validate');
  return { do: 'end', end: 'resolved' };
}

/** The level between the two; undefined where they are as close as asked for, or have no level between them. */
function middleOf(lower: number, upper: number, settings: SearchSettings): number | undefined {
  // A bracket that was halved to the resolution must not miss it by the last digit of a double.
  if (upper - lower <= settings.resolution * lower * (1 + 1e-9)) return undefined;
  const middle = grid((lower + upper) / 2, settings);
  return middle > lower && middle < upper ? middle : undefined;
}

/** Levels that a person can read: whole, or of five digits. */
function grid(level: number, { isWhole }: SearchSettings): number {
  return isWhole ? Math.floor(level) : Number(level.toPrecision(5));
}

/** As if every trial from here on were to say what the trials so far say. */
function trialsLeft(
  levels: Level[],
  wish: Extract<Wish, { do: 'probe' }>,
  { passes, failsAt }: Bracket,
  settings: SearchSettings,
): TrialsLeft {
  const decide = majority(settings) - 1 + validations(settings) - 1;
  if (passes === undefined || failsAt === undefined) {
    const halvings = Math.ceil(Math.log2(1 / settings.resolution));
    return { trials: 2 + Math.max(0, halvings) + decide, isAtLeast: true };
  }
  const halvings = Math.max(0, Math.ceil(Math.log2((failsAt - passes) / (settings.resolution * passes))));
  if (wish.purpose === 'bisect') return { trials: halvings + decide, isAtLeast: false };
  const [lower, upper] = [passes, failsAt].map((level) => levels.find((one) => one.level === level)!);
  const confirm = upper.verdict === 'invalid' ? 0 : Math.max(0, majority(settings) - upper.fail);
  return { trials: Math.max(1, confirm + Math.max(0, validations(settings) - lower.pass)), isAtLeast: false };
}
