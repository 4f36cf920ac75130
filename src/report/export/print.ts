/** Marked statements as text to paste: the changed lines inside their blocks, each with the comment that says what it did. */
import type { MarkedStatement } from './difference.js';
import type { Block, Syntax } from './statements.js';

/** How a product's lines and comments are written. */
export interface Style {
  syntax: Syntax;
  /** Behind the line, or, where the product would take it for a part of the line, on a line of its own above. */
  comments: 'behind' | 'above';
}

/** A block with what is in it, in order. */
interface Branch {
  block: Block;
  inside: (Branch | MarkedStatement)[];
}

/**
 * Statements as text. Those that are the same in both configurations have no comment, and neither have blocks whose id is `known`: the
 * reader has them already.
 */
export function printStatements(
  statements: MarkedStatement[],
  { syntax, comments }: Style,
  comment: string,
  known: ReadonlySet<string>,
): string {
  const inBraces = syntax === 'braces' || syntax === 'semicolons';
  const commented = (line: string, words: string) =>
    comments === 'behind' ? [`${line}  # ${words}`] : [`# ${words}`, line];
  const statement = ({ text, mark, replaced, remark }: MarkedStatement) => {
    const words = remark === undefined ? comment : `${comment}; ${remark}`;
    if (mark === 'same') return [text];
    if (mark === 'new') return commented(text, words);
    return [replaced ? `# was: ${text}` : `# remove: ${text}  # ${words}`];
  };
  const lines = (items: Branch['inside']): string[] =>
    items.flatMap((item) => {
      if (!('block' in item)) return statement(item);
      const head = inBraces ? `${item.block.head} {` : item.block.head;
      return [
        ...(known.has(item.block.id) ? [head] : commented(head, comment)),
        ...lines(item.inside).map((line) => `  ${line}`),
        inBraces ? '}' : '',
      ];
    });
  return `${lines(treeOf(statements)).join('\n').trimEnd()}\n`;
}

/** Puts the statements of a block together: what went away may come long before what takes its place. */
function treeOf(statements: MarkedStatement[]): Branch['inside'] {
  const root: Branch['inside'] = [];
  const branches = new Map<string, Branch>();
  for (const statement of statements) {
    let inside = root;
    for (const block of statement.blocks) {
      let branch = branches.get(block.id);
      if (branch === undefined) {
        branch = { block, inside: [] };
        branches.set(block.id, branch);
        inside.push(branch);
      }
      inside = branch.inside;
    }
    inside.push(statement);
  }
  return root;
}
