/** Paints a picture of the run ten times a second, and whenever it is told of something. */
import { WriteStream } from 'node:tty';
import { parentPort } from 'node:worker_threads';
import { outcomes } from '../../traffic/outcomes.js';
import { liveFrame } from './frame.js';
import { recentRates, startHistory } from './history.js';
import type { BegunTrial, LiveMessage, PainterInput } from './message.js';
import { liveScreen } from './screen.js';
import type { LivePool, LiveState, LiveTrial } from './state.js';
import { liveStyle } from './style.js';
import { tallyOf } from './tally.js';

const FRAME_MS = 100;
/** On a machine that has no time left a picture takes long; so much is in between all the same. */
const SHORTEST_PAUSE_MS = 50;
/** Rates and percentiles change their last digits at every look; twice a second they can be read. */
const NUMBERS_EVERY = 5;

/** Goes on for as long as its thread lives. */
export function paintAsTold({ scenario, fd, screen: memory }: PainterInput): void {
  const style = liveStyle();
  const stream = new WriteStream(fd);
  const terminal = { columns: 0, rows: 0, write: (text: string) => stream.write(text) };
  const screen = liveScreen(terminal, memory);
  const state: LiveState = { scenario, label: '', phase: 'preparing', inPhaseMs: 0, step: '', finished: [] };
  let pools: LivePool[] = [];
  let look: ((pools: LivePool[]) => LiveTrial) | undefined;
  let timer: NodeJS.Timeout | undefined;
  let phaseSinceNs = process.hrtime.bigint();

  function paint(): void {
    const began = performance.now();
    [terminal.columns, terminal.rows] = sizeOf(stream);
    if (look !== undefined) {
      state.trial = look(pools);
      if (state.phase === 'sending' && state.trial.plannedMs > 0 && state.trial.passedMs > state.trial.plannedMs)
        state.phase = 'finishing';
    }
    state.inPhaseMs = millisecondsSince(phaseSinceNs);
    screen.paint(liveFrame(state, terminal, style));
    clearTimeout(timer);
    timer = setTimeout(paint, Math.max(FRAME_MS - (performance.now() - began), SHORTEST_PAUSE_MS));
  }

  function enter({ label, phase, atNs, begun }: Extract<LiveMessage, { type: 'phase' }>): void {
    // The last look at a trial is that at its end.
    if (phase === 'settling' && look !== undefined) state.trial = look(pools);
    look = begun === undefined ? undefined : follow(begun);
    // What the trial before has left would be taken for this one's; its rows stay, so that the picture keeps its height.
    if (phase === 'building' && state.trial !== undefined) state.trial = emptied(state.trial);
    Object.assign(state, { label, phase, step: '' });
    phaseSinceNs = atNs;
  }

  parentPort!.on('message', (message: LiveMessage) => {
    switch (message.type) {
      case 'pools':
        ({ pools } = message);
        return;
      case 'finished':
        state.finished.push(message.trial);
        return;
      case 'step':
        state.step = message.text;
        break;
      default:
        enter(message);
    }
    paint();
  });
}

function sizeOf(stream: WriteStream): [columns: number, rows: number] {
  const [columns, rows] = stream.getWindowSize();
  return [columns || 80, rows || 24];
}

function millisecondsSince(ns: bigint): number {
  return Number(process.hrtime.bigint() - ns) / 1e6;
}

/** A look at the trial each time it is called, with its pools as they are. */
function follow({ buffer, visitors, steps, lastArrivalNs, startNs }: BegunTrial): (pools: LivePool[]) => LiveTrial {
  const tally = tallyOf(outcomes(visitors, steps, buffer));
  const history = startHistory();
  let numbers: Pick<LiveTrial, 'rates' | 'latency'> | undefined;
  let looks = 0;
  return (pools) => {
    tally.look();
    const passedMs = millisecondsSince(startNs);
    const completed = tally.completed();
    const dropped = tally.dropped();
    const totals = { due: completed + dropped + tally.underWay(), completed, dropped };
    history.add(passedMs, totals, tally.sinceLast);
    if (looks++ % NUMBERS_EVERY === 0 || numbers === undefined)
      numbers = { rates: recentRates(history), latency: tally.recent(performance.now()) };
    return {
      ...{ passedMs, plannedMs: lastArrivalNs / 1e6, totals, history, ...numbers, pools },
      reasons: [...tally.reasons()].map(([text, seen]) => ({ text, count: seen })),
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
