/** What shop workers and the inventory say to each other: one JSON value per line, replies in the order of their commands. */
import { type Login, type LoginResult, tryLogin } from './login.js';
import { checkOut, holdFirstSeat, holdSeat, type Refusal, type Stock, tally, viewEvent } from './stock.js';

/** A step of the sale or a login. `fresh` is the id that a new session gets; `session` is the visitor's own. */
export type InventoryCommand =
  | { do: 'view'; session: string | undefined; fresh: string }
  | { do: 'hold'; session: string }
  | { do: 'hold-first'; fresh: string }
  | { do: 'checkout'; session: string }
  | { do: 'login'; user: string; password: string }
  | { do: 'tally' };

/** Exactly the fields that the command's step returns. */
export interface InventoryReply {
  session?: string;
  remaining?: number;
  hold?: number;
  ticket?: number;
  stock?: number;
  sold?: number;
  held?: number;
  refused?: Refusal;
  login?: LoginResult;
}

/** Carries a command out. */
export function obey(stock: Stock, login: Login, nowMs: number, command: InventoryCommand): InventoryReply {
  switch (command.do) {
    case 'view':
      return viewEvent(stock, nowMs, command.session, command.fresh);
    case 'hold':
      return holdSeat(stock, nowMs, command.session);
    case 'hold-first':
      return holdFirstSeat(stock, nowMs, command.fresh);
    case 'checkout':
      return checkOut(stock, nowMs, command.session);
    case 'login':
      return { login: tryLogin(login, nowMs, command.user, command.password) };
    case 'tally':
      return tally(stock, nowMs);
  }
}
