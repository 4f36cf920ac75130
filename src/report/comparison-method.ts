/** How a comparison was made, in words, with the sources. */
import type { Comparison } from '../analysis/comparison/comparison.js';
import { DRAWS } from '../analysis/permutation.js';
import { confidenceLevel } from './comparison-numbers.js';
import { count, plural } from './format.js';

/** The method of a comparison; `docs/compare.md` has the references in full. */
export function methodOf({ pairs, confidence, metricsTested, resamples }: Comparison): string {
  const paired = pairs.some((pair) => pair.paired);
  const unpaired = pairs.some((pair) => !pair.paired);
  const exact = pairs.every((pair) => pair.exact);
  const tests = [
    ...(paired ? ['sign flips of the differences within pairs'] : []),
    ...(unpaired ? ['trials dealt anew to the two settings'] : []),
  ].join(', ');
  return (
    `Means over trials; of latencies geometric means and their ratio. Intervals: BCa bootstrap over trials, ${count(resamples)} resamples ` +
    '(Efron & Tibshirani 1993), widened for few trials (Hesterberg 2015), each metric by itself. ' +
    `Verdicts: permutation test (Fisher 1935: ${tests}; ` +
    `${exact ? 'all arrangements' : `${count(DRAWS)} random arrangements where there are too many, Phipson & Smyth 2010`}), ` +
    `Holm 1979 over ${metricsTested === 0 ? 'the metrics that differ' : plural(metricsTested, 'metric')}: the chance that any better or worse here is false is at most ${confidenceLevel(Number((1 - confidence).toPrecision(6)))}. ` +
    'Trials needed: to see a difference this large, were it the true one, 4 times of 5.'
  );
}
