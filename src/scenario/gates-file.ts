/** Gates from a YAML file: a list, or the `gates:` of a scenario; each with the line that it stands in. Does no I/O. */
import { z } from 'zod';
import { GateSyntaxError, parseGate } from '../analysis/gate-expression.js';
import { usageError } from '../errors.js';
import { writtenGates } from './gate-problems.js';
import { readMatrix } from './matrix.js';
import { isMapping } from './merge-patch.js';
import { placer, throwProblems } from './placing.js';
import type { Problem } from './problem.js';
import { headSchema } from './schema.js';
import { checkSchema } from './schema-problems.js';
import { find, offsetOf, readSource } from './source.js';
import { throwYamlErrors, valuesOf } from './yaml-errors.js';

/** A gate of a file. */
export interface PlacedGate {
  gate: string;
  /** The variants that it holds for; absent: all. */
  variants?: string[];
  /** Counts from 1. */
  line: number;
}

/** The gates of a file. */
export interface GatesFile {
  gates: PlacedGate[];
  /** The variants that the file itself defines: a list of gates has none. */
  variants: string[];
}

const gatesSchema = z.looseObject({ gates: headSchema.shape.gates });

/**
 * Reads the gates of a file.
 * @throws PortPartyError (exit 2) with `file:line:column`, what is wrong and what would be right
 */
export function parseGatesFile(text: string, file: string): GatesFile {
  const source = readSource(text, file);
  throwYamlErrors(source);
  const raw = valuesOf(source);
  const isList = Array.isArray(raw);
  if (!isList && !(isMapping(raw) && 'gates' in raw))
    throw usageError('the file holds no gates', `${file}:1:1`, 'write a list, or `gates:` with a list behind it');
  const checked = checkSchema(gatesSchema, isList ? { gates: raw } : raw);
  const gates = writtenGates(checked.value?.gates ?? []);
  const place = placer(source, [], new Map());
  // In a list, paths begin with the item and not with `gates`.
  const inFile = <Placed extends { path: Problem['path'] }>(one: Placed) => ({
    ...one,
    path: one.path.slice(isList ? 1 : 0),
  });
  throwProblems([...checked.problems, ...gates.flatMap(grammarProblem)].map((problem) => place(inFile(problem))));
  const placed = gates.map(({ text: gate, variants, path }) => {
    const spot = find(source, source.document.contents, inFile({ path }).path);
    const { line } = source.lines.linePos(offsetOf(spot, 'value'));
    return { gate, ...(variants === undefined ? {} : { variants }), line };
  });
  return { gates: placed, variants: isMapping(raw) ? variantNames(raw) : [] };
}

function variantNames({ variants, matrix }: Record<string, unknown>): string[] {
  const { cells } = readMatrix(matrix ?? {}, () => '');
  return [...(isMapping(variants) ? Object.keys(variants) : []), ...cells.map(({ name }) => name)];
}

function grammarProblem({ text, path }: { text: string; path: Problem['path'] }): Problem[] {
  try {
    parseGate(text);
    return [];
  } catch (error) {
    if (!(error instanceof GateSyntaxError)) throw error;
    return [{ message: error.message, hint: error.hint, path, at: 'value', shift: error.column - 1 }];
  }
}
