/** What haproxy's command lines say of its processes and of the requests that these have under way. */

/** The processes of one haproxy, by their ids as it sees them itself. */
export interface Processes {
  master: number;
  /** How often it was told to load its configuration again. */
  reloads: number;
  /** How many of the last of these failed. */
  failed: number;
  /** The one that takes connections. */
  current: number | undefined;
  /** Those that only finish what they have begun. */
  former: number[];
}

/** Reads the answer of the master to `show proc`: a table with a heading for each sort of process. Throws when it is none. */
export function readProcesses(text: string): Processes {
  const master = /^(\d+)\s+master\s+(\d+)(?: \[failed: (\d+)\])?/m.exec(text);
  if (master === null) throw new Error(`haproxy did not tell of its processes: ${text}`);
  const [, id, reloads, failed = '0'] = master;
  const ids = (part: string) => [...part.matchAll(/^(\d+)\s+worker\s/gm)].map(([, pid]) => Number(pid));
  const [current = '', former = ''] = text.split(/^# old workers$/m);
  return {
    master: Number(id),
    reloads: Number(reloads),
    failed: Number(failed),
    current: ids(current)[0],
    former: ids(former),
  };
}

/** The requests' ids in the answer of a worker to `show sess`; who asks is one of its sessions, too. */
export function readRequests(text: string): string[] {
  return [...text.matchAll(/^(0x[0-9a-f]+): .* fe=(\S+) /gm)].flatMap(([, id, frontend]) =>
    frontend === 'GLOBAL' || frontend === 'MASTER' ? [] : [id],
  );
}
