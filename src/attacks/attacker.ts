/**
 * Program of the `attacker` node: waits for SIGUSR2, then attacks at its rate until a bound is reached, and keeps its report on disk.
 *
 *     ready --SIGUSR2--> attempts, paced --attempts, for, or SIGTERM--> report
 */
import { renameSync, writeFileSync } from 'node:fs';
import type { Attack, AttackSettings } from './attack.js';
import { bruteForce } from './brute-force.js';
import { connectionFlood } from './connection-flood.js';
import { holdConnections } from './hold-connections.js';
import { portScan } from './port-scan.js';
import { type AttackName, type AttackReport, newReport } from './report.js';

/** The program's one argument, as JSON. */
export interface AttackerOptions extends AttackSettings {
  /** Path of the report. */
  report: string;
}

const PACE_MS = 5;
/** The report is this old at most, ms, so that a kill loses little. */
const WRITE_EVERY_MS = 200;
/** Attempts that a late timer may make up for at once. */
const MOST_AT_ONCE = 200;

const MAKE: Record<AttackName, (settings: AttackSettings, report: AttackReport) => Attack> = {
  'port-scan': portScan,
  'hold-connections': holdConnections,
  'connection-flood': connectionFlood,
  'brute-force': bruteForce,
};

const options = JSON.parse(process.argv[2] ?? '') as AttackerOptions;
const report = newReport(options.attack);
const attack = MAKE[options.attack](options, report);
let pace: NodeJS.Timeout | undefined;
let written = '';

function writeReport(): void {
  const text = `${JSON.stringify(report)}\n`;
  if (text === written) return;
  // Renamed into place: a reader never meets half a file.
  writeFileSync(`${options.report}.new`, text);
  renameSync(`${options.report}.new`, options.report);
  written = text;
}

function begin(): void {
  if (pace !== undefined) return;
  const startedMs = performance.now();
  let paced = 0;
  pace = setInterval(() => {
    const sinceMs = performance.now() - startedMs;
    if (sinceMs >= options.forMs || attack.done()) {
      clearInterval(pace);
      return;
    }
    const due = Math.min(Math.floor((sinceMs / 1000) * options.rate) - paced, MOST_AT_ONCE);
    for (let made = 0; made < due; made++) if (!attack.attempt()) break;
    // What could not be made is not made up for: holding what one has is no debt.
    paced += Math.max(0, due);
  }, PACE_MS);
}

process.on('SIGUSR2', begin);
for (const name of ['SIGTERM', 'SIGINT'] as const) {
  process.on(name, () => {
    writeReport();
    process.exit(0);
  });
}
setInterval(writeReport, WRITE_EVERY_MS);
writeReport();
process.stdout.write('ready\n');
