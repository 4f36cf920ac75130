/** One thing that a driver needs, and whether it is there. */

/** One point and its answer. */
export interface Check {
  name: string;
  ok: boolean;
  /** False: the driver runs without it, and `detail` says what is missing then. */
  required: boolean;
  /** The version or value found, or what is wrong. */
  detail: string;
  /** What to do, one sentence or one command each; empty when it is fine. */
  remedies: string[];
  /** The Debian package that brings it, where a package does. */
  package?: string;
}

/** True when a driver with these checks can run. */
export function runs(checks: Check[]): boolean {
  return checks.every((check) => check.ok || !check.required);
}
