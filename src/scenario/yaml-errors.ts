/** What the YAML parser finds wrong, with its place and a hint. */
import { isCollection, isNode, isScalar, visit, type YAMLError } from 'yaml';
import { usageError } from '../errors.js';
import { throwProblems } from './placing.js';
import type { PlacedProblem } from './problem.js';
import { type Source, whereOf } from './source.js';

/**
 * Throws when the text is no YAML, or is empty.
 * @throws PortPartyError (exit 2): all duplicate keys, or else the first error, as later ones mostly follow from it
 */
export function throwYamlErrors(source: Source): void {
  const { errors, warnings, contents } = source.document;
  const all = [...errors, ...warnings];
  const syntax = all.filter((error) => error.code !== 'DUPLICATE_KEY');
  throwProblems(
    (syntax.length > 0 ? syntax.slice(0, 1) : all).map((error) => ({
      ...inWords(error, source),
      where: whereOf(source, error.pos[0]),
      offset: error.pos[0],
    })),
  );
  if (contents === null) {
    throw usageError('the file is empty', `${source.file}:1:1`, 'portparty init writes one to start from');
  }
}

/**
 * The file's values.
 * @throws PortPartyError (exit 2) when an alias (`*name`) leads nowhere, to itself, or unfolds without end
 */
export function valuesOf(source: Source): unknown {
  const { document } = source;
  const problems: PlacedProblem[] = [];
  visit(document, {
    Alias(_, alias, ancestors) {
      const offset = alias.range?.[0] ?? 0;
      const target = alias.resolve(document);
      if (target !== undefined && !ancestors.includes(target)) return;
      const message = `the alias \`*${alias.source}\` leads ${target ? 'to itself' : 'nowhere'}`;
      const hint = target ? 'write the value out' : `mark its value with \`&${alias.source}\`, further up`;
      problems.push({ message, hint, where: whereOf(source, offset), offset });
    },
    Pair(_, { key }) {
      const offset = (isNode(key) && key.range?.[0]) || 0;
      const where = whereOf(source, offset);
      if (isCollection(key)) problems.push({ message: 'a key is a word, not a list or a mapping', where, offset });
      // JavaScript gives this key a meaning of its own, and the schema would not see it.
      if (isScalar(key) && key.value === '__proto__') {
        problems.push({ message: "`__proto__` can't be a key", where, offset });
      }
    },
  });
  throwProblems(problems);
  try {
    return document.toJS();
  } catch (error) {
    throw usageError((error as Error).message, `${source.file}:1:1`, 'use fewer aliases');
  }
}

function inWords(error: YAMLError, { text }: Source): { message: string; hint?: string } {
  const [start] = error.pos;
  const line = text.slice(text.lastIndexOf('\n', start - 1) + 1).split('\n', 1)[0];
  if (error.code === 'DUPLICATE_KEY') {
    const key = /^["']?([^\s:"']+)/.exec(text.slice(start))?.[1];
    return { message: `the key \`${key}\` is there twice`, hint: 'keep one of them' };
  }
  const pooled = /pooled:\s*\d+/.exec(line)?.[0];
  if (pooled !== undefined) return { message: 'this is not YAML', hint: `put it in quotes: "${pooled}"` };
  const host = /(?<!["'])\b[a-z][a-z0-9-]*\[\d+\]/.exec(line)?.[0];
  if (host !== undefined) return { message: 'this is not YAML', hint: `put it in quotes: "${host}"` };
  if (error.code === 'TAB_AS_INDENT') return { message: 'a tab indents this line', hint: 'indent with spaces' };
  return { message: `this is not YAML: ${error.message}`, hint: 'look at quotes, brackets, commas and indentation' };
}
