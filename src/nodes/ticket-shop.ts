/** `ticket-shop`: the application behind the sale: event page, seat hold, checkout, a stock that is never oversold. */
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { testbedError } from '../errors.js';
import { duration } from '../scenario/units.js';
import type { InventoryOptions } from '../servers/inventory.js';
import type { RedisInventoryOptions } from '../servers/redis-inventory.js';
import type { TicketShopOptions } from '../servers/ticket-shop.js';
import { MAX_SOCKET_PATH } from '../servers/unix-socket.js';
import type { Host, HostProcess } from '../testbed/host.js';
import type { Endpoint } from '../topology/plan.js';
import { defineKind } from './kind.js';
import {
  backlog,
  close,
  commonKnobs,
  count,
  rateLimit,
  serviceTime,
  serviceTimeOf,
  serviceTimeProblems,
} from './knobs.js';
import { readRequestLog } from './read-request-log.js';
import {
  awaitListening,
  CONTROL_FILE,
  DEFAULT_BACKLOG,
  listenOf,
  REQUEST_LOG,
  spawnServer,
  startServers,
} from './server-daemon.js';
import { refuseStoreKnobs, STORE_TIMEOUT_MS, type StoreSpec, storeKnobs } from './store-knobs.js';

/** The sale's numbers, in the log folder of the node's first host. */
const TICKETS_FILE = 'tickets.json';

const login = z
  .strictObject(
    {
      user: z.string().default('organiser'),
      password: z.string().default('correct-horse'),
      /** What comparing a password takes, ms: the server process does nothing else meanwhile. */
      hashTime: duration.default(0),
      /** Wrong passwords in a row after which the account is locked. */
      lockAfter: count(1).optional(),
      /** For how long, ms. */
      lockFor: duration.default(60_000),
      rateLimit,
    },
    { error: 'expected an account; write it like { password: guess-80, lockAfter: 5 }' },
  )
  .prefault({});

/** The kind `ticket-shop`: its workers (`servers/ticket-shop.ts`), and the one inventory or Redis that all of them ask. */
export const ticketShop = defineKind({
  kind: 'ticket-shop',
  layer: 'server',
  summary: 'The ticket sale: event page, seat hold, checkout; all hosts of the node sell from one stock.',
  commands: {},
  image: 'ticket-shop',
  defaultBacklog: DEFAULT_BACKLOG,
  live: ['serviceTime'],
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
    /** The account of `POST /login`, and how it is protected. */
    login,
    /** Who knows a visitor's session: all hosts of the node, or only the one that began it, whose end is its end. */
    sessions: z.enum(['shared', 'local']).default('shared'),
    ...storeKnobs,
  }),
  refuse(spec) {
    const problems = [...serviceTimeProblems(spec), ...refuseStoreKnobs(spec)];
    if (spec.inventory === 'redis' && !isDeepStrictEqual(spec.login, login.parse(undefined)))
      problems.push({
        path: ['login'],
        message: 'the account of `login` is kept by the shop of `inventory: memory`, not by a store',
        hint: 'leave out `login`, or use `inventory: memory`',
      });
    if (spec.sessions === 'shared' || spec.workers === 1) return problems;
    const message = 'with `sessions: local` each worker would know only its own, and the kernel picks the worker';
    return [...problems, { path: ['sessions'], message, hint: 'use `workers: 1` and more `hosts`' }];
  },
  async start({ host, planned, spec, listen, backends, sharedDir }) {
    const { address, port } = listenOf(host, listen);
    const socket = `${sharedDir}/inventory.sock`;
    if (spec.inventory === 'memory' && Buffer.byteLength(socket) > MAX_SOCKET_PATH) {
      throw testbedError(
        `the path of the inventory's socket is too long: ${socket}`,
        host.name,
        `at most ${MAX_SOCKET_PATH} bytes fit; use a shorter temporary folder (TMPDIR)`,
      );
    }
    const started: HostProcess[] = [];
    // The node's first host keeps the stock for all of them; the others' workers wait for its socket.
    if (spec.inventory === 'memory' && planned.index === 0) {
      const options: InventoryOptions = {
        tickets: spec.tickets,
        holdTimeMs: spec.holdTime,
        login: {
          user: spec.login.user,
          password: spec.login.password,
          lockAfter: spec.login.lockAfter,
          lockForMs: spec.login.lockFor,
          rateLimit: spec.login.rateLimit,
        },
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
      inventory: spec.inventory === 'memory' ? socket : storeOptions(spec, planned.node, backends[0]),
      sessionAt: spec.sessionAt,
      localSessions: spec.sessions === 'local',
      hashTimeMs: spec.login.hashTime,
      log: `${host.logDir}/${REQUEST_LOG}`,
      control: `${host.logDir}/${CONTROL_FILE}`,
    };
    const workers = Array.from({ length: spec.workers }, (_, index) => ({
      program: 'ticket-shop',
      options,
      label: `shop-${index}`,
      openFiles: spec.openFiles,
    }));
    // The inventory stands for the shop's database: what happens to a server leaves it alone.
    return startServers(host, workers, started);
  },
  readLogs: readRequestLog,
});

/** How this node's workers ask their store. */
function storeOptions(spec: StoreSpec, shop: string, { address, port }: Endpoint): RedisInventoryOptions {
  return {
    address,
    port,
    shop,
    tickets: spec.tickets,
    holdTimeMs: spec.holdTime,
    pool: typeof spec.pool === 'number' ? spec.pool : undefined,
    connectTimeoutMs: spec.connectTimeout ?? STORE_TIMEOUT_MS,
    responseTimeoutMs: spec.responseTimeout ?? STORE_TIMEOUT_MS,
    queueTimeoutMs: spec.queueTimeout,
  };
}

/** How many tickets the node has sold, from its first host; undefined on its other hosts, or when the sale never began. */
export async function readTickets(host: Host): Promise<{ stock: number; sold: number } | undefined> {
  const text = await host.readFile(TICKETS_FILE);
  if (text === '') return undefined;
  const { stock, sold } = JSON.parse(text) as { stock: number; sold: number };
  return { stock, sold };
}
