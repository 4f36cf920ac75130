/** What this machine was measured to send (`portparty doctor --bench`), kept with the facts that it holds for. */
import { mkdirSync, readFileSync } from 'node:fs';
import { cpus, homedir, release } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { writeWhole } from '../record/run-files.js';
import type { Engine } from '../traffic/engine.js';

/** Value of `schema`, for readers to check. */
const CALIBRATION_SCHEMA = 'portparty/calibration@1';

/** What a measurement holds for. */
export interface MachineFacts {
  cpus: number;
  /** The processor as it calls itself. */
  model: string;
  kernel: string;
  node: string;
}

/** One rate that was tried. */
export interface CalibrationStep {
  /** New connections per second that were planned. */
  rate: number;
  /** Actual minus planned moment of sending, ms. */
  lateP50Ms: number;
  lateP99Ms: number;
  /** New connections per second that were opened, answered and closed. */
  connectionsPerSecond: number;
  /** Requests that got no answer. */
  dropped: number;
  /** CPU seconds of the sending thread per 1,000 connections. */
  cpuSecondsPer1000: number;
  passed: boolean;
}

/** The file `calibration.json`, and what `portparty doctor --bench --json` prints. */
export interface Calibration {
  schema: typeof CALIBRATION_SCHEMA;
  measuredAt: string;
  machine: MachineFacts;
  /** Load average over the minute before (proc_loadavg(5)): how busy others kept the machine. */
  loadBefore: number;
  engine: Engine['name'];
  /** Limit of the lateness, p99 in ms: what a scenario has where it says nothing. */
  maxLatenessMs: number;
  /** The highest rate that was sent on time; null where none was. */
  steadyPerSecond: number | null;
  /** No higher one was tried, or there was no time left to. */
  isAtLeast: boolean;
  /** The most new connections that came about per second, on time or not. */
  connectionsPerSecond: number;
  steps: CalibrationStep[];
}

/** The facts of this machine. */
export function machineFacts(): MachineFacts {
  const all = cpus();
  return { cpus: all.length, model: all[0]?.model.trim() ?? 'unknown', kernel: release(), node: process.versions.node };
}

/** A calibration of now. */
export function newCalibration(result: Omit<Calibration, 'schema' | 'measuredAt' | 'machine' | 'engine'>): Calibration {
  return {
    schema: CALIBRATION_SCHEMA,
    measuredAt: new Date().toISOString(),
    machine: machineFacts(),
    engine: 'socket',
    ...result,
  };
}

/** What is not as it was, in words; empty while the measurement holds. */
export function differencesSince({ machine: then }: Calibration, now: MachineFacts): string[] {
  const names: Record<keyof MachineFacts, string> = {
    cpus: 'CPUs',
    model: 'processor',
    kernel: 'kernel',
    node: 'Node.js',
  };
  return (Object.keys(names) as (keyof MachineFacts)[])
    .filter((fact) => then[fact] !== now[fact])
    .map((fact) => `${names[fact]} ${then[fact]} then, ${now[fact]} now`);
}

/** Where it is kept: `portparty/calibration.json` in $XDG_STATE_HOME, ~/.local/state unless that is set (XDG Base Directory Specification 0.8). */
export function calibrationFile(environment: NodeJS.ProcessEnv = process.env): string {
  const asked = environment.XDG_STATE_HOME ?? '';
  // The specification has relative paths ignored.
  const state = isAbsolute(asked) ? asked : join(homedir(), '.local', 'state');
  return join(state, 'portparty', 'calibration.json');
}

/** The calibration that is kept; undefined where there is none that can be read. */
export function readCalibration(file = calibrationFile()): Calibration | undefined {
  try {
    const read = JSON.parse(readFileSync(file, 'utf8')) as Calibration;
    return read.schema === CALIBRATION_SCHEMA ? read : undefined;
  } catch {
    return undefined;
  }
}

/** Keeps it in the place of an earlier one. Throws what the file system says. */
export function keepCalibration(calibration: Calibration, file = calibrationFile()): void {
  mkdirSync(dirname(file), { recursive: true });
  writeWhole(file, `${JSON.stringify(calibration, null, 2)}\n`);
}
