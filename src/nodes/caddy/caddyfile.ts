/** Reads a Caddyfile: where its blocks and the directives in them begin and end. */

/** A directive of a block, from its name to the end of its line, or of its own block. */
export interface Directive {
  name: string;
  words: string[];
  start: number;
  end: number;
}

/** A block at the top level: the global options, a snippet, or a site. */
export interface Block {
  kind: 'options' | 'snippet' | 'site';
  /** What stands before its brace: the site's addresses, or the snippet's name. */
  keys: string[];
  /** Behind its opening brace; behind its addresses where a file is a single site without braces. */
  inside: number;
  directives: Directive[];
}

interface Token {
  text: string;
  start: number;
  end: number;
  line: number;
  quoted: boolean;
}

/** A comment, a text in quotes or backticks, a line break, or a plain word; a backslash before a line break takes it away. */
const TOKEN = /#[^\n]*|"(?:\\.|[^"\\])*"|`[^`]*`|\\\r?\n|\n|[^\s"`#][^\s]*/g;

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let line = 0;
  for (const { 0: word, index: start } of text.matchAll(TOKEN)) {
    if (word === '\n') line++;
    if (word === '\n' || word.startsWith('#') || /^\\\r?\n$/.test(word)) continue;
    const quoted = /^["`]/.test(word);
    tokens.push({ text: quoted ? word.slice(1, -1) : word, start, end: start + word.length, line, quoted });
    line += quoted ? word.split('\n').length - 1 : 0;
  }
  return tokens;
}

const isBrace = (token: Token | undefined, brace: '{' | '}') => token?.text === brace && !token.quoted;

/** The blocks of a Caddyfile in their order; what is imported at the top level stands as a site without directives. */
export function blocksOf(text: string): Block[] {
  const tokens = tokensOf(text);
  const blocks: Block[] = [];
  for (let at = 0; at < tokens.length; ) {
    const keys: Token[] = [];
    // Addresses go on behind a comma on the next line.
    while (at < tokens.length && !isBrace(tokens[at], '{')) {
      const before = keys.at(-1);
      if (before !== undefined && tokens[at].line > before.line && !before.text.endsWith(',')) break;
      keys.push(tokens[at++]);
    }
    const words = keys.map((key) => key.text);
    const opening = isBrace(tokens[at], '{') ? tokens[at++] : undefined;
    if (opening === undefined && words[0] === 'import') {
      blocks.push({ kind: 'site', keys: words, inside: keys[0].start, directives: [] });
      continue;
    }
    const directives: Directive[] = [];
    while (at < tokens.length && !isBrace(tokens[at], '}')) {
      const { directive, next } = readDirective(tokens, at);
      directives.push(directive);
      at = next;
    }
    at++;
    const kind = words.length === 0 ? 'options' : /^\(.*\)$/.test(words[0]) ? 'snippet' : 'site';
    blocks.push({ kind, keys: words, inside: opening?.end ?? keys.at(-1)?.end ?? 0, directives });
  }
  return blocks;
}

function readDirective(tokens: Token[], from: number): { directive: Directive; next: number } {
  const words: string[] = [];
  let depth = 0;
  let next = from;
  do {
    const token = tokens[next++];
    if (isBrace(token, '{')) depth++;
    else if (isBrace(token, '}')) depth--;
    else if (depth === 0) words.push(token.text);
  } while (next < tokens.length && (depth > 0 || tokens[next].line === tokens[next - 1].line));
  const [name, ...rest] = words;
  return { directive: { name, words: rest, start: tokens[from].start, end: tokens[next - 1].end }, next };
}
