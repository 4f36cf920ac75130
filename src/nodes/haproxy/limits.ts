/** haproxy's own limits of client connections: at one it stops accepting without a word, and its log lines show that it stood there. */
import type { Cause } from '../../ledger/causes.js';
import type { RequestLine } from './logs.js';

/** A limit that a line shows as reached. */
export interface LimitReached {
  cause: Cause;
  words: string;
}

/**
 * Which limit a request's line, written by the worker of that id, shows as reached. `state` is what each worker answered to
 * `show info; show stat`: the process's limit, which goes back to its descriptors where the configuration names none, and each frontend's.
 */
export function limitsOf(state: string, config: string): (line: RequestLine, pid: number) => LimitReached | undefined {
  const chosen = /^global\b(?:\n[ \t].*|\n)*\n[ \t]+maxconn /m.test(config);
  const workers = state.split(/^(?=Name: )/m).map(workerLimits);
  const byPid = new Map(workers.map((worker) => [worker.pid, worker]));
  return ({ connections, frontend }, pid) => {
    const { process, descriptors, frontends } = byPid.get(pid) ?? workers[workers.length - 1];
    const [all, own] = connections.split('/').map(Number);
    const limit = frontends.get(frontend);
    if (limit !== undefined && limit < process && own >= limit)
      return {
        cause: 'connection-limit',
        words: `frontend ${frontend} served ${own} connections of at most ${limit} (maxconn)`,
      };
    if (all >= process)
      return {
        cause: chosen ? 'connection-limit' : 'file-limit',
        words: `haproxy served ${all} connections of at most ${process} (maxconn of the process, ${chosen ? 'as configured' : `made from its ${descriptors} descriptors`})`,
      };
    return undefined;
  };
}

/** What one worker says of itself. */
function workerLimits(state: string) {
  const info = (name: string) => Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(state)?.[1] ?? Number.NaN);
  return {
    pid: info('Pid'),
    process: info('Maxconn'),
    descriptors: info('Ulimit-n'),
    frontends: frontendLimits(state),
  };
}

/** Each frontend's limit, from `show stat`: CSV with a heading, `pxname,svname,…,slim,…`. */
function frontendLimits(state: string): Map<string, number> {
  const rows = state.split('\n').map((line) => line.split(','));
  const heading = rows.find(([first]) => first === '# pxname') ?? [];
  const at = heading.indexOf('slim');
  return new Map(rows.filter((row) => row[1] === 'FRONTEND').map((row) => [row[0], Number(row[at])]));
}
