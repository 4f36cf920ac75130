/**
 * Program that runs on haproxy's host and speaks with its master process, on the command line of that one (management guide 9.4):
 *
 *     node workers.js SOCKET state      prints what the worker says of itself: show info; show stat
 *     node workers.js SOCKET reload     has the configuration loaded again; prints the same of the new worker once it serves
 *     node workers.js SOCKET open       prints the requests that are under way, those of former workers included
 *     node workers.js SOCKET end MS     lets these requests end for so long, then cuts them off (haproxy logs them), and ends haproxy
 */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Processes, readProcesses, readRequests } from './processes.js';

/** How long haproxy may be silent when it is asked, ms. */
const ASK_MS = 5_000;
/** How long a new worker may take to serve, ms; it takes some 100. */
const RELOAD_MS = 10_000;
const POLL_MS = 10;
/** How long workers may take to log what has been cut off, ms. */
const LAST_LINES_MS = 2_000;

const [socket, task, ms] = process.argv.slice(2);

try {
  await run();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}

async function run(): Promise<void> {
  switch (task) {
    case 'state':
      process.stdout.write(await stateOf((await processes()).current));
      return;
    case 'reload':
      process.stdout.write(await reload());
      return;
    case 'open':
      for (const pid of workersOf(await processes())) process.stdout.write(await askFormer(pid, ['show sess all']));
      return;
    case 'end':
      await endRequests(Number(ms));
      // To the master alone: a worker that hears it twice ends on the spot.
      process.kill((await processes()).master, 'SIGUSR1');
      return;
    default:
      throw new Error(`unknown task ${task}`);
  }
}

/** The answers to commands, each on a line of its own: the master hands on no more than one from a line. */
function ask(...commands: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const connection = connect(socket);
    const silent = () =>
      connection.destroy(new Error(`haproxy has not answered \`${commands[0]}\` for ${ASK_MS / 1000} s`));
    connection
      .end(`${commands.join('\n')}\n`)
      .setEncoding('utf8')
      .setTimeout(ASK_MS, silent)
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

function askWorker(pid: number | undefined, commands: string[]): Promise<string> {
  return ask(...commands.map((command) => `@!${pid} ${command}`));
}

/** The same of one that may have ended meanwhile: ''. */
function askFormer(pid: number, commands: string[]): Promise<string> {
  return askWorker(pid, commands).catch(() => '');
}

function stateOf(pid: number | undefined): Promise<string> {
  return askWorker(pid, ['show info', 'show stat']);
}

async function reload(): Promise<string> {
  const before = (await processes()).reloads;
  const deadline = performance.now() + RELOAD_MS;
  // The master starts anew in the middle of its answer.
  await ask('reload').catch(() => '');
  while (performance.now() < deadline) {
    const now = await processes().catch(() => undefined);
    if (now !== undefined && now.reloads > before) {
      if (now.failed > 0) throw new Error('its new process did not start');
      // It answers once it serves.
      const state = await stateOf(now.current).catch(() => '');
      if (state.includes('Pid: ')) return state;
    }
    await sleep(POLL_MS);
  }
  throw new Error(`it had not taken up its new configuration after ${RELOAD_MS / 1000} s`);
}

/** Until no request is under way, and the workers that were told to end before have ended: told again they would not log the rest. */
async function endRequests(withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const told = await processes();
    const late = performance.now() >= deadline;
    let open = 0;
    for (const pid of workersOf(told)) {
      const requests = readRequests(await askFormer(pid, ['show sess']));
      open += requests.length;
      if (late && requests.length > 0)
        await askFormer(
          pid,
          requests.map((id) => `shutdown session ${id}`),
        );
    }
    if (open === 0 && told.former.length === 0) return;
    if (performance.now() >= deadline + LAST_LINES_MS) return;
    await sleep(POLL_MS);
  }
}
