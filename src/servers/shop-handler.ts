/** The shop's HTTP API: event page, seat hold, checkout, login, and its numbers. */
import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { HttpRequest } from './http-request.js';
import type { HttpResponse } from './http-response.js';
import type { Handler } from './http-server.js';
import type { InventoryClient } from './inventory-client.js';
import type { InventoryCommand, InventoryReply } from './inventory-protocol.js';
import type { LoginResult } from './login.js';
import type { Refusal } from './stock.js';

const EVENT = { event: 'Port Party', price: 49 } as const;

/** Session ids are cut from a block of random bytes, as asking for each would cost more than the request. */
const SESSION_BYTES = 12;
const BLOCK_BYTES = SESSION_BYTES * 256;

/** Tells the client, and through it the ledger, that the answer is due to a session that is not known. */
export const SESSION_LOST_HEADER = 'X-Session-Lost: 1';

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
export function sessionOf(request: HttpRequest): string | undefined {
  const cookies = request.headers.get('cookie');
  return cookies === undefined ? undefined : /(?:^|;\s*)session=([\w-]+)/.exec(cookies)?.[1];
}

interface Route {
  method: 'GET' | 'POST';
  /** Undefined when the request carries no session and needs one. */
  command(session: string | undefined, request: HttpRequest): InventoryCommand | undefined;
  response(reply: InventoryReply, session: string | undefined): HttpResponse;
}

/**
 * Answers the shop's requests out of the inventory; 500 when that cannot be reached. With `localSessions` this process knows only the
 * sessions that it has begun itself, and they go with it.
 */
export function shopHandler(
  inventory: InventoryClient,
  { localSessions, hashTimeMs }: { localSessions: boolean; hashTimeMs: number },
): Handler {
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
      command: (session) => ({ do: 'view', session, fresh: freshSession() }),
      response: (reply, session) =>
        json(
          200,
          { ...EVENT, remaining: reply.remaining },
          reply.session === session ? {} : { headers: [`Set-Cookie: session=${reply.session}; Path=/; HttpOnly`] },
        ),
    },
    '/seats': {
      method: 'POST',
      command: (session) => (session === undefined ? undefined : { do: 'hold', session }),
      response: (reply) => json(201, { hold: reply.hold }),
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
    inventory.ask(command, (reply) => {
      if (localSessions && reply?.session !== undefined) own.add(reply.session);
      if (reply === undefined) answer(json(500, { error: 'the inventory cannot be reached' }));
      else answer(reply.refused === undefined ? route.response(reply, session) : refusal(reply.refused));
    });
  };
}

function refusal(reason: Refusal): HttpResponse {
  const { status, error } = REFUSALS[reason];
  if (reason !== 'session-lost') return json(status, { error });
  return json(status, { error }, { headers: [SESSION_LOST_HEADER], sessionLost: true });
}
