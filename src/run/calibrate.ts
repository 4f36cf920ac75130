/** Measures what this machine can send: short open-loop trials of rising rates, over a virtual cable, against a server of this package. */
import { loadavg } from 'node:os';
import { thenEnd } from '../promises.js';
import { parseScenario } from '../scenario/parse.js';
import type { Scenario } from '../scenario/scenario.js';
import type { Driver } from '../testbed/driver.js';
import { makePlan } from '../topology/make-plan.js';
import { type Outcomes, RequestState } from '../traffic/outcomes.js';
import { socketEngine } from '../traffic/socket/engine.js';
import { type Calibration, type CalibrationStep, newCalibration } from './calibration.js';
import { nextRate, resultOf } from './calibration-steps.js';
import { runTrial } from './trial.js';

/** Arrivals of one step, ms: long enough for a p99 over thousands of connections. */
const STEP_MS = 500;
/** No step begins later than this after the first one, so that all is done within some 15 s. */
const BEGIN_WITHIN_MS = 11_500;
/** A step that lost more than this share of its requests has not been sent. */
const MAY_LOSE = 0.01;

/** What is tried at a rate: the same trial as of any run, watched and recorded alike, with room for all connections at once. */
function scenarioAt(rate: number): Scenario {
  const text = `
name: calibration
topology:
  generator: { kind: client, to: server, ports: 1024-65535 }
  server: { kind: fixed, backlog: 65535, sysctls: { net.core.somaxconn: 65535, net.ipv4.tcp_max_syn_backlog: 65535 } }
traffic:
  from: generator
  journey: view-event
  connections: per-request
  arrivals: [{ for: ${STEP_MS}ms, rate: ${rate}/s }]
  process: uniform
  timeout: { connect: 2s, response: 2s }
`;
  return parseScenario(text, 'calibration', {}, () => '');
}

/** What a calibration needs. */
export interface CalibrateOptions {
  driver: Driver;
  interrupt: AbortSignal;
  /** Called with each step when it is over. */
  onStep(step: CalibrationStep): void;
}

/**
 * Takes some ten to fifteen seconds; undefined when it was interrupted. Lets the driver go at its end.
 * Throws a PortPartyError (exit 3) where a trial cannot be run.
 */
export async function calibrate({ driver, interrupt, onStep }: CalibrateOptions): Promise<Calibration | undefined> {
  const steps: CalibrationStep[] = [];
  const begunMs = performance.now();
  const loadBefore = Number(loadavg()[0].toFixed(2));
  let maxLatenessMs = 0;
  try {
    for (let rate = nextRate(steps); rate !== undefined; rate = nextRate(steps)) {
      if (performance.now() - begunMs > BEGIN_WITHIN_MS) break;
      const [variant] = scenarioAt(rate).variants;
      maxLatenessMs = variant.traffic.maxLatenessMs;
      const step = await stepAt(rate, variant, { driver, interrupt, number: steps.length + 1 });
      if (interrupt.aborted) break;
      steps.push(step);
      onStep(step);
    }
  } catch (error) {
    // What breaks off with an interruption is no fault.
    if (!interrupt.aborted) return await thenEnd(error, () => driver.close());
  }
  await driver.close();
  return interrupt.aborted ? undefined : newCalibration({ loadBefore, maxLatenessMs, ...resultOf(steps), steps });
}

async function stepAt(
  rate: number,
  variant: Scenario['variants'][number],
  { driver, interrupt, number }: { driver: Driver; interrupt: AbortSignal; number: number },
): Promise<CalibrationStep> {
  const trial = `calibration-${number}`;
  const logsRoot = driver.sharedDir('logs', { trial });
  const { outcomes, generator } = await runTrial({
    variant,
    plan: makePlan(variant),
    engine: socketEngine,
    seed: 1,
    idPrefix: String(number),
    build: (plan) => driver.build(plan, { trial, logsRoot }),
    sharedDir: (node) => driver.sharedDir(node, { trial }),
    onProgress() {},
    onBegin() {},
    onEvent() {},
    interrupt,
  });
  const { connectionsPerSecond, dropped } = speedOf(outcomes);
  const late = generator.lateP99Ms > variant.traffic.maxLatenessMs;
  return {
    rate,
    lateP50Ms: Number(generator.lateP50Ms.toFixed(3)),
    lateP99Ms: Number(generator.lateP99Ms.toFixed(3)),
    connectionsPerSecond,
    dropped,
    cpuSecondsPer1000: Number(((generator.cpuSeconds / outcomes.rows) * 1000).toFixed(4)),
    passed: !late && dropped <= MAY_LOSE * outcomes.rows,
  };
}

/** Completed per second, from the first planned moment to the answer of the 99th of 100: one that the kernel repeats after a second says nothing of the rest. */
function speedOf({ dueNs, doneNs, state, rows }: Outcomes): { connectionsPerSecond: number; dropped: number } {
  const done: number[] = [];
  for (let row = 0; row < rows; row++) if (state[row] === RequestState.completed) done.push(doneNs[row] - dueNs[0]);
  const sorted = Float64Array.from(done).sort();
  const count = Math.ceil(0.99 * sorted.length);
  const connectionsPerSecond = count === 0 ? 0 : Math.round(count / (sorted[count - 1] / 1e9));
  return { connectionsPerSecond, dropped: rows - sorted.length };
}
