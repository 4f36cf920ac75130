/** What sections are made of: headings that can be linked to, tables that scroll by themselves, folded details. */
import { type Content, type Html, html, raw } from './escape.js';

/** A section of the page. */
export function section(id: string, heading: string, ...content: Content[]): Html {
  return html`<section id="${id}" aria-labelledby="${id}-h">
<h2 id="${id}-h">${heading}</h2>
${content}
</section>
`;
}

/** A column of a table. */
export interface Column {
  head: Content;
  /** Numbers stand to the right, under each other. */
  isNumber?: boolean;
}

/** A table in a region of its own that scrolls where the screen is narrow. The first cell of a row is its head. */
export function table(
  caption: string,
  columns: Column[],
  rows: Content[][],
  options: { hideCaption?: boolean } = {},
): Html {
  const kind = ({ isNumber }: Column) => raw(isNumber ? ' class="n"' : '');
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table>
<caption${raw(options.hideCaption ? ' class="quiet"' : '')}><span>${caption}</span></caption>
<thead><tr>${columns.map((column) => html`<th scope="col"${kind(column)}>${column.head}</th>`)}</tr></thead>
<tbody>
${rows.map(
  (cells) =>
    html`<tr>${cells.map((cell, index) =>
      index === 0 ? html`<th scope="row">${cell}</th>` : html`<td${kind(columns[index])}>${cell}</td>`,
    )}</tr>
`,
)}</tbody></table></div>
`;
}

/** Something to unfold. */
export function details(summary: Content, ...content: Content[]): Html {
  return html`<details><summary>${summary}</summary>
${content}
</details>
`;
}

/** Radio buttons that choose the variant which the page shows; the script makes them visible, as without it all are shown. */
export function variantSwitch(name: string, variants: string[], chosen: string): Html {
  if (variants.length < 2) return html``;
  return html`<fieldset class="switch" hidden><legend>Variant shown</legend>
${variants.map(
  (variant) =>
    html`<label><input type="radio" name="${name}" value="${variant}"${raw(variant === chosen ? ' checked' : '')}><span>${variant}</span></label>
`,
)}</fieldset>
`;
}
