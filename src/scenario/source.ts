/** A scenario file's YAML with the position of every key and value, so that each message can point at its line and column. */
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument } from 'yaml';
import type { KeyPath } from './problem.js';

/** A parsed file. */
export interface Source {
  /** As given on the command line. */
  file: string;
  text: string;
  document: Document;
  lines: LineCounter;
}

/** A place in the file. */
export interface Spot {
  /** How many keys of the wanted path the file really has. */
  depth: number;
  /** The key that leads there; undefined for list items and the file itself. */
  key: Node | undefined;
  value: Node | undefined;
}

/** Parses YAML 1.2 text. Never throws: what is wrong is in `document.errors` and `document.warnings`. */
export function readSource(text: string, file: string): Source {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, keepSourceTokens: true, prettyErrors: false });
  return { file, text, document, lines };
}

/** `file:line:column` of an offset in the text; both count from 1. */
export function whereOf(source: Source, offset: number): string {
  const { line, col } = source.lines.linePos(offset);
  return `${source.file}:${Math.max(line, 1)}:${Math.max(col, 1)}`;
}

/** The value at a path of the file, or undefined. */
export function nodeAt(source: Source, path: KeyPath): Node | undefined {
  const spot = find(source, source.document.contents, path);
  return spot.depth === path.length ? spot.value : undefined;
}

/** The deepest place on the way along `path` below `root` that the file really has. */
export function find(source: Source, root: unknown, path: KeyPath): Spot {
  let spot: Spot = { depth: 0, key: undefined, value: (root ?? undefined) as Node | undefined };
  for (const step of path) {
    const next = child(source, spot.value, step);
    if (next === undefined) return spot;
    spot = { depth: spot.depth + 1, ...next };
  }
  return spot;
}

/**
 * The deepest place along `path` in a file whose variant is the merge patch `patch`: where the patch has the key, the
 * patch's line counts, because a patch's scalars and lists replace the base's. `patched` says which of the two it was.
 */
export function findMerged(source: Source, patch: unknown, path: KeyPath): Spot & { patched: boolean } {
  const inPatch = find(source, patch, path);
  const inBase = find(source, source.document.contents, path);
  const replaced = inPatch.depth > 0 && !isMap(resolved(source, inPatch.value));
  const patched = replaced || inPatch.depth > inBase.depth;
  return patched ? { ...inPatch, patched } : { ...inBase, patched };
}

/** Offset to point at: the key itself, or the value; the key where the value is not written. */
export function offsetOf(spot: Spot, part: 'key' | 'value'): number {
  const written = spot.value?.range && (spot.value.range[1] > spot.value.range[0] || spot.key === undefined);
  const node = part === 'value' && written ? spot.value : (spot.key ?? spot.value);
  return node?.range?.[0] ?? 0;
}

function child(source: Source, node: Node | undefined, step: string | number): Omit<Spot, 'depth'> | undefined {
  const holder = resolved(source, node);
  if (isMap(holder)) {
    const pair = holder.items.find((item) => keyText(item) === String(step));
    return pair && { key: pair.key as Node, value: (pair.value ?? undefined) as Node | undefined };
  }
  if (isSeq(holder) && typeof step === 'number' && step < holder.items.length) {
    return { key: undefined, value: holder.items[step] as Node };
  }
  return undefined;
}

function resolved(source: Source, node: unknown): unknown {
  return isAlias(node) ? node.resolve(source.document) : node;
}

function keyText(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
}
