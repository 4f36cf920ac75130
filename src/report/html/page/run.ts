/** The script of a run's page: chooses the variant, draws the charts. Without it the page has the same numbers as text and tables. */
import type { PageData } from '../page-data.js';
import { latencyCharts } from './latency.js';
import { timeAxis } from './time-axis.js';

const data = JSON.parse(document.getElementById('data')!.textContent!) as PageData;
document.documentElement.classList.add('scripted');

const axis = timeAxis(data);
const panels = [...document.querySelectorAll<HTMLElement>('[data-panel]')];
const choices = [
  ...document.querySelectorAll<HTMLInputElement>('input[name="shown-losses"], input[name="shown-time"]'),
];

function show(variant: string): void {
  for (const panel of panels) panel.hidden = panel.dataset.panel !== variant;
  for (const choice of choices) choice.checked = choice.value === variant;
  axis?.show(variant);
}

for (const choice of choices) {
  choice.closest<HTMLElement>('fieldset')!.hidden = false;
  choice.addEventListener('change', () => show(choice.value));
}
show(choices.find(({ checked }) => checked)?.value ?? data.variants[0]?.name ?? '');
latencyCharts(data);
