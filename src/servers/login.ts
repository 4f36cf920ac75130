/** The shop's login as a state machine without I/O and without a clock of its own: passwords, failures in a row, locked accounts. */

/** The one account that there is, and what protects it. */
export interface LoginOptions {
  user: string;
  password: string;
  /** Wrong passwords in a row after which the account is locked; undefined: never. */
  lockAfter: number | undefined;
  /** For how long, ms. */
  lockForMs: number;
  /** Logins of one account that are looked at: `rate` per second in the long run, `burst` beyond it at once. Undefined: all. */
  rateLimit: { rate: number; burst: number } | undefined;
}

/** What became of a login: `wrong` for an unknown user as well, so that nobody learns which users there are. */
export type LoginResult = 'right' | 'wrong' | 'locked' | 'throttled';

interface Account {
  failures: number;
  lockedUntilMs: number;
  /** Logins that may come at once, as of `countedMs`. */
  tokens: number;
  countedMs: number;
}

/** Accounts by the user's name, unknown users included; made by `newLogin`, changed by `tryLogin`. */
export interface Login {
  readonly options: LoginOptions;
  readonly accounts: Map<string, Account>;
}

/** A login that nobody has tried. */
export function newLogin(options: LoginOptions): Login {
  return { options, accounts: new Map() };
}

/** Tries a password. A locked or throttled account is not looked at, whatever the password. */
export function tryLogin({ options, accounts }: Login, nowMs: number, user: string, password: string): LoginResult {
  const most = 1 + (options.rateLimit?.burst ?? 0);
  const account = accounts.get(user) ?? { failures: 0, lockedUntilMs: 0, tokens: most, countedMs: nowMs };
  accounts.set(user, account);
  if (nowMs < account.lockedUntilMs) return 'locked';
  if (options.rateLimit !== undefined) {
    const since = (nowMs - account.countedMs) / 1000;
    account.tokens = Math.min(most, account.tokens + since * options.rateLimit.rate);
    account.countedMs = nowMs;
    if (account.tokens < 1) return 'throttled';
    account.tokens--;
  }
  if (user === options.user && password === options.password) {
    account.failures = 0;
    return 'right';
  }
  account.failures++;
  if (options.lockAfter !== undefined && account.failures >= options.lockAfter) {
    account.failures = 0;
    account.lockedUntilMs = nowMs + options.lockForMs;
  }
  return 'wrong';
}
