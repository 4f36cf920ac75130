/** What a machine was measured to send, as text: the table of `doctor --bench`, and the words of a run that asks for more. */
import type { Calibration, CalibrationStep } from '../run/calibration.js';
import { count, ms, toMinute } from './format.js';
import { grid, INDENT } from './grid.js';

/** One step, as a line of progress. */
export function stepText({ rate, lateP99Ms, connectionsPerSecond, passed }: CalibrationStep): string {
  const how = passed ? 'on time' : 'not on time';
  return `${count(rate)}/s: ${how}, p99 ${ms(lateP99Ms)} ms after plan, ${count(connectionsPerSecond)} new connections/s came about`;
}

/** The whole result, with a line end at its end. */
export function renderCalibration(calibration: Calibration): string {
  const { machine, maxLatenessMs, steps } = calibration;
  const heads = ['planned/s', 'late ms\np50', 'late ms\np99', 'came about/s', 'unanswered', 'CPU s per\n1,000', ''];
  const rows = [...steps]
    .sort((a, b) => a.rate - b.rate)
    .map((step) => [
      count(step.rate),
      ms(step.lateP50Ms),
      ms(step.lateP99Ms),
      count(step.connectionsPerSecond),
      count(step.dropped),
      step.cpuSecondsPer1000.toFixed(3),
      step.passed ? 'on time' : 'late',
    ]);
  const table = grid(
    heads.map((head, index) => ({ head, align: index === heads.length - 1 ? ('left' as const) : ('right' as const) })),
    rows,
    3,
  );
  const facts = `${machine.cpus} × ${machine.model} · kernel ${machine.kernel} · Node.js ${machine.node}`;
  return `${INDENT}${facts}\n\n${table}\n\n${INDENT}${calibrationText(calibration)} (on time: p99 up to ${maxLatenessMs} ms after plan)\n`;
}

/** `9,100 new connections/s on time, 11,000/s at most`. */
function calibrationText({ steadyPerSecond, isAtLeast, connectionsPerSecond }: Calibration): string {
  const most = `${count(connectionsPerSecond)}/s at most`;
  if (steadyPerSecond === null) return `no rate on time, ${most}`;
  return isAtLeast
    ? `${count(steadyPerSecond)} new connections/s on time at least`
    : `${count(steadyPerSecond)} new connections/s on time, ${most}`;
}

/** What `doctor` says of the measurement that is kept, if any; `differences` is what has changed since. */
export function keptCalibrationText(kept: (Calibration & { differences: string[] }) | null): string {
  if (kept === null)
    return 'How much it can send is not known: `portparty doctor --bench` measures that, and runs that ask for more are told.';
  const measured = `${calibrationText(kept)}, as measured ${toMinute(kept.measuredAt)}`;
  if (kept.differences.length === 0) return `It can send ${measured}.`;
  return `It could send ${measured}; that no longer holds (${kept.differences.join('; ')}): \`portparty doctor --bench\` measures again.`;
}

/** What is to be told of traffic that asks for more than was measured. `perSecond` is its highest planned rate. */
export function asksForMore(perSecond: number, calibration: Calibration, pinned: boolean): string {
  const ways = [
    ...(pinned ? [] : ['give the generator a core to itself (`--pin`)']),
    'use a machine with more cores',
    'lower the rate',
    'measure again with `portparty doctor --bench`',
  ];
  return (
    `up to ${count(perSecond)} new connections/s are planned (in the busiest 100 ms), and this machine was measured to send ` +
    `${calibrationText(calibration)} (${toMinute(calibration.measuredAt)}): the generator may be late and the run invalid; ` +
    `${ways.slice(0, -1).join(', ')}, or ${ways.at(-1)}`
  );
}
