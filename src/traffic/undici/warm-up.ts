/** Runs the undici engine's code hot, with a server of this very thread. */
import type { TrafficPlan } from '../engine.js';
import { outcomes } from '../outcomes.js';
import { rehearsalPlan, rehearsalServer } from '../rehearsal.js';
import { startSending } from './loop.js';

/** Enough for V8 to have optimised the way of a request. */
const REQUESTS = 800;

/** Sends requests like the plan's to loopback. */
export async function warmUp(plan: TrafficPlan): Promise<void> {
  const server = await rehearsalServer();
  if (server === undefined) return;
  const rehearsal = rehearsalPlan(plan, server.port, REQUESTS);
  const out = outcomes(rehearsal.arrivalsNs.length, rehearsal.steps.length);
  await startSending(rehearsal, out, Number(process.hrtime.bigint())).finished;
  server.close();
}
