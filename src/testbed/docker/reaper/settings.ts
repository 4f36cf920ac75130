/** The reaper's settings: the environment variables, and their defaults, of testcontainers' Ryuk (github.com/testcontainers/moby-ryuk). */

/** All times in ms. */
export interface ReaperSettings {
  port: number;
  /** How long it waits for its first client. */
  connectionTimeout: number;
  /** How long after the last client it waits for another one. */
  reconnectionTimeout: number;
  /** How long one request to the daemon may take. */
  requestTimeout: number;
  removeRetries: number;
  /** How long, once told to end, it waits for its clients. */
  shutdownTimeout: number;
}

/** Reads the settings. Throws an Error that names a variable which is not a duration or a number. */
export function reaperSettings(environment: NodeJS.ProcessEnv): ReaperSettings {
  const read = <Value>(name: string, parse: (text: string) => Value | undefined, fallback: string): Value => {
    const value = parse(environment[name] || fallback);
    if (value === undefined) throw new Error(`${name}=${environment[name]}: expected something like ${fallback}`);
    return value;
  };
  return {
    port: read('RYUK_PORT', parseCount, '8080'),
    connectionTimeout: read('RYUK_CONNECTION_TIMEOUT', parseDuration, '60s'),
    reconnectionTimeout: read('RYUK_RECONNECTION_TIMEOUT', parseDuration, '10s'),
    requestTimeout: read('RYUK_REQUEST_TIMEOUT', parseDuration, '10s'),
    removeRetries: read('RYUK_REMOVE_RETRIES', parseCount, '10'),
    shutdownTimeout: read('RYUK_SHUTDOWN_TIMEOUT', parseDuration, '10m'),
  };
}

function parseCount(text: string): number | undefined {
  return /^\d+$/.test(text) ? Number(text) : undefined;
}

const UNIT_MS: Record<string, number> = { us: 0.001, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A duration as Go writes it, `1m30s`, in ms. */
function parseDuration(text: string): number | undefined {
  if (!/^(?:[\d.]+(?:us|ms|s|m|h))+$/.test(text)) return undefined;
  let ms = 0;
  for (const [, amount, unit] of text.matchAll(/([\d.]+)(us|ms|s|m|h)/g)) ms += Number(amount) * UNIT_MS[unit];
  return Number.isFinite(ms) ? ms : undefined;
}
