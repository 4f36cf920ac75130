/** A scenario file's text to the checked, resolved `Scenario`; every mistake is told with its line and column. Does no I/O. */
import { createHash } from 'node:crypto';
import { usageError } from '../errors.js';
import { sendsVisitors, type Topology } from '../topology/chain.js';
import { chainProblems } from './chain-problems.js';
import { eventProblems } from './event-problems.js';
import { toEvents } from './events.js';
import { gateProblems, type WrittenGate, writtenGates } from './gate-problems.js';
import { imageProblems } from './image-problems.js';
import { type Cell, namesVariant, readMatrix } from './matrix.js';
import { isMapping, mergePatch } from './merge-patch.js';
import { applyOverride, type Override, parseOverride } from './overrides.js';
import { type Placer, placer, throwProblems } from './placing.js';
import type { KeyPath, PlacedProblem, Problem } from './problem.js';
import type { Scenario, ScenarioVariant } from './scenario.js';
import { type Body, bodySchema, headSchema, toTraffic } from './schema.js';
import { checkSchema, didYouMean, valueAt } from './schema-problems.js';
import { find, offsetOf, readSource, whereOf } from './source.js';
import { trafficProblems } from './traffic-problems.js';
import { throwYamlErrors, valuesOf } from './yaml-errors.js';

/** What the command line changes. */
export interface LoadOptions {
  /** `topology.edge.ports=1024-65535`: applied to the scenario, and again over the patch of each variant. */
  set?: string[];
  /** The same, applied after it; messages name `--try`. */
  try?: string[];
  /** The variants to run; absent or empty: all. */
  variants?: string[];
  trials?: number;
  seed?: number;
}

/** The text of a configuration file, by its path as written in the scenario; throws an Error when it can't be read. */
export type ReadConfig = (path: string) => string;

const NO_MATRIX: ReturnType<typeof readMatrix> = { cells: [], problems: [] };
const BODY_KEYS = ['topology', 'traffic', 'events'];

/**
 * Reads a scenario.
 * @throws PortPartyError (exit 2) with `file:line:column`, what is wrong and what would be right; up to five mistakes at once
 */
export function parseScenario(text: string, file: string, options: LoadOptions, readConfig: ReadConfig): Scenario {
  const source = readSource(text, file);
  throwYamlErrors(source);
  const overrides = [
    ...(options.set ?? []).map((text) => parseOverride(text)),
    ...(options.try ?? []).map((text) => parseOverride(text, '--try')),
  ];
  const written = valuesOf(source);
  const raw = overrides.reduce<unknown>(applyOverride, written);
  if (!isMapping(raw)) throw usageError('the file is not a scenario', `${file}:1:1`, 'it starts with `name: …`');

  const at = (path: KeyPath, part: 'key' | 'value') =>
    whereOf(source, offsetOf(find(source, source.document.contents, path), part));
  const { cells, problems } = raw.matrix === undefined ? NO_MATRIX : readMatrix(raw.matrix, at);
  const place = placer(source, overrides, new Map(cells.map(({ name, settings }) => [name, settings])));
  const head = checkSchema(headSchema, omit(raw, BODY_KEYS));
  const found: PlacedProblem[] = [...head.problems, ...problems].map((problem) => place(problem));
  const changes = changesOf(raw, cells);
  checkSelection(options.variants, [...changes.keys()]);
  const settings = [...new Set(cells.flatMap((cell) => cell.settings))];
  checkNodes([...overrides, ...settings], [written, ...[...changes.values()].map(({ patch }) => patch)]);

  const bodies = readBodies(raw, changes, overrides, place, found);
  const gates = writtenGates(head.value?.gates ?? []);
  const topologies = new Map([...bodies].map(([name, body]) => [name, body?.topology]));
  found.push(...gates.flatMap((gate) => gateProblems(gate, topologies)).map((problem) => place(problem)));
  const read = configReader(readConfig, place, found);
  const configs = new Map([...bodies].map(([name, body]) => [name, body ? read(name, body.topology) : {}]));
  throwProblems(found);
  const variants = [...bodies].flatMap(([name, body]) =>
    body ? [toVariant({ name, cell: changes.get(name)!.cell }, body, gates, place, configs.get(name)!)] : [],
  );

  const chosen = options.variants?.length ? options.variants : [...changes.keys()];
  const { name, description, seed, trials } = head.value!;
  return {
    name,
    description: description.trim(),
    file,
    sha256: createHash('sha256').update(text).digest('hex'),
    seed: wholeNumber('--seed', options.seed, 0) ?? seed,
    trials: wholeNumber('--trials', options.trials, 1) ?? trials,
    variants: variants.filter((variant) => chosen.some((wanted) => namesVariant(wanted, variant.name))),
  };
}

function omit(raw: Record<string, unknown>, keys: string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(raw).filter(([key]) => !keys.includes(key)));
}

/** What makes a variant of the scenario: a patch, then settings. */
interface Change {
  patch: unknown;
  settings: Override[];
  /** Of a combination of the matrix. */
  cell?: Record<string, string>;
}

/** By variant: those with names in the file's order, then the matrix; one without any change, named `default`, where there is neither. */
function changesOf({ variants }: Record<string, unknown>, cells: Cell[]): Map<string, Change> {
  const named = Object.entries(isMapping(variants) ? variants : {}).map(([name, patch]): [string, Change] => {
    // A variant without anything behind its colon changes nothing.
    return [name, { patch: patch ?? {}, settings: [] }];
  });
  const all = [
    ...named,
    ...cells.map(({ name, settings, labels }): [string, Change] => [name, { patch: {}, settings, cell: labels }]),
  ];
  return new Map(all.length > 0 ? all : [['default', { patch: {}, settings: [] }]]);
}

function checkSelection(selected: string[] | undefined, known: string[]): void {
  const stranger = selected?.find((wanted) => !known.some((name) => namesVariant(wanted, name)));
  if (stranger === undefined) return;
  const hint = didYouMean(stranger, known) ?? `variants are: ${known.join(', ')}`;
  throw usageError(`there is no variant \`${stranger}\``, `--variant ${stranger}`, hint);
}

/** A setting of a node that is nowhere else would make a new one: a slip of the pen, mostly. */
function checkNodes(overrides: Override[], holders: unknown[]): void {
  const nodes = holders.flatMap((holder) => Object.keys(Object(valueAt(holder, ['topology']))));
  for (const { option, path } of overrides) {
    if (path[0] !== 'topology' || path.length < 3 || nodes.includes(String(path[1]))) continue;
    const hint = didYouMean(String(path[1]), nodes) ?? `nodes are: ${[...new Set(nodes)].join(', ')}`;
    throw usageError(`there is no node \`${path[1]}\``, option, hint);
  }
}

/** Checks the body of every variant, so that a file is right as a whole and not only in what is run today. */
function readBodies(
  raw: Record<string, unknown>,
  changes: Map<string, Change>,
  overrides: Override[],
  place: Placer,
  found: PlacedProblem[],
): Map<string, Body | undefined> {
  const base = Object.fromEntries(Object.entries(raw).filter(([key]) => BODY_KEYS.includes(key)));
  const inBase = new Set(checkBody(base).problems.map(identity));
  const overBody = overrides.filter(({ path }) => BODY_KEYS.includes(String(path[0])));
  return new Map(
    [...changes].map(([variant, { patch, settings }]) => {
      // What is not a mapping is told of by the head's schema already.
      const patched = isMapping(patch) ? mergePatch(base, withoutStrangers(patch)) : base;
      const { value, problems } = checkBody([...settings, ...overBody].reduce<unknown>(applyOverride, patched));
      const inherited = problems.filter((problem) => inBase.has(identity(problem)));
      const ofPatch = problems
        .filter((problem) => !inherited.includes(problem))
        // On a base that is wrong itself, what a patch lacks is mostly a consequence of that.
        .filter((problem) => inherited.length === 0 || valueAt(patch, problem.path) !== undefined);
      found.push(...inherited.map((problem) => place(problem, { variant, ofPatch: false })));
      found.push(...ofPatch.map((problem) => place(problem, { variant, ofPatch: true })));
      return [variant, value];
    }),
  );
}

function withoutStrangers(patch: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(patch).filter(([key]) => BODY_KEYS.includes(key)));
}

function identity({ path, message }: Problem): string {
  return JSON.stringify([path, message]);
}

function checkBody(raw: unknown): { value?: Body; problems: Problem[] } {
  const { value, problems } = checkSchema(bodySchema, raw);
  if (value === undefined) return { problems };
  const { topology, traffic, events } = value;
  const inChain = [
    ...chainProblems(topology),
    ...Object.keys(topology).flatMap((name) => imageProblems(topology, name, valueAt(raw, ['topology', name]))),
  ];
  if (inChain.length > 0) return { value, problems: inChain };
  return { value, problems: [...trafficProblems(traffic, topology), ...eventProblems(events, topology)] };
}

type ReadVariantConfigs = (variant: string, topology: Topology) => Record<string, string>;

function configReader(readConfig: ReadConfig, place: Placer, found: PlacedProblem[]): ReadVariantConfigs {
  return (variant, topology) => {
    const configs: Record<string, string> = {};
    for (const [node, spec] of Object.entries(topology)) {
      if (!('config' in spec) || spec.config === undefined) continue;
      try {
        configs[node] = readConfig(spec.config);
      } catch (error) {
        const message = `can't read ${spec.config}: ${(error as Error).message}`;
        const path: KeyPath = ['topology', node, 'config'];
        const hint = "the path counts from the scenario file's folder";
        found.push(place({ message, hint, path, at: 'value' }, { variant, ofPatch: false }));
      }
    }
    return configs;
  };
}

function toVariant(
  { name, cell }: { name: string; cell?: Record<string, string> },
  { topology, traffic, events }: Body,
  gates: WrittenGate[],
  place: Placer,
  configs: Record<string, string>,
): ScenarioVariant {
  const clients = Object.keys(topology).filter((node) => sendsVisitors(topology[node]));
  return {
    name,
    ...(cell !== undefined && { cell }),
    topology,
    traffic: toTraffic(traffic, clients),
    events: toEvents(events ?? [], topology),
    gates: gates
      .filter((gate) => gate.variants?.some((wanted) => namesVariant(wanted, name)) ?? true)
      .map((gate) => ({ text: gate.text, where: place({ message: '', path: gate.path, at: 'value' }).where })),
    configs,
  };
}

function wholeNumber(option: string, value: number | undefined, min: number): number | undefined {
  if (value === undefined || (Number.isSafeInteger(value) && value >= min)) return value;
  throw usageError(`expected a whole number of at least ${min}`, `${option} ${value}`);
}
