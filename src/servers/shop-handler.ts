/** The shop's HTTP API: event page, seat hold, checkout, login, and its numbers. */
import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { HttpRequest } from './http-request.js';
import type { HttpResponse } from './http-response.js';
import type { Handler } from './http-server.js';
import type { InventoryClient } from './inventory-client.js';
import type { InventoryCommand, InventoryReply } from './inventory-protocol.js';
import type { LoginResult } from './login.js';
import type { StoreVisit } from './request-log.js';
import type { Refusal } from './stock.js';

const EVENT = { event: 'Port Party', price: 49 } as const;

/** Session ids are cut from a block of random bytes, as asking for each would cost more than the request. */
const SESSION_BYTES = 12;
const BLOCK_BYTES = SESSION_BYTES * 256;

/** Tells the client, and through it the ledger, that the answer is due to a session that is not known. */
const SESSION_LOST_HEADER = 'X-Session-Lost: 1';

/** Header of an answer that the store was wanting for, with the try's result. */
const STORE_ERROR_HEADER = 'X-Store-Error';

const REFUSALS: Record<Refusal, { status: number; error: string }> = {
  'session-lost': { status: 503, error: 'session lost' },
  'sold-out': { status: 409, error: 'sold out' },
  'already-bought': { status: 409, error: 'already bought' },
  'hold-expired': { status: 410, error: 'hold expired' },
  'nothing-held': { status: 404, error: 'no seat held' },
};

const json = (status: number, value: unknown, extra: Partial<HttpResponse> = {}): HttpResponse => ({
  status,
  contentType: 'application/json',
  body: `${JSON.stringify(value)}\n`,
  ...extra,
});

const LOGINS: Record<LoginResult, { status: number; body: object }> = {
  right: { status: 200, body: { welcome: true } },
  wrong: { status: 401, body: { error: 'wrong user or password' } },
  locked: { status: 423, body: { error: 'account locked' } },
  throttled: { status: 429, body: { error: 'too many logins' } },
};

/** Keeps the process busy, as a password hash that is slow on purpose (bcrypt, scrypt) does: nobody else is served meanwhile. */
function hash(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

/** The value of the cookie `session`, undefined when there is none. */
function sessionOf(request: HttpRequest): string | undefined {
  const cookies = request.headers.get('cookie');
  return cookies === undefined ? undefined : /(?:^|;\s*)session=([\w-]+)/.exec(cookies)?.[1];
}

interface Route {
  method: 'GET' | 'POST';
  /** Undefined when the request carries no session and needs one. */
  command(session: string | undefined, request: HttpRequest): InventoryCommand | undefined;
  response(reply: InventoryReply, session: string | undefined): HttpResponse;
}

/** The page on which a visitor gets a session: the event page, or (so that caches may keep that one) the first seat. */
export type SessionPage = 'event' | 'seat';

/** How a shop deals with sessions and logins. */
export interface ShopRules {
  sessionAt: SessionPage;
  /** This process knows only the sessions that it has begun itself, and they go with it. */
  localSessions: boolean;
  /** What comparing a password takes, ms of this process. */
  hashTimeMs: number;
}

/** Answers the shop's requests out of the inventory; 500 when that cannot be reached. */
export function shopHandler(inventory: InventoryClient, { sessionAt, localSessions, hashTimeMs }: ShopRules): Handler {
  let block = Buffer.alloc(0);
  let used = 0;
  const own = new Set<string>();

  function freshSession(): string {
    if (used + SESSION_BYTES > block.length) {
      block = randomBytes(BLOCK_BYTES);
      used = 0;
    }
    used += SESSION_BYTES;
    return block.toString('base64url', used - SESSION_BYTES, used);
  }

  const routes: Record<string, Route> = {
    '/event': {
      method: 'GET',
      command: (session) => (sessionAt === 'event' ? { do: 'view', session, fresh: freshSession() } : { do: 'tally' }),
      response: (reply, session) => {
        const { stock = 0, sold = 0, held = 0, remaining = stock - sold - held } = reply;
        return json(200, { ...EVENT, remaining }, sessionCookie(reply, session));
      },
    },
    '/seats': {
      method: 'POST',
      command: (session, request) => {
        if (session !== undefined) return { do: 'hold', session };
        // Somebody who brings a session that is gone is told so, and not given another one.
        const first = sessionAt === 'seat' && sessionOf(request) === undefined;
        return first ? { do: 'hold-first', fresh: freshSession() } : undefined;
      },
      response: (reply, session) => json(201, { hold: reply.hold }, sessionCookie(reply, session)),
    },
    '/checkout': {
      method: 'POST',
      command: (session) => (session === undefined ? undefined : { do: 'checkout', session }),
      response: (reply) => json(200, { ticket: reply.ticket }),
    },
    '/login': {
      method: 'POST',
      command: (_session, { body }) => {
        const form = new URLSearchParams(body);
        return { do: 'login', user: form.get('user') ?? '', password: form.get('password') ?? '' };
      },
      response: ({ login = 'wrong' }) => {
        // Where an account is locked, no password is compared.
        if (login === 'right' || login === 'wrong') hash(hashTimeMs);
        const { status, body } = LOGINS[login];
        return json(status, body);
      },
    },
    '/stats': {
      method: 'GET',
      command: () => ({ do: 'tally' }),
      response: (reply) => json(200, reply, { logged: false }),
    },
  };

  return (request, answer) => {
    const route = Object.hasOwn(routes, request.path) ? routes[request.path] : undefined;
    if (route === undefined) return answer(json(404, { error: 'no such page' }));
    if (request.method !== route.method) {
      return answer(json(405, { error: `use ${route.method}` }, { headers: [`Allow: ${route.method}`] }));
    }
    const told = sessionOf(request);
    const session = told !== undefined && localSessions && !own.has(told) ? undefined : told;
    const command = route.command(session, request);
    if (command === undefined) return answer(refusal('session-lost'));
    inventory.ask(command, (reply, store) => {
      if (localSessions && reply?.session !== undefined) own.add(reply.session);
      if (reply === undefined) answer({ ...unreachable(store), store });
      else
        answer({ ...(reply.refused === undefined ? route.response(reply, session) : refusal(reply.refused)), store });
    });
  };
}

/** Tells a visitor of a session that has just begun. */
function sessionCookie(reply: InventoryReply, known: string | undefined): Partial<HttpResponse> {
  if (reply.session === undefined || reply.session === known) return {};
  return { headers: [`Set-Cookie: session=${reply.session}; Path=/; HttpOnly`] };
}

/** Tells the client in a header why, as an application's error page would not. */
function unreachable(store: StoreVisit | undefined): HttpResponse {
  const failed = store?.tries.at(-1);
  const headers = failed && [`${STORE_ERROR_HEADER}: ${failed.result}`];
  return json(500, { error: 'the inventory cannot be reached' }, { headers });
}

function refusal(reason: Refusal): HttpResponse {
  const { status, error } = REFUSALS[reason];
  if (reason !== 'session-lost') return json(status, { error });
  return json(status, { error }, { headers: [SESSION_LOST_HEADER], sessionLost: true });
}
