/** Traffic Server keeps log lines back for a second or two, and at its end those that it holds are lost: how they are waited for. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '../../testbed/host.js';
import type { Endpoint } from '../../topology/plan.js';
import { readAccessLine } from './access-log.js';

/** It writes once a second what is older than one (`max_secs_per_buffer`, `periodic_tasks_interval`), ms. */
const WITHIN_MS = 6_000;
const POLL_MS = 20;

/** Opens a connection, begins a request, and goes: that is logged as well, and sent on to nobody. */
const KNOCK = 'exec 3<>"/dev/tcp/$1/$2" && printf "GET " >&3';

/** Resolves when all lines up to now are in the log, or when it has waited for too long: one that is stopped or full logs nothing. */
export async function logsAll(host: Host, { address, port }: Endpoint): Promise<void> {
  const before = knocks(await host.readFile('access.log'), address);
  const deadline = performance.now() + WITHIN_MS;
  await host.run(['timeout', '2', 'bash', '-c', KNOCK, 'bash', address, String(port)]).catch(() => {});
  while (knocks(await host.readFile('access.log'), address) <= before && performance.now() < deadline)
    await sleep(POLL_MS);
}

/** Connections without a request that came from the host itself. */
function knocks(log: string, address: string): number {
  const lines = log.split('\n').flatMap((line) => readAccessLine(line) ?? []);
  return lines.filter(({ id, peer }) => id === undefined && peer.startsWith(`${address}:`)).length;
}
