/** The fetches that a request made or waited for, each as a try to reach a backend. */
import { groupBy } from '../../collections.js';
import { Errno } from '../../sys/errno.js';
import type { UpstreamResult, UpstreamTry } from '../kind.js';
import { resultOfErrno } from '../upstream-result.js';
import { lastTime, lastValue, type Transaction, timeOf } from './shared-log.js';

/** A function that tells the tries of a client's request; `addresses`: `address:port` by a backend's name. */
export function triesOf(
  transactions: Map<number, Transaction>,
  addresses: Map<string, string>,
): (request: Transaction) => UpstreamTry[] {
  const fetches = [...transactions.values()].filter(({ type }) => type === 'bereq');
  let byPage: Map<string, Transaction[]> | undefined;
  const tries = new Map<number, UpstreamTry | undefined>();

  function tryOf(fetch: Transaction): UpstreamTry | undefined {
    if (!tries.has(fetch.id)) tries.set(fetch.id, readFetch(fetch, addresses));
    return tries.get(fetch.id);
  }

  /** The fetch whose answer a request waited for instead of asking itself. */
  function leaderOf(request: Transaction): Transaction | undefined {
    const hit = transactions.get(Number(lastValue(request, 'Hit')?.split(' ')[0]));
    if (hit !== undefined) return hit;
    byPage ??= groupBy(fetches, pageOf);
    const [from, until] = [timeOf(request, 'Start') ?? 0, timeOf(request, 'Waitinglist') ?? 0];
    return byPage
      .get(pageOf(request))
      ?.find((fetch) => (timeOf(fetch, 'Start') ?? 0) < until && (lastTime(fetch) ?? 0) > from);
  }

  function waited(request: Transaction): UpstreamTry[] {
    const endedAt = timeOf(request, 'Waitinglist');
    if (endedAt === undefined) return [];
    const leader = leaderOf(request);
    const one = leader && tryOf(leader);
    if (one === undefined) return [];
    // Whether its answer served this one too or not: to have waited for it is no failure.
    return [{ ...one, result: 'answered', endedAt, evidence: `waited for ${one.evidence}` }];
  }

  /** A fetch and the further ones that followed it. */
  function withRetries(first: Transaction): Transaction[] {
    const all = [first];
    for (;;) {
      const link = all
        .at(-1)!
        .records.get('Link')
        ?.find((value) => /^bereq \d+ retry/.test(value));
      const next = link === undefined ? undefined : transactions.get(Number(link.split(' ')[1]));
      if (next === undefined) return all;
      all.push(next);
    }
  }

  return (request) => {
    const links = (request.records.get('Link') ?? []).map((value) => value.split(' '));
    const own = links
      // What is fetched behind a stale answer does not concern the one who got it.
      .filter(([type, , reason]) => type === 'bereq' && reason !== 'bgfetch')
      .flatMap(([, id]) => transactions.get(Number(id)) ?? [])
      .flatMap(withRetries)
      .flatMap((fetch) => tryOf(fetch) ?? []);
    return [...waited(request), ...own];
  };
}

function pageOf(transaction: Transaction): string {
  const [method, url] = transaction.type === 'bereq' ? ['BereqMethod', 'BereqURL'] : ['ReqMethod', 'ReqURL'];
  return `${lastValue(transaction, method)} ${lastValue(transaction, url)}`;
}

/** undefined for a fetch that the VCL gave up by itself. */
function readFetch(fetch: Transaction, addresses: Map<string, string>): UpstreamTry | undefined {
  const opened = lastValue(fetch, 'BackendOpen')?.split(' ');
  const error = lastValue(fetch, 'FetchError');
  if (opened === undefined && error === undefined) return undefined;
  const named = /^backend (\S+): /.exec(error ?? '')?.[1];
  const [, name, toAddress, toPort, fromAddress, fromPort, how] = opened ?? [];
  const to = opened === undefined ? addresses.get(named ?? '') : `${toAddress}:${toPort}`;
  const [began, connected] = [timeOf(fetch, 'Fetch'), timeOf(fetch, 'Connected')];
  const result = error === undefined ? 'answered' : resultOf(error);
  return {
    to,
    ...(opened === undefined ? {} : { from: `${fromAddress}:${fromPort}` }),
    result,
    endedAt: timeOf(fetch, 'Beresp') ?? timeOf(fetch, 'Error') ?? lastTime(fetch) ?? 0,
    ...(opened === undefined || began === undefined || connected === undefined
      ? {}
      : { connectMs: how === 'reuse' ? 0 : connected - began }),
    ...(HOLDS_DOWN.has(errnoOf(error)) ? { markedDown: true } : {}),
    evidence: `fetch ${fetch.id} of varnish from ${name ?? named ?? 'no backend'}: ${error ?? `answered from ${to}`}`,
  };
}

const errnoOf = (error: string | undefined) => Number(/: fail errno (\d+) /.exec(error ?? '')?.[1] ?? 0);

/** errno of connect() after which varnish leaves a backend alone for a while (bin/varnishd/cache/cache_conn_pool.c). */
const HOLDS_DOWN = new Set<number>([1, Errno.EACCES, Errno.EADDRNOTAVAIL, Errno.ECONNREFUSED, Errno.ENETUNREACH]);

/** How a connection ended that did not come about, by the errno of connect(); with 0 it was not called at all. */
export function resultOfConnect(errno: number): UpstreamResult {
  return errno === 0 ? 'no-live-backend' : (resultOfErrno(errno) ?? 'connect-failed');
}

/** How a fetch ended, by varnish's own words (bin/varnishd/cache/cache_backend.c, cache_fetch.c, cache_session.c). */
function resultOf(error: string): UpstreamResult {
  if (/: fail errno \d/.test(error)) return resultOfConnect(errnoOf(error));
  if (/: busy$/.test(error)) return 'connection-limit';
  if (/: unhealthy$|returned no backend|^No backend/.test(error)) return 'no-live-backend';
  if (/timeout/.test(error)) return 'response-timeout';
  if (/^HTC |first read error|insufficient bytes|eof/i.test(error)) return 'closed-early';
  return 'failed';
}
