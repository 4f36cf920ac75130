/** What the statistics of `compare` say of each run against the first one, variant by variant; and what so few trials cannot say. */
import type { MetricVerdict, PairComparison } from '../../../../analysis/comparison/comparison.js';
import { methodOf } from '../../../comparison-method.js';
import { confidenceLevel, sideValue } from '../../../comparison-numbers.js';
import { count, list, plural } from '../../../format.js';
import { type Html, html } from '../../escape.js';
import { details, section } from '../../parts.js';
import { metricTable, saysNothing, shownOf, tooFew } from '../../sections/variants.js';
import type { AgainstFirst, ComparisonData } from '../comparison-data.js';

type Made = Extract<AgainstFirst, { kind: 'made' }>;
const SHOWN: MetricVerdict[] = ['better', 'worse', 'higher', 'lower'];

/** Tables that are shown unfolded. */
const FEW_TABLES = 3;
/** Other differences between two runs that are listed. */
const MOST_MARKS = 40;
/** Metrics that a summary names. */
const MOST_NAMED = 3;

/** The section. */
export function statisticsSection({ runs, against, variants }: ComparisonData): Html {
  const [{ letter: first, record: base }] = runs;
  const shownPairs = ({ comparison }: Made) =>
    comparison.pairs.filter(({ other: { variant } }) => variants.includes(variant));
  const made = against.filter((one) => one.kind === 'made');
  const tables = made.reduce((sum, one) => sum + shownPairs(one).length, 0);
  return section(
    'statistics',
    'How sure is it?',
    against.map((one, index) => {
      const heading = html`<h3>${one.letter} against ${first}</h3>`;
      if (one.kind === 'refused') return html`${heading}<p>Cannot say: ${one.why}.</p>`;
      const pairs = shownPairs(one);
      const left = one.comparison.pairs.length - pairs.length;
      return html`${heading}${tooFew(one.comparison)}${pairs.map((pair) => {
        const title = `${pair.other.variant}: ${one.letter} against ${first}`;
        const content = metricTable(pair, one.comparison, { title, base: first, other: one.letter });
        return tables > FEW_TABLES || saysNothing(pair) ? details(title, content) : content;
      })}${left > 0 && html`<p>${count(pairs.length)} of ${count(pairs.length + left)} variants are shown; <code>portparty compare ${base.id} ${runs[index + 1].record.id}</code> has all.</p>`}${marks(one)}`;
    }),
    made.length > 0 &&
      details(
        'How this was found out',
        html`<p class="hint">${shared(made.length, made[0])}${methodOf(made[0].comparison)}</p>`,
      ),
  );
}

function shared(comparisons: number, { comparison }: Made): string {
  if (comparisons === 1) return '';
  return `Each comparison is made at ${confidenceLevel(comparison.confidence)}, so that all of this page together are wrong with at most the chance of a single one at 95% (Bonferroni); \`compare\` of two runs alone may therefore show more. `;
}

function marks({ comparison }: Made): Html {
  if (comparison.marks.length === 0) return html``;
  const more = comparison.marks.length - MOST_MARKS;
  return details(
    `What else was not the same (${count(comparison.marks.length)})`,
    html`<ul class="notes">${comparison.marks.slice(0, MOST_MARKS).map(({ text }) => html`<li>${text}.</li>`)}${more > 0 && html`<li>${count(more)} more.</li>`}</ul>`,
  );
}

/** What changed from the first run to each other one, in a sentence each; the same one is said once. */
export function summaries({ runs, against }: ComparisonData): Html[] {
  const [{ letter: first }] = runs;
  const texts = against.map((one) => (one.kind === 'made' ? summary(one) : html`cannot say: ${one.why}.`));
  return [...new Map(texts.map((text) => [text.html, text])).values()].map((text) => {
    const letters = against.flatMap(({ letter }, index) => (texts[index].html === text.html ? [letter] : []));
    return html`<strong>${list(letters)} against ${first}:</strong> ${text}`;
  });
}

function summary({ comparison: { pairs, confidence } }: Made): Html {
  const metrics = pairs.flatMap((pair) => pair.metrics.map((metric) => ({ ...metric, variant: pair.base.variant })));
  const differing = pairs.flatMap(shownOf);
  if (differing.length === 0)
    return metrics.some(({ verdict }) => verdict === 'same')
      ? html`every number that both have is the same.`
      : html`cannot say: no number was measured in both.`;
  const parts = SHOWN.flatMap((verdict) => {
    const own = metrics.filter((metric) => metric.verdict === verdict);
    if (own.length === 0) return [];
    const names = own.slice(0, MOST_NAMED).map((one) => {
      const means = `${sideValue(one.base, one)} → ${sideValue(one.other, one)}`;
      return `${pairs.length > 1 ? `${one.metric} of ${one.variant}` : one.metric} (${means})`;
    });
    const more = own.length - names.length;
    return [`${verdict} in ${list(more > 0 ? [...names, `${count(more)} more`] : names)}`];
  });
  const unsaid = metrics.filter(({ verdict }) => verdict === 'no-difference').length;
  const few = pairs.filter((pair) => pair.metrics.some(({ verdict }) => verdict === 'too-few-trials'));
  if (parts.length === 0 && few.length > 0) return cannotSay(few);
  const certainty =
    parts.length > 0 ? ` (means of the trials; ${confidenceLevel(confidence)} sure of all of it together)` : '';
  return html`${parts.length === 0 ? 'no difference that so many trials can show' : list(parts)}${certainty}${unsaid > 0 && parts.length > 0 ? `; in ${plural(unsaid, 'metric')} no difference is shown` : ''}.`;
}

function cannotSay(pairs: PairComparison[]): Html {
  const [{ trials }] = pairs;
  const needs = Math.max(...pairs.map(({ trialsToShowAnything }) => trialsToShowAnything));
  return html`cannot say: ${howMany(trials)} cannot tell a difference from chance; ${count(needs)} each can (<code>--trials ${needs}</code>).`;
}

function howMany({ base, other }: PairComparison['trials']): string {
  return base === other ? `${plural(base, 'trial')} each` : `${count(base)} and ${count(other)} trials`;
}
