/** The live view of a run: follows its trials, and paints a picture of them ten times a second. */
import type { TrialRecord } from '../../record/run-record.js';
import type { TrialProgress } from '../../run/trial.js';
import { count, placeOf } from '../format.js';
import type { Progress } from '../progress.js';
import { liveFrame } from './frame.js';
import { recentRates, startHistory } from './history.js';
import { openLiveScreen } from './screen.js';
import type { FinishedTrial, LivePhase, LiveState, LiveTrial } from './state.js';
import { liveStyle } from './style.js';
import { tallyOf } from './tally.js';

type UnderWay = Extract<TrialProgress, { phase: 'under way' }>;

const FRAME_MS = 100;
/** Painting may take a fiftieth of the time: on a machine that has no time left it becomes rarer instead of taking it from the sender. */
const PAINT_SHARE = 0.02;
/** Rates and percentiles change their last digits at every look; twice a second they can be read. */
const NUMBERS_EVERY = 5;
/**
 * A pool that connections leave and enter all the time is full in one sample and not in the next: it counts as full for so many of them,
 * while it is this full.
 */
const FULL_FOR = 10;
const STILL_FULL = 0.95;

/** Begins with the first thing that it is told. `scenario` is the heading. */
export function liveView(stream: NodeJS.WriteStream, scenario: string): Progress {
  const style = liveStyle();
  const screen = openLiveScreen(stream);
  const finished: FinishedTrial[] = [];
  const state: LiveState = { scenario, label: '', phase: 'preparing', inPhaseMs: 0, step: '', finished };
  let timer: NodeJS.Timeout | undefined;
  let phaseSince = performance.now();
  let look: (() => LiveTrial) | undefined;

  function paint(): void {
    const began = performance.now();
    // A process in a session of its own is not told when the terminal is resized; Node asks for the size upon this.
    process.emit('SIGWINCH', 'SIGWINCH');
    if (look !== undefined) {
      state.trial = look();
      if (state.phase === 'sending' && state.trial.plannedMs > 0 && state.trial.passedMs > state.trial.plannedMs)
        state.phase = 'finishing';
    }
    state.inPhaseMs = performance.now() - phaseSince;
    screen.paint(liveFrame(state, { columns: stream.columns || 80, rows: stream.rows || 24 }, style));
    const tookMs = performance.now() - began;
    clearTimeout(timer);
    timer = setTimeout(paint, Math.max(FRAME_MS - tookMs, tookMs / PAINT_SHARE)).unref();
  }

  function enter(phase: LivePhase): void {
    state.phase = phase;
    state.step = '';
    phaseSince = performance.now();
  }

  return {
    phase(label, progress) {
      state.label = label;
      // The last look at a trial is that at its end.
      if (progress.phase === 'settling' && look !== undefined) state.trial = look();
      look = progress.phase === 'under way' ? follow(progress) : undefined;
      // What the trial before has left would be taken for this one's; its rows stay, so that the picture keeps its height.
      if (progress.phase === 'building' && state.trial !== undefined) state.trial = emptied(state.trial);
      enter(progress.phase === 'under way' ? 'sending' : progress.phase);
      paint();
    },
    line(text) {
      state.step = text;
      paint();
    },
    trial(trial) {
      finished.push(finishedTrial(state.label, trial));
    },
    done() {
      clearTimeout(timer);
      screen.clear();
    },
  };
}

/** A look at the trial each time it is called. */
function follow({ outcomes, lastArrivalNs, startNs, watched }: UnderWay): () => LiveTrial {
  const tally = tallyOf(outcomes);
  const history = startHistory();
  let numbers: Pick<LiveTrial, 'rates' | 'latency'> | undefined;
  let looks = 0;
  return () => {
    tally.look();
    const passedMs = Number(process.hrtime.bigint() - startNs) / 1e6;
    const { samples, pools } = watched();
    const sample = samples.at(-1);
    const completed = tally.completed();
    const dropped = tally.dropped();
    const totals = { due: completed + dropped + tally.underWay(), completed, dropped };
    history.add(passedMs, totals, tally.sinceLast);
    if (looks++ % NUMBERS_EVERY === 0 || numbers === undefined)
      numbers = { rates: recentRates(history), latency: tally.recent(performance.now()) };
    return {
      ...{ passedMs, plannedMs: lastArrivalNs / 1e6, totals, history, ...numbers },
      reasons: [...tally.reasons()].map(([text, seen]) => ({ text, count: seen })),
      pools: Object.entries(pools).map(([node, { capacity, peak }]) => {
        const inUse = sample?.inUse[node] ?? 0;
        const wasFull = samples.slice(-FULL_FOR).some((one) => one.inUse[node] >= capacity);
        const full = wasFull && inUse >= capacity * STILL_FULL;
        return { ...{ node, capacity, peak, inUse, full }, timeWait: sample?.timeWait[node] ?? 0 };
      }),
    };
  };
}

function emptied({ pools }: LiveTrial): LiveTrial {
  const none = { due: 0, completed: 0, dropped: 0 };
  return {
    ...{ passedMs: 0, plannedMs: 0, totals: none, rates: none, history: startHistory(), reasons: [] },
    latency: { p50Ms: 0, p99Ms: 0 },
    pools: pools.map(({ node, capacity }) => ({ node, capacity, inUse: 0, peak: 0, timeWait: 0, full: false })),
  };
}

/** Of a label `wider-pool (trial 2 of 5; 7 of 20, …)` the variant, and the trial where there are several. */
function finishedTrial(label: string, { trial, requests, validity }: TrialRecord): FinishedTrial {
  const [variant, place = ''] = label.split(' (');
  const causes = [...requests.byCause].sort((a, b) => b.count - a.count);
  return {
    name: place.startsWith('trial ') ? `${variant} #${trial}` : variant,
    due: requests.due,
    dropped: requests.dropped,
    causes: causes.map((one) => `${count(one.count)} ${placeOf(one)}`),
    invalid: !validity.valid,
  };
}
