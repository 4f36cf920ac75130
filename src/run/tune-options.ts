/** The options of `portparty tune` as text to a tuning, every mistake told by its option (exit 2) before anything is started. */
import { resolve } from 'node:path';
import { GateSyntaxError, nodesNamed, parseMetric } from '../analysis/gate-expression.js';
import { givenCandidates, textsOf } from '../analysis/tune-candidates.js';
import { usageError } from '../errors.js';
import type { Scenario } from '../scenario/scenario.js';
import { makeExportFolder } from './export-variant.js';
import { loadScenario } from './load-scenario.js';
import type { Tuning } from './tune.js';

/** The options as they are typed. */
export interface TuneFlags {
  try?: string[];
  metric?: string;
  trials?: number;
  most: number;
  variant?: string;
  set?: string[];
  seed?: number;
  export?: string;
}

/** The scenario with the one variant that is tuned, and what to try on it. Throws a PortPartyError (exit 2) with the option that is wrong. */
export async function readTuneOptions(file: string, flags: TuneFlags): Promise<{ scenario: Scenario; tuning: Tuning }> {
  const { set, seed } = flags;
  const whole = await loadScenario(file, {
    set,
    seed,
    ...(flags.variant !== undefined && { variants: [flags.variant] }),
  });
  const scenario = { ...whole, variants: whole.variants.slice(0, 1) };
  const [variant] = scenario.variants;
  for (const option of ['trials', 'most'] as const)
    if (flags[option] === 0) throw usageError('expected at least 1', `--${option} 0`);
  checkMetric(flags.metric, Object.keys(variant.topology));
  const withSettings: Tuning['withSettings'] = async (texts) =>
    (await loadScenario(file, { set, seed, try: texts, variants: [variant.name] })).variants[0];
  const given = flags.try === undefined ? undefined : givenCandidates(flags.try);
  for (const [index, candidate] of (given ?? []).entries()) {
    await withSettings(textsOf(candidate));
    const twin = given!.findIndex(({ name }) => name === candidate.name);
    if (twin < index || candidate.name === variant.name)
      throw usageError('it stands there twice', `--try '${flags.try![index]}'`);
  }
  const { most, trials, metric } = flags;
  const exportTo = flags.export === undefined ? undefined : resolve(flags.export);
  if (exportTo !== undefined) makeExportFolder(exportTo);
  return { scenario, tuning: { given, most, trials, metric, exportTo, withSettings } };
}

function checkMetric(metric: string | undefined, nodes: string[]): void {
  if (metric === undefined) return;
  let named: string[];
  try {
    named = nodesNamed({ metric: parseMetric(metric) });
  } catch (error) {
    if (error instanceof GateSyntaxError) throw usageError(error.message, `--metric ${metric}`, error.hint);
    throw error;
  }
  const stranger = named.find((node) => !nodes.includes(node));
  if (stranger !== undefined)
    throw usageError(`there is no node \`${stranger}\``, `--metric ${metric}`, `nodes are: ${nodes.join(', ')}`);
}
