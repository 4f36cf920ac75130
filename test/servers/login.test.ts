/** The shop's login: right and wrong, locked and throttled, on a clock of the test's own. */
import { describe, expect, it } from 'vitest';
import { type LoginOptions, newLogin, tryLogin } from '../../src/servers/login.js';

function loginOf(changes: Partial<LoginOptions> = {}) {
  const options = { user: 'organiser', password: 'right', lockAfter: undefined, lockForMs: 1000, rateLimit: undefined };
  const login = newLogin({ ...options, ...changes });
  return (ms: number, password: string, user = 'organiser') => tryLogin(login, ms, user, password);
}

describe('a login', () => {
  it('is right with the right password of the right user only', () => {
    const tried = loginOf();
    expect([tried(0, 'right'), tried(0, 'left'), tried(0, 'right', 'visitor')]).toEqual(['right', 'wrong', 'wrong']);
  });

  it('is locked after so many wrong passwords in a row, whatever comes then, until the time is over', () => {
    const tried = loginOf({ lockAfter: 3 });
    expect([tried(0, 'a'), tried(1, 'b'), tried(2, 'c'), tried(3, 'right'), tried(1001, 'right')]).toEqual([
      'wrong',
      'wrong',
      'wrong',
      'locked',
      'locked',
    ]);
    expect(tried(1002, 'right')).toBe('right');
  });

  it('forgets wrong passwords with the right one', () => {
    const tried = loginOf({ lockAfter: 2 });
    expect([tried(0, 'a'), tried(1, 'right'), tried(2, 'b'), tried(3, 'right')]).toEqual([
      'wrong',
      'right',
      'wrong',
      'right',
    ]);
  });

  it('is looked at so often only, account by account', () => {
    const tried = loginOf({ rateLimit: { rate: 2, burst: 1 } });
    expect([tried(0, 'a'), tried(0, 'b'), tried(0, 'right'), tried(0, 'c', 'other')]).toEqual([
      'wrong',
      'wrong',
      'throttled',
      'wrong',
    ]);
    expect([tried(500, 'right'), tried(600, 'right')]).toEqual(['right', 'throttled']);
  });
});
