/** New connections at a rate, each with one request, as fast and as many as its bounds allow. */
import { type Attack, type AttackSettings, openConnection, statusOf } from './attack.js';
import type { AttackReport } from './report.js';

/** Each attempt is a new connection with one GET of `/event`, closed once the status is there. */
export function connectionFlood({ targets, attempts }: AttackSettings, report: AttackReport): Attack {
  return {
    attempt() {
      if (report.attempts >= attempts) return false;
      const target = targets[report.attempts % targets.length];
      openConnection(report, target, {
        connected(socket) {
          socket.write(`GET /event HTTP/1.1\r\nHost: ${target.address}\r\nConnection: close\r\n\r\n`);
        },
        data(socket, text) {
          const status = statusOf(text);
          if (status === undefined) return;
          report.statuses[status] = (report.statuses[status] ?? 0) + 1;
          socket.destroy();
        },
      });
      return true;
    },
    done: () => report.attempts >= attempts,
  };
}
