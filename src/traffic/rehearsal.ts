/** A rehearsal on loopback before the run: cold, a sending thread's first second would be spent in the compiler and be late by tens of ms. */
import { once } from 'node:events';
import net from 'node:net';
import type { TrafficPlan } from './engine.js';

/** Distance of the requests, ns: close, yet without a queue. */
const GAP_NS = 0.25e6;

const RESPONSE = 'HTTP/1.1 200 OK\r\nSet-Cookie: sid=warm; Path=/\r\nContent-Length: 2\r\n\r\n{}';

interface RehearsalServer {
  port: number;
  /** Takes no further connections. */
  close(): void;
}

/** A server that answers whatever comes, on loopback; undefined where there is no loopback: the run then tells how late it was. */
export async function rehearsalServer(): Promise<RehearsalServer | undefined> {
  const server = net.createServer((socket) => {
    socket.on('data', () => socket.write(RESPONSE));
    socket.on('error', () => socket.destroy());
  });
  server.listen(0, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return undefined;
  }
  return { port: (server.address() as net.AddressInfo).port, close: () => server.close() };
}

/**
 * A short plan that takes the same way through the code as this one, sent to the rehearsal server.
 * Inside a host that is watched it ends its connections by RST, so that none is left in TIME_WAIT among the host's own.
 * @param requests how many, about
 */
export function rehearsalPlan(plan: TrafficPlan, port: number, requests: number): TrafficPlan {
  const steps = plan.steps.slice(0, requests);
  const visitors = Math.ceil(requests / steps.length);
  return {
    ...plan,
    steps,
    part: undefined,
    close: plan.part !== undefined && plan.clients.every(({ netns }) => netns === null) ? 'reset' : plan.close,
    arrivalsNs: Float64Array.from({ length: visitors }, (_, index) => index * GAP_NS * steps.length),
    thinkTimeMs: 1,
    holdForMs: plan.holdForMs === undefined ? undefined : 1,
    connectTimeoutMs: 1000,
    responseTimeoutMs: 1000,
    retry: { attempts: 0, backoffMs: 0 },
    clients: [{ host: 'rehearsal', netns: null, targets: [{ host: 'rehearsal', address: '127.0.0.1', port }] }],
  };
}
