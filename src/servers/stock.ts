/**
 * The sale as a state machine without I/O and without a clock of its own: sessions, held seats, sold tickets.
 *
 *     free --hold--> held --check out--> sold
 *       ^              |
 *       +---expires----+
 *
 * `sold + held <= total` holds after every step, so nothing is ever oversold. The functions change the value they are
 * given, in place: copying it at each step would cost as much as the stock is large.
 */

/** What one visitor's session has come to. */
interface Session {
  hold: { number: number; expiresAt: number } | undefined;
  /** Its last hold has expired unbought. */
  expired: boolean;
  ticket: number | undefined;
}

/** The sale as it stands; made by `newStock`, changed by the steps below. */
export interface Stock {
  readonly total: number;
  /** How long a seat stays held, ms. */
  readonly holdMs: number;
  sold: number;
  holdsMade: number;
  readonly sessions: Map<string, Session>;
  /** Sessions that hold a seat, in the order in which their holds expire (all last equally long). */
  readonly holding: Set<string>;
}

/** Why a step was refused. */
export type Refusal = 'session-lost' | 'sold-out' | 'already-bought' | 'hold-expired' | 'nothing-held';

/** A new sale of `total` seats. */
export function newStock(total: number, holdMs: number): Stock {
  return { total, holdMs, sold: 0, holdsMade: 0, sessions: new Map(), holding: new Set() };
}

/** Seats that can be held now. */
export function remaining(stock: Stock): number {
  return stock.total - stock.sold - stock.holding.size;
}

/** Returns the seats of holds that have run out by `nowMs`. Every step below does so first. */
function expireHolds(stock: Stock, nowMs: number): void {
  for (const id of stock.holding) {
    const session = stock.sessions.get(id)!;
    if (session.hold!.expiresAt > nowMs) return;
    session.hold = undefined;
    session.expired = true;
    stock.holding.delete(id);
  }
}

/** Opens the event page: goes on with a known session, else begins one under `freshId`. */
export function viewEvent(
  stock: Stock,
  nowMs: number,
  id: string | undefined,
  freshId: string,
): { session: string; remaining: number } {
  expireHolds(stock, nowMs);
  const session = id !== undefined && stock.sessions.has(id) ? id : freshId;
  if (!stock.sessions.has(session)) stock.sessions.set(session, { hold: undefined, expired: false, ticket: undefined });
  return { session, remaining: remaining(stock) };
}

/** Begins a session under this id and holds one seat for it. */
export function holdFirstSeat(
  stock: Stock,
  nowMs: number,
  freshId: string,
): { session: string; hold: number } | { refused: Refusal } {
  const { session } = viewEvent(stock, nowMs, undefined, freshId);
  const held = holdSeat(stock, nowMs, session);
  return 'refused' in held ? held : { session, ...held };
}

/** Holds one seat; a session that holds one already keeps that one, so that a repeated request takes no second seat. */
export function holdSeat(stock: Stock, nowMs: number, id: string): { hold: number } | { refused: Refusal } {
  expireHolds(stock, nowMs);
  const session = stock.sessions.get(id);
  if (session === undefined) return { refused: 'session-lost' };
  if (session.ticket !== undefined) return { refused: 'already-bought' };
  if (session.hold !== undefined) return { hold: session.hold.number };
  if (remaining(stock) === 0) return { refused: 'sold-out' };
  stock.holdsMade++;
  session.hold = { number: stock.holdsMade, expiresAt: nowMs + stock.holdMs };
  session.expired = false;
  stock.holding.add(id);
  return { hold: stock.holdsMade };
}

/** Buys the held seat; repeated, it gives the same ticket. Tickets are numbered from 1 in the order of their sale. */
export function checkOut(stock: Stock, nowMs: number, id: string): { ticket: number } | { refused: Refusal } {
  expireHolds(stock, nowMs);
  const session = stock.sessions.get(id);
  if (session === undefined) return { refused: 'session-lost' };
  if (session.ticket !== undefined) return { ticket: session.ticket };
  if (session.hold === undefined) return { refused: session.expired ? 'hold-expired' : 'nothing-held' };
  session.hold = undefined;
  stock.holding.delete(id);
  stock.sold++;
  session.ticket = stock.sold;
  return { ticket: stock.sold };
}

/** The sale in three numbers. */
export function tally(stock: Stock, nowMs: number): { stock: number; sold: number; held: number } {
  expireHolds(stock, nowMs);
  return { stock: stock.total, sold: stock.sold, held: stock.holding.size };
}
