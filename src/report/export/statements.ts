/** A configuration text as a list of statements, each with the blocks that enclose it: what two configurations are compared by. */

/**
 * How a product's configuration is written: blocks in braces with a statement on each line, or with statements that end by a semicolon
 * wherever lines do; sections whose lines are indented; or lines alone.
 */
export type Syntax = 'braces' | 'semicolons' | 'sections' | 'lines';

/** A block or section. */
export interface Block {
  /** Its first line without the brace: `upstream backends`. */
  head: string;
  /** Its place among all blocks of the text: the heads on the way to it, each with its number among those of the same name. */
  id: string;
}

/** One directive, or one line. */
export interface Statement {
  /** From the outermost one inwards. */
  blocks: Block[];
  text: string;
}

/** Reads a text; comments of their own lines and empty lines are left out, and so are blocks with nothing in them. */
export function statementsOf(text: string, syntax: Syntax): Statement[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !/^\s*(#|\/\/)/.test(line));
  if (syntax === 'lines') return lines.map((line) => ({ blocks: [], text: line.trim() }));
  return syntax === 'sections'
    ? inSections(lines)
    : inBraces(syntax === 'semicolons' ? wholeStatements(lines) : lines.map((line) => line.trim()));
}

/** Gives each block its id; those of the same head in the same place are numbered. */
function blockMaker(): (head: string, outer: Block | undefined) => Block {
  const seen = new Map<string, number>();
  return (head, outer) => {
    const name = `${outer?.id ?? ''}/${head}`;
    const number = seen.get(name) ?? 0;
    seen.set(name, number + 1);
    return { head, id: `${name}#${number}` };
  };
}

function inSections(lines: string[]): Statement[] {
  const make = blockMaker();
  let section: Block | undefined;
  return lines.flatMap((line) => {
    if (!/^\s/.test(line)) {
      section = make(line.trim(), undefined);
      return [];
    }
    return [{ blocks: section === undefined ? [] : [section], text: line.trim() }];
  });
}

function inBraces(lines: string[]): Statement[] {
  const make = blockMaker();
  const open: Block[] = [];
  const statements: Statement[] = [];
  for (const line of lines) {
    if (/\{$/.test(line)) {
      // `} else {` closes one block and opens the next.
      if (line.startsWith('}')) open.pop();
      open.push(make(line.replace(/\s*\{$/, '').replace(/^\}\s*/, ''), open.at(-1)));
    } else if (/^\}/.test(line)) open.pop();
    else statements.push({ blocks: [...open], text: line });
  }
  return statements;
}

/** Statements that go over several lines, each in one. */
function wholeStatements(lines: string[]): string[] {
  const whole: string[] = [];
  let begun = '';
  for (const line of lines) {
    begun = begun === '' ? line.trim() : `${begun} ${line.trim()}`;
    if (!/[;{}]\s*(#.*)?$/.test(line)) continue;
    whole.push(begun);
    begun = '';
  }
  return begun === '' ? whole : [...whole, begun];
}
