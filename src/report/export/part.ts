/** One file of an export before it is written: how much it changes is known first, for the comments of all speak of it. */
import type { ExportedFile } from './export.js';

/** What the comments of an export say. */
export interface PartContext {
  /** Behind, or above, each line that changes something. */
  comment: string;
  /** Which variants of which run, for the head of a file. */
  source: string;
  /** The measured effect, for the head of a file. */
  measured: string;
}

/** One file. */
export interface Part {
  name: string;
  node: string;
  /** What it holds, in words: `lines for your nginx.conf`. */
  about: string;
  /** How many settings it changes. */
  changes: number;
  /** Its text, with these comments. */
  render(context: PartContext): ExportedFile;
}

/** The comment at the head of a file. */
export function headLines(node: string, { source, measured }: PartContext, more: string[]): string {
  return [`For ${node}: ${source}`, `Measured: ${measured}.`, ...more].map((line) => `# ${line}\n`).join('');
}
