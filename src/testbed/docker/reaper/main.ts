/**
 * The reaper: removes what clients have named when the last of them is gone, so that even a killed process leaves nothing.
 *
 * It speaks the protocol of testcontainers' Ryuk (github.com/testcontainers/moby-ryuk) in every respect: a client connects,
 * sends lines of filters, gets an ACK for each and keeps the connection open. One thing it does better: when nothing is left
 * of what was named it ends at once, and does not wait for another client first.
 */
import { createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { type Doomed, type Filters, findDoomed, parseFilters, removeDoomed } from './prune.js';
import { reaperSettings } from './settings.js';

const settings = reaperSettings(process.env);
/** By their own text, so that the same line of many clients counts once. */
const named = new Map<string, Filters>();
const clients = new Set<Socket>();
/** What is younger, ms, may belong to a client that is just arriving (Ryuk's RYUK_RETRY_OFFSET). */
const YOUNG_MS = 1000;
/** How often a client's machine is asked whether it still lives, ms: Go's own default. */
const KEEPALIVE_MS = 15_000;

let timer: NodeJS.Timeout | undefined;
let ending = false;

function say(text: string): void {
  console.log(`${new Date().toISOString()} ${text}`);
}

const server = createServer((client) => {
  clients.add(client);
  clearTimeout(timer);
  client.setKeepAlive(true, KEEPALIVE_MS);
  client.on('error', (error) => say(`client: ${error.message}`));
  client.on('close', () => {
    clients.delete(client);
    if (clients.size === 0) void lastOneGone();
  });
  createInterface({ input: client }).on('line', (line) => {
    if (line === '') return;
    const filters = parseFilters(line);
    if (filters === undefined) say(`not a filter: ${line}`);
    else named.set(line, filters);
    client.write('ACK\n');
  });
});

async function lastOneGone(): Promise<void> {
  if (ending) return reap();
  // A client that has cleared up behind itself leaves nothing to wait for.
  const left = await findDoomed(named.values(), settings).catch(() => undefined);
  // Meanwhile another one may have come, or the end, which has its own time.
  if (clients.size > 0 || ending) return;
  if (left?.length === 0) finish(0);
  wait(settings.reconnectionTimeout);
}

/** Reaps after a while, unless a client comes first. */
function wait(ms: number): void {
  clearTimeout(timer);
  timer = setTimeout(() => void reap(), ms);
}

async function reap(): Promise<void> {
  let doomed: Doomed[];
  try {
    doomed = await findDoomed(named.values(), settings);
  } catch (error) {
    say(`cannot list what to remove: ${(error as Error).message}`);
    return ending ? finish(1) : wait(settings.reconnectionTimeout);
  }
  if (clients.size > 0 && !ending) return;
  if (!ending && doomed.some(({ created }) => created > Date.now() - YOUNG_MS))
    return wait(settings.reconnectionTimeout);
  // From here on a client must find another reaper.
  server.close();
  const left = await removeDoomed(doomed, settings);
  for (const one of left) say(`not removed: ${one}`);
  say(`removed ${doomed.length - left.length} of ${doomed.length}`);
  finish(left.length === 0 ? 0 : 1);
}

function finish(code: number): never {
  process.exit(code);
}

function told(): void {
  if (ending) return;
  ending = true;
  server.close();
  wait(clients.size === 0 ? 0 : settings.shutdownTimeout);
}

process.on('SIGTERM', told);
process.on('SIGINT', told);
server.listen(settings.port, () => {
  say(`Started: port ${settings.port}`);
  wait(settings.connectionTimeout);
});
