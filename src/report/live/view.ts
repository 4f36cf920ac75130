/**
 * The live view of a run, told what happens. A thread of its own paints it, at the lowest priority that there is: the run's own threads
 * come first, and a terminal that takes its time holds up nobody.
 */
import { Worker } from 'node:worker_threads';
import type { TrialRecord } from '../../record/run-record.js';
import type { TrialProgress } from '../../run/trial.js';
import { count, placeOf } from '../format.js';
import type { Progress } from '../progress.js';
import type { LiveMessage, PainterInput } from './message.js';
import { liveScreen, screenMemory } from './screen.js';
import type { FinishedTrial, LivePool } from './state.js';

type UnderWay = Extract<TrialProgress, { phase: 'under way' }>;

/** As often as the sampler counts them. */
const POOLS_EVERY_MS = 100;
/**
 * A pool that connections leave and enter all the time is full in one sample and not in the next: it counts as full for so many of them,
 * while it is this full.
 */
const FULL_FOR = 10;
const STILL_FULL = 0.95;

/** Begins with the first thing that it is told. `scenario` is the heading. */
export function liveView(stream: typeof process.stderr, scenario: string): Progress {
  const memory = screenMemory();
  const screen = liveScreen(terminalOf(stream), memory);
  let painter: Worker | undefined;
  let timer: NodeJS.Timeout | undefined;
  let watched: UnderWay['watched'] | undefined;
  let current = '';

  function tell(message: LiveMessage): void {
    painter ??= startPainter();
    screen.open();
    painter.postMessage(message);
  }

  function startPainter(): Worker {
    const input: PainterInput = { scenario, fd: stream.fd, screen: memory };
    const worker = new Worker(new URL('./painter.js', import.meta.url), { workerData: input });
    // The run ends when it has ended, not when the last picture is painted.
    worker.unref();
    worker.once('error', (error) => {
      screen.clear();
      stream.write(`note: the live view has ended: ${error.message}\n`);
    });
    process.once('exit', screen.clear);
    return worker;
  }

  function tellPools(): void {
    if (watched !== undefined) tell({ type: 'pools', pools: poolsOf(watched()) });
  }

  return {
    phase(label, progress) {
      clearInterval(timer);
      current = label;
      // The last look at a trial is that at its end.
      if (progress.phase === 'settling') tellPools();
      watched = progress.phase === 'under way' ? progress.watched : undefined;
      const atNs = process.hrtime.bigint();
      if (progress.phase !== 'under way') {
        tell({ type: 'phase', label, phase: progress.phase, atNs });
        return;
      }
      const { outcomes, lastArrivalNs, startNs } = progress;
      const { buffer, visitors, steps } = outcomes;
      tell({
        type: 'phase',
        label,
        phase: 'sending',
        atNs,
        begun: { buffer, visitors, steps, lastArrivalNs, startNs },
      });
      timer = setInterval(tellPools, POOLS_EVERY_MS).unref();
    },
    line(text) {
      tell({ type: 'step', text });
    },
    trial(trial) {
      tell({ type: 'finished', trial: finishedTrial(current, trial) });
    },
    done() {
      clearInterval(timer);
      screen.clear();
    },
  };
}

/** Asks for the size each time: a process in a session of its own is not told when the terminal is resized. */
function terminalOf(stream: NodeJS.WriteStream) {
  return {
    write: (text: string) => stream.write(text),
    get columns() {
      return stream.getWindowSize()[0] || 80;
    },
    get rows() {
      return stream.getWindowSize()[1] || 24;
    },
  };
}

function poolsOf({ samples, pools }: ReturnType<UnderWay['watched']>): LivePool[] {
  const sample = samples.at(-1);
  return Object.entries(pools).map(([node, { capacity, peak }]) => {
    const inUse = sample?.inUse[node] ?? 0;
    const wasFull = samples.slice(-FULL_FOR).some((one) => one.inUse[node] >= capacity);
    const full = wasFull && inUse >= capacity * STILL_FULL;
    return { ...{ node, capacity, peak, inUse, full }, timeWait: sample?.timeWait[node] ?? 0 };
  });
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
