/** Runs the sending code hot before it matters: cold, its first second would be spent in the compiler and be late by tens of ms. */
import { once } from 'node:events';
import net from 'node:net';
import type { TrafficPlan } from '../engine.js';
import { outcomes } from '../outcomes.js';
import { startSending } from './loop.js';

/** Enough for V8 to have optimised the way of a request. */
const REQUESTS = 800;
/** Distance of the visitors, ns: close, yet without a queue. */
const GAP_NS = 0.4e6;

const RESPONSE = 'HTTP/1.1 200 OK\r\nSet-Cookie: sid=warm; Path=/\r\nContent-Length: 2\r\n\r\n{}';

/** Sends requests like the plan's to a server of this very thread, on loopback. */
export async function warmUp(plan: TrafficPlan): Promise<void> {
  const server = net.createServer((socket) => {
    socket.on('data', () => socket.write(RESPONSE));
    socket.on('error', () => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    // This namespace has no loopback: the run goes on, and its report tells how late it was.
    return;
  }
  const { port } = server.address() as net.AddressInfo;
  const visitors = Math.ceil(REQUESTS / plan.steps.length);
  const rehearsal: TrafficPlan = {
    ...plan,
    arrivalsNs: Float64Array.from({ length: visitors }, (_, index) => index * GAP_NS * plan.steps.length),
    thinkTimeMs: 1,
    retry: { attempts: 0, backoffMs: 0 },
    clients: [{ host: 'rehearsal', netns: null, targets: [{ host: 'rehearsal', address: '127.0.0.1', port }] }],
  };
  const out = outcomes(visitors, plan.steps.length);
  await startSending(rehearsal, out, Number(process.hrtime.bigint())).finished;
  server.close();
}
