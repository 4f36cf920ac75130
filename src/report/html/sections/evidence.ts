/** The evidence behind every cause, down to single requests with the story that `explain` tells of them. */
import type { VariantRecord } from '../../../record/run-record.js';
import { count, placeOf, plural } from '../../format.js';
import { type Html, html } from '../escape.js';
import { counted, number } from '../number.js';
import { details, section } from '../parts.js';
import type { Example, ReportData, ToldTrial } from '../report-data.js';

/** The section. */
export function evidenceSection(data: ReportData): Html {
  const { record, told } = data;
  const losing = record.variants.flatMap((variant, index) =>
    variant.requests.byCause.length + variant.requests.delayed.length > 0 ? [{ variant, index }] : [],
  );
  const run = record.id;
  return section(
    'evidence',
    'The evidence',
    losing.length === 0
      ? html`<p>${nothingToProve(data)}</p>`
      : html`<p>Each lost request has exactly one cause, decided by evidence that belongs to it. Counters count packets or attempts of a whole host: they cross-check, they do not count requests. A few requests of a cause are shown; where causes or variants are many, only of those that lost the most; <code>portparty requests ${run} --dropped</code> lists all, <code>portparty explain ${run} --request ID</code> tells the way of any of them.${isCut(data) && ` ${UNDECIDED}`}</p>`,
    losing.map(({ variant, index }) =>
      ofVariant(
        variant,
        index,
        told.find((one) => one.variant === variant.name),
      ),
    ),
  );
}

const UNDECIDED = 'Of what was cut short no cause was decided.';

/** Whether a trial may have lost requests without a cause: it counts in no number of the record. */
const isCut = ({ record, told }: ReportData) =>
  record.status === 'interrupted' || told.some(({ story }) => !story.isWhole);

function nothingToProve(data: ReportData): string {
  if (data.record.variants.length === 0) return 'No trial ran to its end, and no cause was decided.';
  return isCut(data)
    ? `No trial that ran to its end lost a request, and none was late. ${UNDECIDED}`
    : 'No request was lost or late, so there is nothing to prove.';
}

function ofVariant(variant: VariantRecord, index: number, told: ToldTrial | undefined): Html {
  const { byCause, delayed } = variant.requests;
  return html`<h3>${variant.name}</h3>
${byCause.map((entry, at) => {
  const place = placeOf(entry);
  const path = ['variants', index, 'requests', 'byCause', at];
  return html`<div class="proof"><h4><code>${place}</code> <small>${counted(entry.count, [...path, 'count'])} lost</small></h4>
${
  entry.evidence.length > 0 &&
  html`<ul>${entry.evidence.map(
    ({ source, value }, which) =>
      html`<li>${source}: ${typeof value === 'number' ? number(value, count(value), [...path, 'evidence', which, 'value']) : value}</li>`,
  )}</ul>`
}
${examples(told, place, 'dropped')}</div>
`;
})}
${delayed.map((entry, at) => {
  const place = placeOf(entry);
  return html`<div class="proof"><h4><code>${place}</code> <small>${counted(entry.count, ['variants', index, 'requests', 'delayed', at, 'count'])} late, but completed</small></h4>
${examples(told, place, 'completed')}</div>
`;
})}`;
}

function examples(told: ToldTrial | undefined, place: string, state: Example['state']): Html {
  const own = told?.examples.filter((one) => one.place === place && one.state === state) ?? [];
  if (own.length === 0) return html``;
  return html`${own.map(({ id, step, client, dueMs, story }) =>
    details(
      html`<code>${id}</code> ${step} from ${client}, planned at ${(dueMs / 1000).toFixed(2)} s`,
      html`<pre tabindex="0" role="region" aria-label="The way of request ${id}">${story.trimEnd()}</pre>`,
    ),
  )}<p><small>${plural(own.length, 'request')} of trial ${told!.trial}.</small></p>`;
}
