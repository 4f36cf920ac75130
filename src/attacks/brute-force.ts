/** Guesses the password of an account at the shop's login: `guess-1`, `guess-2`, …, until one is right or its bounds are reached. */
import { type Attack, type AttackSettings, openConnection, statusOf } from './attack.js';
import type { AttackReport } from './report.js';

/** Each attempt is a new connection with one POST to `/login`; the statuses are counted, and 200 is the password found. */
export function bruteForce({ targets, attempts, user }: AttackSettings, report: AttackReport): Attack {
  const over = () => report.found !== undefined || report.attempts >= attempts;
  return {
    attempt() {
      if (over()) return false;
      const target = targets[report.attempts % targets.length];
      const attempt = report.attempts + 1;
      const password = `guess-${attempt}`;
      openConnection(report, target, {
        connected(socket) {
          const body = new URLSearchParams({ user, password }).toString();
          socket.write(
            `POST /login HTTP/1.1\r\nHost: ${target.address}\r\nConnection: close\r\n` +
              `Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
          );
        },
        data(socket, text) {
          const status = statusOf(text);
          if (status === undefined) return;
          report.statuses[status] = (report.statuses[status] ?? 0) + 1;
          if (status === '200') report.found ??= { password, attempt };
          socket.destroy();
        },
      });
      return true;
    },
    done: over,
  };
}
