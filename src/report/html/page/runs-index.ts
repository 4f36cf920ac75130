/** The script of the page over a results folder: shows only the runs of one scenario, or of one verdict. Without it all are there. */
document.documentElement.classList.add('scripted');

const byId = <Kind extends HTMLElement = HTMLElement>(id: string) => document.getElementById(id) as Kind | null;
const scenario = byId<HTMLSelectElement>('filter-scenario');
const ending = byId<HTMLSelectElement>('filter-ending');
const rows = [...document.querySelectorAll<HTMLElement>('#runs [data-ending]')].map((mark) => ({
  row: mark.closest('tr')!,
  scenario: mark.dataset.scenario,
  ending: mark.dataset.ending,
}));
const blocks = [...document.querySelectorAll<HTMLElement>('#trends .scenario')];

function filter(): void {
  const [name, verdict] = [scenario!.value, ending!.value];
  let shown = 0;
  for (const one of rows) {
    const isShown = (name === '' || one.scenario === name) && (verdict === '' || one.ending === verdict);
    one.row.hidden = !isShown;
    if (isShown) shown++;
  }
  for (const block of blocks) block.hidden = name !== '' && block.dataset.scenario !== name;
  const isAll = name === '' && verdict === '';
  const older = byId('older')?.querySelector('details');
  if (older) older.open = !isAll;
  byId('filter-says')!.textContent = isAll
    ? `${rows.length.toLocaleString('en-US')} runs, newest first.`
    : `${shown.toLocaleString('en-US')} of ${rows.length.toLocaleString('en-US')} runs, newest first.`;
}

if (scenario !== null && ending !== null) {
  byId('filters')!.hidden = false;
  scenario.addEventListener('change', filter);
  ending.addEventListener('change', filter);
  // A browser that comes back to the page keeps what was chosen.
  if (scenario.value !== '' || ending.value !== '') filter();
}

export {};
