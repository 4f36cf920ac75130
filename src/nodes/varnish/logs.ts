/** varnish's log, made into what it saw of every request. */
import type { Sighting } from '../kind.js';
import { triesOf } from './fetches.js';
import { readChecks } from './health.js';
import { BEGINNING } from './logging.js';
import { headerOf, lastTime, lastValue, readTransactions, type Transaction, timeOf } from './shared-log.js';

const ID_HEADER = 'x-request-id';

/** Reads the log; the VCL tells which address a backend's name stands for. */
export function readVarnishLog(host: string, text: string, vcl: string): Sighting[] {
  // A varnish that was started again numbers its transactions anew.
  const addresses = addressesIn(vcl);
  const requests = text.split(BEGINNING).flatMap((part) => readOneLife(host, part, addresses));
  return [...requests, ...readChecks(host, text, addresses)];
}

function readOneLife(host: string, text: string, addresses: Map<string, string>): Sighting[] {
  const transactions = readTransactions(text);
  const tries = triesOf(transactions, addresses);
  return [...transactions.values()].flatMap((transaction): Sighting[] => {
    if (transaction.type !== 'req' || transaction.reason !== 'rxreq') return [];
    const id = headerOf(transaction, 'ReqHeader', ID_HEADER);
    const startedAt = timeOf(transaction, 'Start');
    if (id === undefined || startedAt === undefined) return [];
    const parts = withRestarts(transaction, transactions);
    const last = parts.at(-1)!;
    const status = Number(lastValue(last, 'RespStatus') ?? 0);
    const [address, port] = (lastValue(transaction, 'ReqStart') ?? '').split(' ');
    return [
      {
        id,
        host,
        startedAt,
        endedAt: lastTime(last) ?? startedAt,
        status,
        peer: `${address}:${port}`,
        tries: parts.flatMap(tries),
        evidence: `request ${transaction.id} of varnish: ${lastValue(transaction, 'ReqMethod')} ${lastValue(transaction, 'ReqURL')}, answered ${status}`,
      },
    ];
  });
}

/** A restart goes on as another transaction. */
function withRestarts(first: Transaction, transactions: Map<number, Transaction>): Transaction[] {
  const parts = [first];
  for (;;) {
    const link = parts
      .at(-1)!
      .records.get('Link')
      ?.find((value) => /^req \d+ restart/.test(value));
    const next = link === undefined ? undefined : transactions.get(Number(link.split(' ')[1]));
    if (next === undefined) return parts;
    parts.push(next);
  }
}

/** `address:port` by a backend's name. */
function addressesIn(vcl: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const [, name, body] of vcl.matchAll(/\bbackend\s+(\w+)\s*\{([^}]*)/g)) {
    const address = /\.host\s*=\s*"([\d.]+)"/.exec(body)?.[1];
    const port = /\.port\s*=\s*"(\d+)"/.exec(body)?.[1] ?? '80';
    if (address !== undefined) found.set(name, `${address}:${port}`);
  }
  return found;
}
