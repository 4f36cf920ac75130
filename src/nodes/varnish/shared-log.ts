/** varnish's log in raw form, gathered into transactions: a client's request, or one fetch from a backend. */

/** A record: `     2 ReqURL         c /event`. */
const RECORD = /^\s*(\d+) (\w+)\s+[cb-] ?(.*)$/;

/** The records of one request or fetch (vsl(7)). */
export interface Transaction {
  /** Its number in the log. */
  id: number;
  type: 'req' | 'bereq';
  /** Number of the transaction that it belongs to, and what for: `rxreq`, `fetch`, `pass`, `retry`, `restart`, … */
  parent: number;
  reason: string;
  /** Values by tag, in order. */
  records: Map<string, string[]>;
}

/** Reads the records; those of sessions and of varnish's own command line are left out. */
export function readTransactions(text: string): Map<number, Transaction> {
  const transactions = new Map<number, Transaction>();
  for (const line of text.split('\n')) {
    const match = RECORD.exec(line);
    if (match === null) continue;
    const [id, tag, value] = [Number(match[1]), match[2], match[3].trim()];
    if (tag === 'Begin') {
      const [type, parent, reason] = value.split(' ');
      if (type === 'req' || type === 'bereq')
        transactions.set(id, { id, type, parent: Number(parent), reason, records: new Map() });
      continue;
    }
    const records = transactions.get(id)?.records;
    const values = records?.get(tag);
    if (values === undefined) records?.set(tag, [value]);
    else values.push(value);
  }
  return transactions;
}

/** The last value of a tag; undefined where it has none. */
export function lastValue({ records }: Transaction, tag: string): string | undefined {
  return records.get(tag)?.at(-1);
}

/** Unix time in ms of a time stamp of that name; its first one. */
export function timeOf({ records }: Transaction, name: string): number | undefined {
  const text = records.get('Timestamp')?.find((value) => value.startsWith(`${name}: `));
  return text === undefined ? undefined : Number(text.split(' ')[1]) * 1000;
}

/** Unix time in ms of the last time stamp. */
export function lastTime({ records }: Transaction): number | undefined {
  const text = records.get('Timestamp')?.at(-1);
  return text === undefined ? undefined : Number(text.split(' ')[1]) * 1000;
}

/** The value of a header, by its name in lower case; only the request's id is in the log. */
export function headerOf({ records }: Transaction, tag: 'ReqHeader' | 'BereqHeader', name: string): string | undefined {
  const text = records.get(tag)?.find((value) => value.toLowerCase().startsWith(`${name}: `));
  return text?.slice(name.length + 2);
}
