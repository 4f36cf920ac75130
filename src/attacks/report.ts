/** What an attack did and what it met, as numbers: the attacker's own account, kept apart from the visitors' ledger. */

/** The attacks that there are. */
export const ATTACKS = ['port-scan', 'hold-connections', 'connection-flood', 'brute-force'] as const;
/** One of `ATTACKS`, as the knob `attack` names it. */
export type AttackName = (typeof ATTACKS)[number];

/** One attack so far. Every attempt is a connection that was tried; what is still under way is in none of the other counts. */
export interface AttackReport {
  attack: AttackName;
  attempts: number;
  /** Handshakes that finished. */
  connected: number;
  /** Attempts answered by RST. */
  refused: number;
  /** Attempts that nothing answered in time. */
  unanswered: number;
  /** Connections that the other side ended or reset before the attack was done with them. */
  cut: number;
  /** Attempts that failed on the attacker's own side, for want of ports or descriptors. */
  failed: number;
  /** The most connections that it held at a time. */
  held: number;
  /** HTTP answers by status. */
  statuses: Record<string, number>;
  /** Endpoints that a scan found open, `address:port`. */
  open: string[];
  /** What a brute-force attack guessed, and with which attempt. */
  found?: { password: string; attempt: number };
}

/** An attack that has not begun. */
export function newReport(attack: AttackName): AttackReport {
  const counts = { attempts: 0, connected: 0, refused: 0, unanswered: 0, cut: 0, failed: 0, held: 0 };
  return { attack, ...counts, statuses: {}, open: [] };
}

/** Several attackers of one node, or several trials, as one: counts are summed, what was open or found anywhere counts. */
export function mergeReports(reports: AttackReport[]): AttackReport {
  const sum = newReport(reports[0].attack);
  for (const report of reports) {
    for (const count of ['attempts', 'connected', 'refused', 'unanswered', 'cut', 'failed', 'held'] as const)
      sum[count] += report[count];
    for (const [status, times] of Object.entries(report.statuses))
      sum.statuses[status] = (sum.statuses[status] ?? 0) + times;
    sum.open = [...new Set([...sum.open, ...report.open])];
    sum.found ??= report.found;
  }
  return sum;
}
