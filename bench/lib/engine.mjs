/**
 * The product's engines in a process of their own, so that all of its CPU and memory can be told: main thread, compiler and collector
 * included. This file is that process as well: `node bench/lib/engine.mjs JOB`, and its last line is the result as JSON.
 */
import { fileURLToPath } from 'node:url';
import { raiseDescriptorLimit } from '../../dist/sys/descriptors.js';
import { RequestState } from '../../dist/traffic/outcomes.js';
import { arrivalTimes } from '../../dist/traffic/schedule.js';
import { splitPlan } from '../../dist/traffic/split.js';

const SELF = fileURLToPath(import.meta.url);
const LEAD_NS = 20_000_000n;

/**
 * argv of a process that does `job`:
 * - `engine`, `netns`, `address`, `port`, `connections` (as in a plan), `close`;
 * - `visitors` that all come at once and send `steps` requests each, one after the other: so many connections in a closed loop; or
 *   `rate` and `seconds`, evenly;
 * - `holdForMs`; `part: [index, of]`, its share of the whole plan; `sendOn`, the core of the sending thread.
 */
export const engineArgv = (job) => [process.execPath, SELF, JSON.stringify(job)];

function planOf(job) {
  const { visitors, steps = 1, rate, seconds, address, port, netns } = job;
  const step = (index) => ({ name: `request-${index}`, method: 'GET', path: '/', body: '' });
  const target = { host: 'target', address, port };
  const plan = {
    arrivalsNs:
      rate === undefined
        ? new Float64Array(visitors)
        : arrivalTimes([{ forMs: seconds * 1000, rate: { from: rate, to: rate } }], 'uniform', 1),
    closedLoop: undefined,
    steps: Array.from({ length: steps }, (_, index) => step(index)),
    holdForMs: job.holdForMs,
    thinkTimeMs: 0,
    connections: job.connections ?? { mode: 'per-request' },
    close: job.close ?? 'client',
    connectTimeoutMs: 10_000,
    responseTimeoutMs: 10_000,
    retry: { attempts: 0, backoffMs: 0 },
    clients: [{ host: 'generator', netns, targets: [target] }],
    idPrefix: '0.1',
    sendOn: job.sendOn,
  };
  if (job.part === undefined) return plan;
  const [index, of] = job.part;
  return splitPlan(plan, of)[index];
}

/** Only the one that is wanted: loading the others is no part of its start-up. */
async function engineOf({ engine }) {
  const { [`${engine}Engine`]: found } = await import(`../../dist/traffic/${engine}/engine.js`);
  return found;
}

/** Why the engine does not send this job; undefined where it does. */
export const refusalOf = async (job) => (await engineOf(job)).refuses(planOf(job));

async function main(job) {
  raiseDescriptorLimit();
  const engine = await engineOf(job);
  const prepared = await engine.prepare(planOf(job));
  const startUp = process.cpuUsage();
  const began = performance.now();
  const report = await prepared.run(process.hrtime.bigint() + LEAD_NS);
  const sendingMs = performance.now() - began;
  const sending = process.cpuUsage(startUp);
  const { rows, state, error } = prepared.outcomes;
  let completed = 0;
  let dropped = 0;
  const errors = {};
  for (let row = 0; row < rows; row++) {
    if (state[row] === RequestState.completed) completed++;
    if (state[row] !== RequestState.dropped) continue;
    dropped++;
    errors[error[row]] = (errors[error[row]] ?? 0) + 1;
  }
  await prepared.close();
  const seconds = ({ user, system }) => ({ user: user / 1e6, system: system / 1e6, total: (user + system) / 1e6 });
  console.log(
    JSON.stringify({
      report,
      planned: rows,
      completed,
      dropped,
      errors,
      sendingMs,
      startUp: seconds(startUp),
      sending: seconds(sending),
    }),
  );
}

if (process.argv[1] === SELF) await main(JSON.parse(process.argv[2]));
