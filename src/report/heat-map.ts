/** The combinations of a matrix as a map: one setting down, one across, in each cell what was lost, or how slow it was. */
import type pc from 'picocolors';
import type { VariantRecord } from '../record/run-record.js';
import { count, ms, NOTHING, percent } from './format.js';
import { grid, INDENT } from './grid.js';

/** What a map shows, in words, and its cells by row and column. */
export interface HeatMap {
  /** `dropped, of what came due` or `response p99, ms`. */
  metric: string;
  /** Short names of the settings down (joined where there are more than two in all) and across. */
  down: string;
  across: string;
  columns: string[];
  rows: { head: string; cells: HeatCell[] }[];
}

/** One combination; `heat` goes from 0 (best of the map) to 1 (worst), null where nothing was measured. */
export interface HeatCell {
  text: string;
  heat: number | null;
}

/** The map of a run whose scenario has a matrix; undefined where it has none. The last setting goes across, all others down. */
export function heatMap(variants: VariantRecord[]): HeatMap | undefined {
  const cells = variants.filter((variant) => variant.cell !== undefined);
  if (cells.length === 0) return undefined;
  const names = Object.keys(cells[0].cell!);
  const [above, [across]] = [names.slice(0, -1), names.slice(-1)];
  const headOf = ({ cell }: VariantRecord) => above.map((name) => cell![name]).join(', ');
  const columns = [...new Set(cells.map(({ cell }) => cell![across]))];
  const metric = cells.some(({ requests }) => requests.dropped > 0) ? DROPPED : RESPONSE;
  const values = cells.map(metric.valueOf).filter((value) => value !== null);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const heatOf = (value: number | null) =>
    value === null ? null : most === least ? 0 : (value - least) / (most - least);
  const rows = [...new Set(cells.map(headOf))].map((head) => ({
    head,
    cells: columns.map((column): HeatCell => {
      const variant = cells.find((one) => headOf(one) === head && one.cell![across] === column);
      if (variant === undefined) return { text: NOTHING, heat: null };
      return { text: metric.textOf(variant), heat: heatOf(metric.valueOf(variant)) };
    }),
  }));
  return { metric: metric.words, down: above.join(', '), across, columns, rows };
}

interface HeatMetric {
  words: string;
  valueOf(variant: VariantRecord): number | null;
  textOf(variant: VariantRecord): string;
}

const DROPPED: HeatMetric = {
  words: 'dropped, and its share of what came due',
  valueOf: ({ requests }) => (requests.due === 0 ? null : requests.dropped / requests.due),
  textOf({ requests }) {
    if (requests.due === 0) return NOTHING;
    return requests.dropped === 0 ? '0' : `${count(requests.dropped)} (${percent(requests.dropped / requests.due)})`;
  },
};

const RESPONSE: HeatMetric = {
  words: 'response p99, ms',
  valueOf: ({ latency }) => (latency.response.count === 0 ? null : latency.response.p99),
  textOf: ({ latency }) => (latency.response.count === 0 ? NOTHING : ms(latency.response.p99)),
};

/** The deeper, the hotter; readable without colours. */
const SHADES = ['·', '░', '▒', '▓', '█'];

/** The map for a terminal; empty where the scenario has no matrix. */
export function renderHeatMap(variants: VariantRecord[], colors: ReturnType<typeof pc.createColors>): string {
  const map = heatMap(variants);
  if (map === undefined) return '';
  const paint = ({ text, heat }: HeatCell) => {
    if (heat === null) return colors.dim(text);
    const shaded = `${text} ${SHADES[Math.ceil(heat * (SHADES.length - 1))]}`;
    return heat === 0 ? colors.green(shaded) : heat < 0.5 ? colors.yellow(shaded) : colors.red(shaded);
  };
  const head = [map.down === '' ? '' : `${map.down} ↓`, ...map.columns];
  const table = grid(
    head.map((text, index) => ({ head: colors.dim(text), align: index === 0 ? 'left' : 'right' })),
    map.rows.map(({ head: row, cells }) => [row === '' ? map.across : row, ...cells.map(paint)]),
    3,
  );
  const title = map.down === '' ? map.metric : `${map.metric}; across: ${map.across}`;
  return `${INDENT}${colors.bold('matrix')}  ${title}\n${table}`;
}

/** The map as a Markdown table; empty where the scenario has no matrix. */
export function heatMapMarkdown(variants: VariantRecord[], plain: (text: string) => string): string {
  const map = heatMap(variants);
  if (map === undefined) return '';
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  const corner = map.down === '' ? plain(map.across) : `${plain(map.down)} ↓ ${plain(map.across)} →`;
  return [
    `## Matrix: ${map.metric}`,
    '',
    line([corner, ...map.columns.map(plain)]),
    line(['---', ...map.columns.map(() => '---:')]),
    ...map.rows.map(({ head, cells }) =>
      line([plain(head), ...cells.map(({ text, heat }) => (heat === 0 ? `**${text}**` : text))]),
    ),
  ].join('\n');
}
