/** Traffic Server keeps log lines back for a second or two, and at its end those that it holds are lost: how they are waited for. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '../../testbed/host.js';
import type { Endpoint } from '../../topology/plan.js';
import { readAccessLine } from './access-log.js';

/** It writes once a second what is older than one (`max_secs_per_buffer`, `periodic_tasks_interval`), ms. */
const WITHIN_MS = 6_000;
const POLL_MS = 50;

/** One after the other its threads take connections: so many that each of them gets one, and has done before all that came before. */
const KNOCKS = 32;

/**
 * Opens connections, begins a request on each, and goes: these are logged as well, and sent on to nobody. Says how many there were: a host
 * with few ports has no more.
 */
const KNOCK =
  'for _ in $(seq "$3"); do exec 3<>"/dev/tcp/$1/$2" || break; printf "GET " >&3; echo; done 2>/dev/null; exit 0';

/** Resolves when all lines up to now are in the log, or when it has waited for too long: one that is stopped or full logs nothing. */
export async function logsAll(host: Host, { address, port }: Endpoint): Promise<void> {
  const { length } = await host.readFile('access.log');
  const deadline = performance.now() + WITHIN_MS;
  const argv = ['timeout', '2', 'bash', '-c', KNOCK, 'bash', address, String(port), String(KNOCKS)];
  const { stdout } = await host.run(argv).catch(() => ({ stdout: '' }));
  while (performance.now() < deadline) {
    const since = (await host.readFile('access.log')).slice(length).split('\n');
    if (since.filter((line) => isKnock(line, address)).length >= Math.max(1, stdout.length)) return;
    await sleep(POLL_MS);
  }
}

/** A connection without a request that came from the host itself. */
function isKnock(line: string, address: string): boolean {
  const access = readAccessLine(line);
  return access !== undefined && access.id === undefined && access.peer.startsWith(`${address}:`);
}
