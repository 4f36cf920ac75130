/**
 * Program that runs on haproxy's host and speaks with its master process, on the command line of that one (management guide 9.4):
 *
 *     node workers.js SOCKET state      prints what the worker says of itself: show info; show stat
 *     node workers.js SOCKET reload     has the configuration loaded again; prints the same of the new worker once it serves
 *     node workers.js SOCKET open       prints the requests that are under way, those of former workers included
 *     node workers.js SOCKET end MS     lets these requests end for so long, then cuts them off; haproxy logs them
 */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Processes, readProcesses, readRequests } from './processes.js';

/** How long haproxy may be silent when it is asked, ms. */
const ASK_MS = 5_000;
/** How long a new worker may take to serve, ms; it takes some 100. */
const RELOAD_MS = 10_000;
const POLL_MS = 10;
/** Commands in one line; haproxy takes a line of 16 kB. */
const BATCH = 100;

const [socket, task, ms] = process.argv.slice(2);

switch (task) {
  case 'state':
    process.stdout.write(await stateOf((await processes()).current));
    break;
  case 'reload':
    process.stdout.write(await reload());
    break;
  case 'open':
    for (const pid of workersOf(await processes())) process.stdout.write(await askWorker(pid, 'show sess all'));
    break;
  case 'end':
    await endRequests(Number(ms));
    break;
  default:
    throw new Error(`unknown task ${task}`);
}

function ask(command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    connect(socket)
      .end(`${command}\n`)
      .setEncoding('utf8')
      .setTimeout(ASK_MS, () => reject(new Error(`haproxy has not answered \`${command}\` for ${ASK_MS / 1000} s`)))
      .on('data', (text) => {
        answer += text;
      })
      .on('end', () => resolve(answer))
      .on('error', reject);
  });
}

async function processes(): Promise<Processes> {
  return readProcesses(await ask('show proc'));
}

function workersOf({ current, former }: Processes): number[] {
  return current === undefined ? former : [current, ...former];
}

/** '' of one that has ended meanwhile. */
function askWorker(pid: number, command: string): Promise<string> {
  return ask(`@!${pid} ${command}`).catch(() => '');
}

async function stateOf(pid: number | undefined): Promise<string> {
  return ask(`@!${pid} show info; show stat`);
}

async function reload(): Promise<string> {
  const before = (await processes()).reloads;
  const deadline = performance.now() + RELOAD_MS;
  // The master starts anew in the middle of its answer.
  await ask('reload').catch(() => '');
  while (performance.now() < deadline) {
    const now = await processes().catch(() => undefined);
    if (now !== undefined && now.reloads > before) {
      if (now.failed > 0) return fail('its new process did not start');
      // It answers once it serves.
      const state = await stateOf(now.current).catch(() => '');
      if (state.includes('Pid: ')) return state;
    }
    await sleep(POLL_MS);
  }
  return fail(`it had not taken up its new configuration after ${RELOAD_MS / 1000} s`);
}

function fail(why: string): never {
  console.error(why);
  process.exit(1);
}

async function endRequests(withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const workers = workersOf(await processes());
    const late = performance.now() >= deadline;
    let open = 0;
    for (const pid of workers) {
      const requests = readRequests(await askWorker(pid, 'show sess'));
      open += requests.length;
      for (let from = 0; late && from < requests.length; from += BATCH) {
        const batch = requests.slice(from, from + BATCH).map((id) => `shutdown session ${id}`);
        await askWorker(pid, batch.join('; '));
      }
    }
    if (open === 0 || late) return;
    await sleep(POLL_MS);
  }
}
