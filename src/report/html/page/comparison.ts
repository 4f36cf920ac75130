/** The script of the page of several runs: draws their lines over each other. Without it the page has the same numbers as tables. */
import type { ComparisonPageData } from '../comparison/overlay-data.js';
import { latencyCharts } from './latency.js';
import { overlayCharts } from './overlay-charts.js';
import { dashes, seriesColour } from './theme.js';

const data = JSON.parse(document.getElementById('data')!.textContent!) as ComparisonPageData;
document.documentElement.classList.add('scripted');

overlayCharts(data);
// A run has its colour, a variant its dashes; of a single variant the runs differ in both.
const places = new Map(data.curves.map(({ variant, run, place }) => [variant, { run, place }]));
const isAlone = new Set(data.curves.map(({ place }) => place)).size < 2;
latencyCharts(data, (variant) => {
  const { run, place } = places.get(variant)!;
  return { colour: seriesColour(run), dash: dashes(isAlone ? run : place) };
});
