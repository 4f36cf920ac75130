/** `--set topology.edge.ports=1024-65535`: one value of the scenario, overridden from the command line (or tried out there, `--try`). */
import { parse } from 'yaml';
import { usageError } from '../errors.js';
import { isMapping } from './merge-patch.js';
import type { KeyPath } from './problem.js';

/** One `--set`, read. */
export interface Override {
  /** As messages name it: `--set topology.edge.ports=1024-65535`. */
  option: string;
  /** The same for a key that nobody knows, where that stands elsewhere. */
  key?: string;
  path: KeyPath;
  /** Parsed as YAML; null removes the key. */
  value: unknown;
}

/**
 * Reads `a.b.c=value`. Numbers are items of a list; what follows `sysctls.` is one name, dots and all.
 * @throws PortPartyError (exit 2) when it has no `=`, no path, or its value is not YAML
 */
export function parseOverride(text: string, flag = '--set'): Override {
  const option = `${flag} ${text}`;
  const equals = text.indexOf('=');
  const example = `write it like ${flag} topology.edge.ports=1024-65535`;
  if (equals === -1) throw usageError('there is no `=` and no value', option, example);
  const path = pathOf(text.slice(0, equals).trim().split('.'));
  const sysctls = path.indexOf('sysctls');
  const wrong = path.find((word, at) => !/^[A-Za-z0-9-]+$/.test(String(word)) && (sysctls === -1 || at <= sysctls));
  if (wrong !== undefined) throw usageError(`"${text.slice(0, equals)}" is not a path of keys`, option, example);
  try {
    return { option, path, value: parse(text.slice(equals + 1)) };
  } catch {
    throw usageError(`"${text.slice(equals + 1)}" is not a YAML value`, option, 'put it in quotes');
  }
}

/** The keys of a dotted path: numbers are items of a list; what follows `sysctls` is one name, dots and all. */
export function pathOf(words: string[]): KeyPath {
  const sysctls = words.indexOf('sysctls');
  const hasName = sysctls > 0 && sysctls < words.length - 1;
  const path: KeyPath = words
    .slice(0, hasName ? sysctls + 1 : undefined)
    .map((word) => (/^\d+$/.test(word) ? Number(word) : word));
  return hasName ? [...path, words.slice(sysctls + 1).join('.')] : path;
}

/**
 * A copy of `raw` with the override applied; mappings on the way are made where there are none.
 * @throws PortPartyError (exit 2) when the path leads through a value that holds no keys
 */
export function applyOverride(raw: unknown, override: Override): unknown {
  const root = structuredClone(raw);
  let holder = root as Record<string | number, unknown>;
  for (const [index, step] of override.path.slice(0, -1).entries()) {
    const next = readStep(holder, step, override, index);
    if (next === undefined || next === null) holder[step] = {};
    holder = holder[step] as Record<string | number, unknown>;
  }
  const last = override.path.at(-1)!;
  readStep(holder, last, override, override.path.length - 1);
  if (override.value === null && !Array.isArray(holder)) delete holder[last];
  else holder[last] = override.value;
  return root;
}

function readStep(holder: unknown, step: string | number, override: Override, index: number): unknown {
  const holderName = override.path.slice(0, index).join('.');
  if (Array.isArray(holder)) {
    if (typeof step === 'number' && step < holder.length) return holder[step];
    const range = holder.length === 0 ? 'an empty list' : `a list of ${holder.length}, numbered from 0`;
    throw usageError(`\`${holderName}\` has no item ${step}`, override.option, `it is ${range}`);
  }
  if (!isMapping(holder)) throw usageError(`\`${holderName}\` holds no keys`, override.option);
  return Object.hasOwn(holder, step) ? (holder as Record<string | number, unknown>)[step] : undefined;
}
