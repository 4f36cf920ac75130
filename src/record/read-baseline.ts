/** Baselines on disk: read from a file of their own or from a run, and written as a file that is small enough to commit. */
import { readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { BASELINE_SCHEMA, type Baseline, baselineOf } from '../analysis/baseline.js';
import { ATTACK_NUMBERS } from '../analysis/gate-expression.js';
import { usageError } from '../errors.js';
import { readRun } from './read-record.js';
import { makeFolders, writeWhole } from './run-files.js';

const count = z.number().int().nonnegative();
/** NaN is null in JSON: what could not be known. */
const known = z.number().nullable();
const placed = z.looseObject({ cause: z.string(), at: z.string() });
const causes = z.array(placed.extend({ count, because: placed.optional() }));
const latency = z.looseObject({ p50: known, p90: known, p99: known, p999: known, max: known, mean: known, count });
const attack = z.looseObject({
  ...Object.fromEntries(
    ATTACK_NUMBERS.filter((name) => name !== 'open' && name !== 'found').map((name) => [name, count]),
  ),
  open: z.array(z.string()),
});

const trial = z.looseObject({
  requests: z.looseObject({
    due: count,
    completed: count,
    dropped: count,
    attempts: count,
    byCause: causes,
    delayed: causes,
  }),
  visitors: z.looseObject({ arrived: count }),
  tickets: z.looseObject({ sold: count }).optional(),
  latency: z.looseObject({ connect: latency, response: latency }),
  throughput: z.looseObject({ completedPerSecond: known }),
  ports: z.record(z.string(), z.looseObject({ capacity: count, peak: count, peakShare: known })),
  attackers: z.record(z.string(), attack).optional(),
});

const schema = z.looseObject({
  schema: z.literal(BASELINE_SCHEMA),
  run: z.string(),
  startedAt: z.string(),
  scenario: z.looseObject({ name: z.string(), sha256: z.string(), seed: z.number() }),
  driver: z.string(),
  environment: z.looseObject({
    kernel: z.string(),
    node: z.string(),
    cpus: z.number(),
    versions: z.record(z.string(), z.string()),
  }),
  variants: z.record(z.string(), z.array(trial).min(1)),
});

/**
 * Reads a baseline: its file, or a run (as `findRun` finds it) that becomes one.
 * @throws PortPartyError (exit 2) that names the file when it is missing or damaged, or the run when it cannot be a baseline
 */
export function readBaseline(runOrFile: string, resultsDir?: string): Baseline {
  const value = isFile(runOrFile) ? readJson(runOrFile) : undefined;
  if (value === undefined && runOrFile.endsWith('.json'))
    throw usageError(
      'there is no such baseline',
      runOrFile,
      'make it with `portparty gate <run> --save-baseline FILE`',
    );
  const found = (value as { schema?: unknown } | null | undefined)?.schema;
  if (value === undefined || (typeof found === 'string' && found.startsWith('portparty/run@')))
    return baselineOf(readRun(runOrFile, resultsDir));
  if (found !== BASELINE_SCHEMA)
    throw usageError(
      found === undefined ? 'this is no baseline' : `this baseline has the schema ${JSON.stringify(found)}`,
      runOrFile,
      `portparty reads ${BASELINE_SCHEMA}; \`portparty gate <run> --save-baseline FILE\` writes it`,
    );
  const checked = schema.safeParse(value);
  if (checked.success) return checked.data as unknown as Baseline;
  const [issue] = checked.error.issues;
  throw usageError(
    `the baseline is damaged: ${issue.path.join('.')}: ${issue.message}`,
    runOrFile,
    'write it again with `portparty gate <run> --save-baseline FILE`',
  );
}

/**
 * Writes a baseline, whole or not at all: one line per trial, so that a change of the numbers is a small change of the file.
 * @throws PortPartyError (exit 2) when the file cannot be written
 */
export function writeBaseline(file: string, { variants, ...head }: Baseline): void {
  const blocks = Object.entries(variants).map(([name, trials]) => {
    const lines = trials.map((one) => `      ${JSON.stringify(one)}`);
    return `    ${JSON.stringify(name)}: [\n${lines.join(',\n')}\n    ]`;
  });
  const text = JSON.stringify(head, null, 2).replace(/\n}$/, `,\n  "variants": {\n${blocks.join(',\n')}\n  }\n}\n`);
  try {
    makeFolders(dirname(file));
    writeWhole(file, text);
  } catch (error) {
    throw usageError(`the baseline cannot be written: ${(error as Error).message}`, file);
  }
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    const reason = error instanceof SyntaxError ? `it is no JSON (${error.message})` : (error as Error).message;
    throw usageError(`the baseline is damaged: ${reason}`, file, 'name a run, or a file that --save-baseline wrote');
  }
}
