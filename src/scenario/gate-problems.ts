/** What is wrong with the gates: their grammar, and the nodes and variants that they name. */
import { type GateExpression, GateSyntaxError, nodesNamed, parseGate } from '../analysis/gate-expression.js';
import type { Topology } from '../topology/chain.js';
import { namesVariant } from './matrix.js';
import type { KeyPath, Problem } from './problem.js';
import { didYouMean } from './schema-problems.js';

/** A gate as the file has it. */
export interface WrittenGate {
  text: string;
  /** The variants that it holds for; undefined: all. */
  variants: string[] | undefined;
  /** Way to its text. */
  path: KeyPath;
}

/** The gates of the file in one form. */
export function writtenGates(gates: (string | { gate: string; variants?: string[] })[]): WrittenGate[] {
  return gates.map((gate, index) =>
    typeof gate === 'string'
      ? { text: gate, variants: undefined, path: ['gates', index] }
      : { text: gate.gate, variants: gate.variants, path: ['gates', index, 'gate'] },
  );
}

/** The problems of one gate; `topologies` are those of the variants, by name, as far as they could be read. */
export function gateProblems(gate: WrittenGate, topologies: ReadonlyMap<string, Topology | undefined>): Problem[] {
  const names = [...topologies.keys()];
  const strangers = (gate.variants ?? []).filter((wanted) => !names.some((name) => namesVariant(wanted, name)));
  const problems = strangers.map(
    (variant): Problem => ({
      message: `there is no variant \`${variant}\``,
      hint: didYouMean(variant, names) ?? `variants are: ${names.join(', ')}`,
      path: [...gate.path.slice(0, -1), 'variants', gate.variants!.indexOf(variant)],
      at: 'value',
    }),
  );
  let expression: GateExpression;
  try {
    expression = parseGate(gate.text);
  } catch (error) {
    if (!(error instanceof GateSyntaxError)) throw error;
    const { message, hint, column } = error;
    return [...problems, { message, hint, path: gate.path, at: 'value', shift: column - 1 }];
  }
  return [...problems, ...nodesNamed(expression).flatMap((node) => nodeProblems(gate, node, topologies))];
}

function nodeProblems(
  gate: WrittenGate,
  node: string,
  topologies: ReadonlyMap<string, Topology | undefined>,
): Problem[] {
  const known = [...topologies].filter((entry): entry is [string, Topology] => entry[1] !== undefined);
  const without = known
    .filter(
      ([variant, topology]) =>
        (gate.variants ?? [variant]).some((wanted) => namesVariant(wanted, variant)) && !Object.hasOwn(topology, node),
    )
    .map(([variant]) => variant);
  if (without.length === 0) return [];
  const place = { path: gate.path, at: 'value', shift: gate.text.lastIndexOf(node) } as const;
  const elsewhere = known.filter(([, topology]) => Object.hasOwn(topology, node)).map(([variant]) => variant);
  if (elsewhere.length > 0) {
    const message = `there is no node \`${node}\` in variant \`${without[0]}\``;
    return [{ message, hint: `give the gate \`variants: [${elsewhere.join(', ')}]\``, ...place }];
  }
  const nodes = [...new Set(known.flatMap(([, topology]) => Object.keys(topology)))];
  const hint = didYouMean(node, nodes) ?? `nodes are: ${nodes.join(', ')}`;
  return [{ message: `there is no node \`${node}\``, hint, ...place }];
}
