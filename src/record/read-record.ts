/** Finds a run on disk and reads its `run.json`, checked as far as every report relies on it. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { usageError } from '../errors.js';
import { RUN_SCHEMA, type RunRecord } from './run-record.js';

/** Where runs land unless `--out` says otherwise. */
const RESULTS_DIR = 'results';

const count = z.number().int().nonnegative();
/** NaN is null in JSON: what could not be known. */
const known = z.number().nullable();
const placed = z.looseObject({ cause: z.string(), at: z.string() });
const causeCount = placed.extend({ count, because: placed.optional() });
const latency = z.looseObject({ p50: known, p90: known, p99: known, p999: known, max: known, mean: known, count });

const sinceStart = z.number();

const measured = {
  requests: z.looseObject({
    due: count,
    completed: count,
    dropped: count,
    attempts: count,
    byCause: z.array(
      causeCount.extend({
        evidence: z.array(z.looseObject({ source: z.string(), value: z.union([z.number(), z.string()]) })),
      }),
    ),
    delayed: z.array(causeCount),
  }),
  aftershocks: z
    .array(
      z.looseObject({ at: z.string(), because: placed.optional(), beganMs: sinceStart, lastedMs: sinceStart, count }),
    )
    .optional(),
  proxies: z.record(z.string(), z.looseObject({ requests: count, tries: count, failed: count })).optional(),
  visitors: z.looseObject({ arrived: count, served: count, soldOut: count, turnedAway: count }),
  tickets: z.looseObject({ stock: count, sold: count }).optional(),
  latency: z.looseObject({ connect: latency, response: latency }),
  throughput: z.looseObject({ completedPerSecond: known }),
  ports: z.record(z.string(), z.looseObject({ capacity: count, peak: count, peakShare: known })),
  generator: z.looseObject({ engine: z.string(), lateP99Ms: known, lateMaxMs: known }),
  validity: z.looseObject({ valid: z.boolean(), reasons: z.array(z.string()) }),
};

const against = z.looseObject({
  value: known,
  bound: known,
  trials: z.looseObject({ run: count, baseline: count }),
  p: z.number().optional(),
});

const runRecord = z.looseObject({
  schema: z.literal(RUN_SCHEMA),
  id: z.string(),
  startedAt: z.string(),
  finishedAt: z.string().nullable(),
  status: z.enum(['complete', 'interrupted']),
  scenario: z.looseObject({ name: z.string(), file: z.string(), sha256: z.string(), seed: z.number() }),
  driver: z.string(),
  baseline: z.looseObject({ run: z.string(), differences: z.array(z.string()) }).optional(),
  environment: z.looseObject({ kernel: z.string(), node: z.string(), versions: z.record(z.string(), z.string()) }),
  variants: z.array(
    z.looseObject({
      name: z.string(),
      trials: count,
      ...measured,
      nodes: z.array(z.string()).optional(),
      gates: z.array(
        z.looseObject({ gate: z.string(), observed: known, pass: z.boolean(), baseline: against.optional() }),
      ),
      skippedGates: z.array(z.string()).optional(),
      perTrial: z.array(z.looseObject({ trial: count, ...measured })),
    }),
  ),
  verdict: z.enum(['pass', 'fail', 'invalid', 'none']),
});

/**
 * The folder of a run: given as a folder, as its `run.json`, as an id in `resultsDir`, or as `latest` (the default).
 * @throws PortPartyError (exit 2) when there is no such run
 */
export function findRun(run = 'latest', resultsDir = RESULTS_DIR): string {
  for (const candidate of [run, join(resultsDir, run)]) {
    if (basename(candidate) === 'run.json' && existsSync(candidate)) return dirname(candidate);
    if (isRunFolder(candidate)) return candidate;
  }
  if (existsSync(run) && run !== 'latest') throw usageError('this is not a run: it holds no run.json', run);
  const newest = newestRun(resultsDir);
  if (run === 'latest' && newest !== undefined) return join(resultsDir, newest);
  throw usageError(
    run === 'latest' ? 'there is no run yet' : `there is no run "${run}"`,
    resultsDir,
    newest === undefined ? 'make one with `portparty run <scenario>`' : `the newest one is ${newest}`,
  );
}

/**
 * Reads the record of a run, found as by `findRun`.
 * @throws PortPartyError (exit 2) that names the file when it is missing or damaged
 */
export function readRun(run?: string, resultsDir = RESULTS_DIR): RunRecord {
  const file = join(findRun(run, resultsDir), 'run.json');
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    const reason = error instanceof SyntaxError ? `it is no JSON (${error.message})` : (error as Error).message;
    throw usageError(`the record is damaged: ${reason}`, file, 'repeat the run');
  }
  const schema = (value as { schema?: unknown } | null)?.schema;
  if (schema !== RUN_SCHEMA)
    throw usageError(
      schema === undefined ? 'this is not the record of a run' : `this record has the schema ${JSON.stringify(schema)}`,
      file,
      `portparty reads ${RUN_SCHEMA}`,
    );
  const checked = runRecord.safeParse(value);
  if (!checked.success) {
    const [issue] = checked.error.issues;
    throw usageError(`the record is damaged: ${issue.path.join('.')}: ${issue.message}`, file, 'repeat the run');
  }
  return checked.data as unknown as RunRecord;
}

function isRunFolder(path: string): boolean {
  try {
    return statSync(join(path, 'run.json')).isFile();
  } catch {
    return false;
  }
}

/** Ids begin with the time, so the last one by name is the newest. */
function newestRun(resultsDir: string): string | undefined {
  if (!existsSync(resultsDir)) return undefined;
  return readdirSync(resultsDir)
    .filter((name) => /^\d{8}T\d{6}Z-/.test(name) && isRunFolder(join(resultsDir, name)))
    .sort()
    .at(-1);
}
