/** Tries every port of every target: what answers is open, what refuses is closed, what says nothing is filtered. */
import { type Attack, type AttackSettings, openConnection } from './attack.js';
import type { AttackReport } from './report.js';

/** Each attempt is a handshake with the next port, target after target; connections that stand are closed at once. */
export function portScan({ targets, scanPorts, attempts }: AttackSettings, report: AttackReport): Attack {
  const ports = scanPorts.hi - scanPorts.lo + 1;
  const all = Math.min(attempts, ports * targets.length);
  let next = 0;
  return {
    attempt() {
      if (next >= all) return false;
      const { address } = targets[Math.floor(next / ports)];
      const port = scanPorts.lo + (next % ports);
      next++;
      openConnection(
        report,
        { address, port },
        {
          connected(socket) {
            report.open.push(`${address}:${port}`);
            socket.destroy();
          },
        },
      );
      return true;
    },
    done: () => next >= all,
  };
}
