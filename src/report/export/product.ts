/** The lines of a product that a variant has and its base has not, as a file to paste from. */
import { type Addresses, hasAddress } from './addresses.js';
import { changesIn, difference, newWords } from './difference.js';
import type { Part, PartContext } from './part.js';
import { headLines } from './part.js';
import { printStatements } from './print.js';
import type { ProductFile } from './products.js';
import { statementsOf } from './statements.js';

/** A file of one host in both variants; `undefined` in the base where the node was none of this kind there. */
export interface FilePair {
  base: { text: string | undefined; addresses: Addresses };
  variant: { text: string; addresses: Addresses };
}

/** What changed in one file; undefined where nothing did that matters outside of the testbed. */
export function productPart(node: string, file: ProductFile, pair: FilePair): Part | undefined {
  const { base, variant } = pair;
  const read = (text: string, { hide }: Addresses) =>
    statementsOf(hide(file.prepare?.(text) ?? text), file.syntax).filter((statement) => !file.ofTestbed(statement));
  const old = base.text === undefined ? [] : read(base.text, base.addresses);
  const all = difference(old, read(variant.text, variant.addresses), file.nameOf);
  const changed = (file.tidy?.(all) ?? all).filter(({ mark }) => mark !== 'same');
  if (changed.length === 0) return undefined;
  const shown = changed.map((statement) => {
    // What went away was at the base's addresses.
    const { show } = statement.mark === 'gone' ? base.addresses : variant.addresses;
    const blocks = statement.blocks.map(({ head, id }) => ({ head: show(head), id }));
    return { ...statement, blocks, text: show(statement.text), remark: statement.remark ?? remarkOf(statement) };
  });
  // Blocks that are in the base as well are the reader's own, and have no comment.
  const known = new Set(old.flatMap(({ blocks }) => blocks.map(({ id }) => id)));
  const [before, behind] = file.exportedAs;
  const name = `${before}-${node}${behind}`;
  return {
    name,
    node,
    about: `lines for your ${file.yours}`,
    changes: changesIn(changed),
    render(context: PartContext) {
      const where =
        file.syntax === 'lines'
          ? `Put each line into your own ${file.yours}, in the place of the one that it replaces.`
          : `Put each line into the block of your own ${file.yours} that it stands in here; yours may have other names.`;
      const whole =
        base.text === undefined
          ? ['The base has no such file: this is all of it but what only the testbed needs.']
          : [];
      const foreign = changed.some(({ text }) => hasAddress(text))
        ? ['Addresses from 198.18.0.0/15 are those of the testbed: put your own in their place.']
        : [];
      const text = printStatements(shown, file, context.comment, known);
      return { name, text: `${headLines(node, context, [where, ...whole, ...foreign])}\n${text}` };
    },
  };
}

function remarkOf({ text, replaces }: { text: string; replaces?: string }): string | undefined {
  if (!hasAddress(text)) return undefined;
  const words = replaces === undefined ? '' : newWords(text, replaces);
  return `${words === '' || hasAddress(words) ? '' : `new here: ${words}; `}the testbed's address, put your own`;
}
