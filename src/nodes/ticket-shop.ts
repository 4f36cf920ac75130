/** `ticket-shop`: the application behind the sale: event page, seat hold, checkout, a stock that is never oversold. */
import { z } from 'zod';
import { testbedError } from '../errors.js';
import { duration } from '../scenario/units.js';
import type { InventoryOptions } from '../servers/inventory.js';
import type { TicketShopOptions } from '../servers/ticket-shop.js';
import { MAX_SOCKET_PATH } from '../servers/unix-socket.js';
import type { Host, HostProcess } from '../testbed/host.js';
import { defineKind } from './kind.js';
import { backlog, close, commonKnobs, count, serviceTime, serviceTimeOf, serviceTimeProblems } from './knobs.js';
import {
  awaitListening,
  DEFAULT_BACKLOG,
  listenOf,
  REQUEST_LOG,
  readRequestLog,
  runningServers,
  spawnServer,
} from './server-daemon.js';

/** The sale's numbers, in the log folder of the node's first host. */
const TICKETS_FILE = 'tickets.json';

export const ticketShop = defineKind({
  kind: 'ticket-shop',
  layer: 'server',
  summary: 'The ticket sale: event page, seat hold, checkout; all hosts of the node sell from one stock.',
  commands: {},
  image: 'ticket-shop',
  knobs: z.strictObject({
    ...commonKnobs,
    /** Stock of the sale, shared by all hosts of the node. */
    tickets: count(0).default(1000),
    serviceTime,
    /** How long a held seat stays reserved without a checkout, ms. */
    holdTime: duration.default(120_000),
    close,
    backlog,
    /** Server processes per host. They share the port (SO_REUSEPORT), and each has an accept queue of `backlog` of its own. */
    workers: count(1, 64).default(1),
    /** How long an idle connection is kept, ms. */
    keepaliveTimeout: duration.default(75_000),
    /** The page that begins a visitor's session, by a cookie: a cache does not keep an answer that sets one. */
    sessionAt: z.enum(['event', 'seat']).default('event'),
  }),
  refuse: serviceTimeProblems,
  async start({ host, planned, spec, listen, sharedDir }) {
    const { address, port } = listenOf(host, listen);
    const socket = `${sharedDir}/inventory.sock`;
    if (Buffer.byteLength(socket) > MAX_SOCKET_PATH) {
      throw testbedError(
        `the path of the inventory's socket is too long: ${socket}`,
        host.name,
        `at most ${MAX_SOCKET_PATH} bytes fit; use a shorter temporary folder (TMPDIR)`,
      );
    }
    const started: HostProcess[] = [];
    // The node's first host keeps the stock for all of them; the others' workers wait for its socket.
    if (planned.index === 0) {
      const options: InventoryOptions = {
        tickets: spec.tickets,
        holdTimeMs: spec.holdTime,
        socket,
        ticketsFile: `${host.logDir}/${TICKETS_FILE}`,
      };
      const inventory = await spawnServer(host, 'inventory', options, { label: 'inventory', openFiles: undefined });
      await awaitListening(host, inventory, 'inventory');
      started.push(inventory);
    }
    const options: TicketShopOptions = {
      address,
      port,
      backlog: spec.backlog ?? DEFAULT_BACKLOG,
      reusePort: spec.workers > 1,
      serviceTimeMs: serviceTimeOf(spec, planned.index),
      close: spec.close,
      keepaliveTimeoutMs: spec.keepaliveTimeout,
      workers: undefined,
      inventory: socket,
      sessionAt: spec.sessionAt,
      log: `${host.logDir}/${REQUEST_LOG}`,
    };
    const labels = Array.from({ length: spec.workers }, (_, index) => `shop-${index}`);
    const workers = await Promise.all(
      labels.map((label) => spawnServer(host, 'ticket-shop', options, { label, openFiles: spec.openFiles })),
    );
    await Promise.all(workers.map((worker, index) => awaitListening(host, worker, labels[index])));
    // Ended in this order, the workers have their last answers before the inventory goes.
    return runningServers([...workers, ...started]);
  },
  readLogs: readRequestLog,
});

/** How many tickets the node has sold, from its first host; undefined on its other hosts, or when the sale never began. */
export async function readTickets(host: Host): Promise<{ stock: number; sold: number } | undefined> {
  const text = await host.readFile(TICKETS_FILE);
  if (text === '') return undefined;
  const { stock, sold } = JSON.parse(text) as { stock: number; sold: number };
  return { stock, sold };
}
