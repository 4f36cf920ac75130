/** One recorded request as a line for people, and the choice of which to show. */
import type { RequestRow } from '../record/read-requests.js';
import { ms, NOTHING, placeOf } from './format.js';

/** Which requests to show; what is absent does not narrow the choice. */
export interface RequestFilter {
  /** This cause, or another because of it. */
  cause?: string;
  dropped?: boolean;
  /** Completed, but late after a repeated SYN. */
  delayed?: boolean;
  variants?: string[];
}

/** Whether a request is among those asked for; `dropped` and `delayed` together show both. */
export function isWanted(row: RequestRow, filter: RequestFilter): boolean {
  const isDelayed = row.state === 'completed' && row.cause !== null;
  if (filter.variants !== undefined && !filter.variants.includes(row.variant)) return false;
  if (filter.cause !== undefined && row.cause !== filter.cause && row.because?.cause !== filter.cause) return false;
  if (!filter.dropped && !filter.delayed) return true;
  return (filter.dropped === true && row.state === 'dropped') || (filter.delayed === true && isDelayed);
}

const WIDTHS = { id: 22, step: 11, client: 12, due: 10, connect: 8, response: 8, status: 6 };

/** Names of the columns of `requestLine`, aligned with them. */
export const requestLineHead = [
  'request'.padEnd(WIDTHS.id),
  'step'.padEnd(WIDTHS.step),
  'client'.padEnd(WIDTHS.client),
  'due ms'.padStart(WIDTHS.due),
  'connect'.padStart(WIDTHS.connect),
  'response'.padStart(WIDTHS.response),
  'status'.padStart(WIDTHS.status),
  ' outcome',
].join(' ');

/** Times are ms; connect and response count from the planned time. */
export function requestLine(row: RequestRow): string {
  const since = (time: number | null) => (time === null ? null : time - row.dueMs);
  return [
    row.id.padEnd(WIDTHS.id),
    row.step.padEnd(WIDTHS.step),
    row.client.padEnd(WIDTHS.client),
    row.dueMs.toFixed(1).padStart(WIDTHS.due),
    ms(row.connectMs === null ? null : since(row.connectedMs)).padStart(WIDTHS.connect),
    ms(row.state === 'completed' ? since(row.doneMs) : null).padStart(WIDTHS.response),
    String(row.status ?? NOTHING).padStart(WIDTHS.status),
    ` ${outcomeOf(row)}`,
  ].join(' ');
}

function outcomeOf(row: RequestRow): string {
  const { cause, at, because } = row;
  if (cause === null) return row.soldOut ? 'sold out' : row.state;
  const place = placeOf({ cause, at: at ?? NOTHING, ...(because === null ? {} : { because }) });
  return row.state === 'completed' ? `late: ${place}` : place;
}
