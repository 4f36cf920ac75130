/** Progress of a run on stderr: one line that repaints itself on a terminal, plain lines elsewhere. */
import pc from 'picocolors';
import { progressCounter } from '../observe/progress.js';
import type { TrialProgress } from '../run/trial.js';

/** How often the line is repainted, ms; a second between plain lines would flood a CI log. */
const REPAINT_MS = 200;
const PLAIN_LINE_MS = 5000;
/** A build step may be a whole shell script. */
const LONGEST_LINE = 120;

/** Where a run's progress is told. */
export interface Progress {
  /** A trial has entered a phase; `label` names variant and trial. */
  phase(label: string, progress: TrialProgress): void;
  /** A step before the trials, such as the building of an image. */
  line(text: string): void;
  /** Ends the line. */
  done(): void;
}

const SILENT: Progress = { phase() {}, line() {}, done() {} };

/** Progress for a terminal or a log; nothing at all when `quiet`. */
export function showProgress(stream: NodeJS.WriteStream, quiet: boolean): Progress {
  if (quiet) return SILENT;
  const live = stream.isTTY === true && process.env.TERM !== 'dumb';
  const colors = pc.createColors(live && !process.env.NO_COLOR);
  let timer: NodeJS.Timeout | undefined;
  let painted = false;

  function say(text: string): void {
    if (live) {
      stream.write(`\r\x1b[2K${text.slice(0, (stream.columns ?? 80) - 1)}`);
      painted = true;
    } else stream.write(`${text}\n`);
  }
  function halt(): void {
    clearInterval(timer);
    timer = undefined;
  }

  return {
    phase(label, progress) {
      halt();
      if (progress.phase !== 'under way') {
        // Without a terminal only what takes long is worth a line.
        if (live) say(`${label}: ${progress.phase}`);
        return;
      }
      const started = Date.now();
      const count = progressCounter(progress.outcomes);
      const lasts = progress.lastArrivalNs / 1e9;
      const line = () => {
        const { due, completed, dropped } = count();
        const passed = (Date.now() - started) / 1000;
        const of = lasts > 0 ? `/${lasts.toFixed(0)}` : '';
        return `${label}: ${passed.toFixed(0)}${of} s · ${due} due · ${completed} completed · ${dropped > 0 ? colors.red(`${dropped} dropped`) : '0 dropped'}`;
      };
      if (!live) say(`${label}: ${progress.outcomes.visitors} visitors over ${lasts.toFixed(1)} s`);
      timer = setInterval(() => say(line()), live ? REPAINT_MS : PLAIN_LINE_MS);
      timer.unref();
    },
    line(text) {
      halt();
      say(text.length > LONGEST_LINE ? `${text.slice(0, LONGEST_LINE - 1)}…` : text);
    },
    done() {
      halt();
      if (painted) stream.write('\r\x1b[2K');
    },
  };
}
