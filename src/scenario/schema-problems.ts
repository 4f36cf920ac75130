/** What the schema finds wrong, told as a person would: which key, what is wrong with it, what would be right. */
import type { z } from 'zod';
import { nearest } from '../analysis/nearest.js';
import { KIND_NAMES, type KindName, kindOf } from '../nodes/registry.js';
import { isMapping } from './merge-patch.js';
import type { KeyPath, Problem } from './problem.js';
import { fileSchema, trafficSchema } from './schema.js';

type Issue = z.core.$ZodIssue;

/** Checks `raw` and tells the problems, or returns the checked value. */
export function checkSchema<Schema extends z.ZodType>(
  schema: Schema,
  raw: unknown,
): { value?: z.output<Schema>; problems: Problem[] } {
  const result = schema.safeParse(raw);
  if (result.success) return { value: result.data, problems: [] };
  return { problems: withoutEchoes(result.error.issues.flatMap((issue) => explain(issue, [], schema, raw))) };
}

/** A mistyped key is also a missing one; only the typing mistake is worth telling. */
function withoutEchoes(problems: Problem[]): Problem[] {
  return problems.filter(
    ({ path, message }) =>
      !message.endsWith('is missing') ||
      !problems.some(
        (other) =>
          other.hint === `did you mean \`${path.at(-1)}\`?` &&
          other.path.length === path.length &&
          path.slice(0, -1).every((step, index) => step === other.path[index]),
      ),
  );
}

function explain(issue: Issue, above: KeyPath, schema: z.ZodType, raw: unknown): Problem[] {
  const path = [...above, ...(issue.path as KeyPath)];
  const value = valueAt(raw, path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey(key, path, schema, raw));
    case 'invalid_key':
      return [{ ...split(issue.issues[0].message), path, at: 'key' }];
    case 'invalid_union': {
      if ('discriminator' in issue && issue.discriminator === 'kind') return [wrongKind(path, value)];
      // The alternative that the value has the form of: the one whose complaint lies deeper than the value itself.
      const meant = issue.errors.find((errors) => isMapping(value) && errors.every((error) => !isTypeError(error)));
      if (meant !== undefined) return meant.flatMap((error) => explain(error, path, schema, raw));
      return [complaint(path, value, issue.message)];
    }
    case 'invalid_value':
      return [wrongWord(path, value, issue.values.map(String))];
    default:
      return [complaint(path, value, issue.message)];
  }
}

function isTypeError(issue: Issue): boolean {
  return issue.code === 'invalid_type' && issue.path.length === 0;
}

function complaint(path: KeyPath, value: unknown, message: string): Problem {
  const said = message.startsWith('Invalid input') ? plain(message, value) : message;
  if (value === undefined || value === null) {
    const state = value === null ? 'is empty' : 'is missing';
    const hint = path.at(-1) === 'to' ? 'name the next hop' : said.split('; ').at(-1);
    return { message: `${nameOf(path)} ${state}`, hint, path, at: 'key' };
  }
  const { message: what, hint } = split(said);
  return { message: `${nameOf(path)}: ${what}`, hint, path, at: 'value' };
}

/** zod's own "expected string, received number" in plain words. */
function plain(message: string, value: unknown): string {
  const expected = /expected (\w+)/.exec(message)?.[1] ?? 'value that fits';
  const words: Record<string, string> = { string: 'text', object: 'keys and values', boolean: 'true or false' };
  const shown = typeof value === 'object' ? (Array.isArray(value) ? 'a list' : 'keys') : JSON.stringify(value);
  return `expected ${words[expected] ?? `a ${expected}`}${value === undefined || value === null ? '' : `, not ${shown}`}`;
}

function wrongWord(path: KeyPath, value: unknown, allowed: string[]): Problem {
  if (value === undefined || value === null) return complaint(path, value, `one of ${allowed.join(', ')}`);
  return {
    message: `${nameOf(path)}: there is no "${shown(value)}"`,
    hint: didYouMean(shown(value), allowed) ?? `one of ${allowed.join(', ')}`,
    path,
    at: 'value',
  };
}

function wrongKind(path: KeyPath, kind: unknown): Problem {
  const problem = wrongWord(path, kind, KIND_NAMES);
  return kind === undefined || kind === null ? problem : { ...problem, message: `there is no kind "${shown(kind)}"` };
}

function shown(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function unknownKey(key: string, holderPath: KeyPath, schema: z.ZodType, raw: unknown): Problem {
  const path = [...holderPath, key];
  const holder = valueAt(raw, holderPath);
  // Head and body are checked apart, and a key of the file's outermost level may be meant for either.
  const known = holderPath.length === 0 ? Object.keys(fileSchema.shape) : keysOf(schema, raw, holderPath);
  const kind = holderPath.length === 2 && holderPath[0] === 'topology' && isMapping(holder) ? holder.kind : undefined;
  if (kind !== undefined) return unknownKnob(key, String(kind), path, known);
  return { message: `unknown key \`${key}\``, hint: keyHint(key, holderPath, known), path, at: 'key' };
}

function keyHint(key: string, holderPath: KeyPath, known: string[]): string {
  const glued = /^(\w+):(.+)$/.exec(key);
  if (glued) return `put a space after the colon: \`${glued[1]}: ${glued[2]}\``;
  if (holderPath[0] === 'variants' && ['gates', 'trials', 'seed', 'name', 'description'].includes(key)) {
    return key === 'gates' ? 'give the gate itself `variants: [name]`' : 'it is the same for all variants';
  }
  const close = didYouMean(key, known);
  if (close !== undefined) return close;
  if (holderPath.length === 0 && Object.hasOwn(trafficSchema.shape, key)) return 'it belongs under `traffic`';
  return `known here: ${known.join(', ')}`;
}

function unknownKnob(key: string, kind: string, path: KeyPath, known: string[]): Problem {
  const problem: Problem = { message: `\`${key}\` is not a knob of \`${kind}\``, path, at: 'key' };
  const lacks = KIND_NAMES.find((name) => name === kind) && kindOf(kind as KindName).lacks;
  if (lacks !== undefined && Object.hasOwn(lacks, key)) return { ...problem, ...split(lacks[key]) };
  const having = KIND_NAMES.filter((name) => Object.hasOwn(kindOf(name).knobs.shape, key));
  if (having.length > 0)
    return {
      ...problem,
      hint: `${having.map((name) => `\`${name}\``).join(', ')} ${having.length > 1 ? 'have' : 'has'} it`,
    };
  return { ...problem, message: `unknown key \`${key}\``, hint: keyHint(key, path.slice(0, -1), known) };
}

/** "did you mean `keepalive`?", or undefined when nothing is close. */
export function didYouMean(word: string, candidates: readonly string[]): string | undefined {
  // `keep-alive` and `keep_alive` for `keepalive` count as one mistake, not two.
  const close = nearest(word, candidates) ?? nearest(word.replace(/[-_ ]/g, ''), candidates);
  return close && `did you mean \`${close}\`?`;
}

function nameOf(path: KeyPath): string {
  const key = path.findLast((step) => typeof step === 'string');
  const index = path.at(-1);
  if (key === undefined) return 'the file';
  return typeof index === 'number' ? `\`${key}[${index}]\`` : `\`${key}\``;
}

/** Messages of the schema say what is wrong, then "; ", then what would be right. */
function split(message: string): { message: string; hint?: string } {
  const [what, ...hint] = message.split('; ');
  return hint.length > 0 ? { message: what, hint: hint.join('; ') } : { message: what };
}

/** The value at a path; undefined where a step of it is not there. */
export function valueAt(raw: unknown, path: KeyPath): unknown {
  return path.reduce<unknown>(
    (value, step) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, step)
        ? (value as Record<string | number, unknown>)[step]
        : undefined,
    raw,
  );
}

/** The keys that the schema knows at a path. */
function keysOf(schema: z.ZodType, raw: unknown, path: KeyPath): string[] {
  const { def } = schema as unknown as { def: SchemaDef };
  if (def.innerType) return keysOf(def.innerType, raw, path);
  if (def.options) return def.options.flatMap((option) => (matchesKind(option, raw) ? keysOf(option, raw, path) : []));
  const [step, ...rest] = path;
  if (step === undefined) return Object.keys(def.shape ?? {});
  const below = def.shape ? def.shape[step] : (def.valueType ?? def.element);
  return below ? keysOf(below, valueAt(raw, [step]), rest) : [];
}

/** The parts of zod's definitions that lead to a schema's keys. */
interface SchemaDef {
  innerType?: z.ZodType;
  options?: z.ZodType[];
  shape?: Record<string, z.ZodType>;
  valueType?: z.ZodType;
  element?: z.ZodType;
}

function matchesKind(option: z.ZodType, raw: unknown): boolean {
  const kind = (option as unknown as { def: SchemaDef }).def.shape?.kind;
  return kind === undefined || kind.safeParse(valueAt(raw, ['kind'])).success;
}
