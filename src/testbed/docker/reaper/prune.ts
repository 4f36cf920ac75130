/** What the reaper finds by its clients' filters, and how it removes it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { askDaemon } from './daemon-request.js';
import type { ReaperSettings } from './settings.js';

/** Filters of the Docker Engine API: `{ label: ['org.testcontainers.session-id=…'] }`; all of them must match. */
export type Filters = Record<string, string[]>;

/** Something to remove. */
export interface Doomed {
  kind: 'container' | 'network' | 'volume' | 'image';
  id: string;
  /** When it was made, ms since 1970. */
  created: number;
}

/** Containers of reapers are never removed: each ends by itself. */
const REAPER_LABEL = 'org.testcontainers.ryuk';

/** How long to wait before what could not be removed is tried again, ms: Ryuk's own. */
const RETRY_MS = 1000;

/**
 * A client's line as filters, `label=a=b&label=c=d`; undefined when it holds none. Never an empty filter: it would match
 * everything.
 */
export function parseFilters(line: string): Filters | undefined {
  const filters: Filters = {};
  for (const [name, value] of new URLSearchParams(line)) {
    if (name === '' || value === '') return undefined;
    filters[name] = [...(filters[name] ?? []), value];
  }
  return Object.keys(filters).length === 0 ? undefined : filters;
}

/** Everything that matches at least one of the filters. Rejects when the daemon does not list it. */
export async function findDoomed(all: Iterable<Filters>, { requestTimeout }: ReaperSettings): Promise<Doomed[]> {
  const found = new Map<string, Doomed>();
  for (const filters of all) {
    const query = `filters=${encodeURIComponent(JSON.stringify(filters))}`;
    const list = async <Body>(path: string): Promise<Body> => {
      const { status, body } = await askDaemon(
        'GET',
        `${path}${path.includes('?') ? '&' : '?'}${query}`,
        requestTimeout,
      );
      if (status !== 200) throw new Error(`GET ${path}: ${wordsOf(body, status)}`);
      return body as Body;
    };
    const [containers, networks, volumes, images] = await Promise.all([
      list<{ Id: string; Created: number; Labels: Record<string, string> | null }[]>('/containers/json?all=1'),
      list<{ Id: string; Created: string }[]>('/networks'),
      list<{ Volumes: { Name: string; CreatedAt?: string }[] | null }>('/volumes'),
      list<{ Id: string; Created: number }[]>('/images/json'),
    ]);
    const add = (kind: Doomed['kind'], id: string, created: number) =>
      found.set(`${kind} ${id}`, { kind, id, created });
    for (const { Id, Created, Labels } of containers)
      if (Labels?.[REAPER_LABEL] !== 'true') add('container', Id, Created * 1000);
    for (const { Id, Created } of networks) add('network', Id, Date.parse(Created));
    for (const { Name, CreatedAt } of volumes.Volumes ?? []) add('volume', Name, Date.parse(CreatedAt ?? ''));
    for (const { Id, Created } of images) add('image', Id, Created * 1000);
  }
  return [...found.values()];
}

/** Removes it all, containers first, each kind as often as the settings say. Resolves to what stays, with the daemon's words. */
export async function removeDoomed(doomed: Doomed[], settings: ReaperSettings): Promise<string[]> {
  const left: string[] = [];
  for (const kind of ['container', 'network', 'volume', 'image'] as const) {
    let open = doomed.filter((one) => one.kind === kind);
    for (let attempt = 1; open.length > 0 && attempt <= settings.removeRetries; attempt++) {
      if (attempt > 1) await sleep(RETRY_MS);
      const ends = await Promise.all(open.map((one) => remove(one, settings)));
      if (attempt === settings.removeRetries)
        left.push(
          ...ends.flatMap((words, index) => (words === undefined ? [] : [`${kind} ${open[index].id}: ${words}`])),
        );
      open = open.filter((_, index) => ends[index] !== undefined);
    }
  }
  return left;
}

const PATHS: Record<Doomed['kind'], (id: string) => string> = {
  container: (id) => `/containers/${id}?force=1&v=1`,
  network: (id) => `/networks/${id}`,
  volume: (id) => `/volumes/${encodeURIComponent(id)}?force=1`,
  image: (id) => `/images/${id}`,
};

/** Resolves to why it was not removed; undefined when it is gone. */
async function remove({ kind, id }: Doomed, { requestTimeout }: ReaperSettings): Promise<string | undefined> {
  try {
    const { status, body } = await askDaemon('DELETE', PATHS[kind](id), requestTimeout);
    return status < 300 || status === 404 ? undefined : wordsOf(body, status);
  } catch (error) {
    return (error as Error).message;
  }
}

function wordsOf(body: unknown, status: number): string {
  return (body as { message?: string } | undefined)?.message ?? `HTTP ${status}`;
}
