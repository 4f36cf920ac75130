/** `matrix`: settings by the way to them, each with its values; every combination is a variant of its own, beside the named ones. */
import { isMapping } from './merge-patch.js';
import { type Override, pathOf } from './overrides.js';
import type { KeyPath, Problem } from './problem.js';

/** One combination. */
export interface Cell {
  /** `ports=1024-65535+addresses=2`. */
  name: string;
  /** What it sets, as if by `--set`; `option` is the value's place in the file. */
  settings: Override[];
  /** The same in words, by the setting's short name: `{ ports: '1024-65535', addresses: '2' }`. */
  labels: Record<string, string>;
}

/** One setting. */
interface Axis {
  /** The shortest end of its path that no other setting shares: `ports`, or `edge.ports`. */
  label: string;
  path: KeyPath;
  values: { value: unknown; text: string; at: KeyPath }[];
}

/** The place of a key or a value of the file, in words. */
type WhereOf = (at: KeyPath, part: 'key' | 'value') => string;

/** More trials than anybody waits for. */
const MOST_CELLS = 256;
const HEADS = ['topology', 'traffic', 'events'];
/** Behind it comes one name, dots and all. */
const SYSCTLS = 'sysctls';

/** The settings with their values as mappings or as dotted paths: `{ topology.edge.ports: [20000-20499, 1024-65535] }`. */
export function readMatrix(matrix: unknown, whereOf: WhereOf): { cells: Cell[]; problems: Problem[] } {
  const found: Omit<Axis, 'label'>[] = [];
  const problems: Problem[] = [];
  gather(matrix, [], ['matrix'], found, problems);
  const combinations = found.reduce((product, { values }) => product * values.length, found.length === 0 ? 0 : 1);
  if (combinations > MOST_CELLS) {
    const message = `the matrix makes ${combinations.toLocaleString('en-US')} variants`;
    problems.push({ message, hint: `at most ${MOST_CELLS}`, path: ['matrix'], at: 'key' });
  }
  if (problems.length > 0) return { cells: [], problems };
  return { cells: cellsOf(labelled(found), whereOf), problems };
}

/** Whether `wanted` names a variant: by its whole name, or a combination by some of its settings (`addresses=2`). */
export function namesVariant(wanted: string, variant: string): boolean {
  const parts = variant.split('+');
  return wanted.split('+').every((part) => parts.includes(part));
}

function gather(value: unknown, path: KeyPath, at: KeyPath, found: Omit<Axis, 'label'>[], problems: Problem[]): void {
  const name = path.join('.');
  if (Array.isArray(value)) {
    if (path.length < 2 || !HEADS.includes(String(path[0]))) {
      const hint = 'write the whole way to it: topology.edge.ports';
      problems.push({ message: `\`${name}\` is no setting of a scenario`, hint, path: at, at: 'key' });
    } else if (value.length === 0) {
      problems.push({ message: `\`${name}\` has no values`, hint: 'leave it out', path: at, at: 'value' });
    } else {
      const values = value.map((one, index) => ({ value: one, text: textOf(one, index), at: [...at, index] }));
      const twice = values.find(({ text }, index) => values.findIndex((other) => other.text === text) < index);
      if (twice !== undefined)
        problems.push({ message: `${twice.text} stands twice in \`${name}\``, path: twice.at, at: 'value' });
      if (found.some((axis) => axis.path.join('.') === name))
        problems.push({ message: `\`${name}\` stands twice`, path: at, at: 'key' });
      found.push({ path, values });
    }
    return;
  }
  if (isMapping(value) && Object.keys(value).length > 0) {
    for (const [key, below] of Object.entries(value)) {
      const steps = path.at(-1) === SYSCTLS ? [key] : pathOf(key.split('.'));
      gather(below, [...path, ...steps], [...at, key], found, problems);
    }
    return;
  }
  const message = path.length === 0 ? 'the matrix has no settings' : `\`${name}\` has no list of values`;
  const hint = 'write it like { topology.edge.ports: [20000-20499, 1024-65535] }';
  problems.push({ message, hint, path: at, at: path.length === 0 ? 'key' : 'value' });
}

/** Plain values as they are; others by their number, from 1. */
function textOf(value: unknown, index: number): string {
  if (value === null) return 'none';
  return typeof value === 'object' ? `#${index + 1}` : String(value).replace(/[\s+]+/g, '');
}

function labelled(found: Omit<Axis, 'label'>[]): Axis[] {
  const ends = (path: KeyPath, size: number) => path.slice(-size).join('.');
  return found.map((axis) => {
    let size = 1;
    while (
      size < axis.path.length &&
      found.some((other) => other !== axis && ends(other.path, size) === ends(axis.path, size))
    )
      size++;
    return { label: ends(axis.path, size), ...axis };
  });
}

function cellsOf(axes: Axis[], whereOf: WhereOf): Cell[] {
  let cells: Cell[] = [{ name: '', settings: [], labels: {} }];
  for (const { label, path, values } of axes) {
    cells = cells.flatMap(({ name, settings, labels }) =>
      values.map(({ value, text, at }) => ({
        name: `${name === '' ? '' : `${name}+`}${label}=${text}`,
        settings: [...settings, { option: whereOf(at, 'value'), key: whereOf(at.slice(0, -1), 'key'), path, value }],
        labels: { ...labels, [label]: text },
      })),
    );
  }
  return cells;
}
