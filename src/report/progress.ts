/** Progress of a run on stderr: a live view on a terminal, plain lines elsewhere. */
import { progressCounter } from '../observe/progress.js';
import type { TrialRecord } from '../record/run-record.js';
import type { TrialProgress } from '../run/trial.js';
import { liveView } from './live/view.js';

/** Less between plain lines would flood a CI log, ms. */
const PLAIN_LINE_MS = 5000;
/** A build step may be a whole shell script. */
const LONGEST_LINE = 120;

/** Where a run's progress is told. */
export interface Progress {
  /** A trial has entered a phase; `label` names variant and trial. */
  phase(label: string, progress: TrialProgress): void;
  /** A step before the trials, such as the building of an image. */
  line(text: string): void;
  /** The trial that was told of last has been settled. */
  trial(trial: TrialRecord): void;
  /** Takes the live view away, so that something else can be written; it comes back with what is told next. */
  done(): void;
}

const SILENT: Progress = { phase() {}, line() {}, trial() {}, done() {} };

/** Progress for a terminal or a log; nothing at all when `quiet`. */
export function showProgress(stream: typeof process.stderr, quiet: boolean, scenario: string): Progress {
  if (quiet) return SILENT;
  return isLive(stream) ? liveView(stream, scenario) : plainLines(stream);
}

/** Whether progress is painted there, and the cursor hidden meanwhile. */
export function isLive(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY === true && process.env.TERM !== 'dumb';
}

function plainLines(stream: NodeJS.WriteStream): Progress {
  let timer: NodeJS.Timeout | undefined;
  const say = (text: string) => stream.write(`${text}\n`);
  function halt(): void {
    clearInterval(timer);
    timer = undefined;
  }

  return {
    phase(label, progress) {
      halt();
      // Only what takes long is worth a line.
      if (progress.phase !== 'under way') return;
      const started = Date.now();
      const counted = progressCounter(progress.outcomes);
      const lasts = progress.lastArrivalNs / 1e9;
      const line = () => {
        const { due, completed, dropped } = counted();
        const passed = (Date.now() - started) / 1000;
        const of = lasts > 0 ? `/${lasts.toFixed(0)}` : '';
        return `${label}: ${passed.toFixed(0)}${of} s · ${due} due · ${completed} completed · ${dropped} dropped`;
      };
      say(`${label}: ${progress.outcomes.visitors} visitors over ${lasts.toFixed(1)} s`);
      timer = setInterval(() => say(line()), PLAIN_LINE_MS);
      timer.unref();
    },
    line(text) {
      halt();
      say(text.length > LONGEST_LINE ? `${text.slice(0, LONGEST_LINE - 1)}…` : text);
    },
    trial() {},
    done: halt,
  };
}
