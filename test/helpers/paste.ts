/** Pastes exported lines into a user's own configuration as a reader would, but mechanically: each line into the block that it stands in. */

/** Lines of a text with the first words of the blocks around them: `http/server/location`. */
function linesIn(text: string, syntax: 'braces' | 'sections'): { line: string; at: string; opens?: string }[] {
  const open: string[] = [];
  return text.split('\n').map((line) => {
    const code = line.replace(/\s+# .*$/, '').trim();
    const word = code.split(/\s+/)[0];
    const at = open.join('/');
    if (syntax === 'sections') {
      if (code === '' || code.startsWith('#') || /^\s/.test(line)) return { line, at };
      open.splice(0, 1, word);
      return { line, at: '', opens: word };
    }
    if (code.endsWith('{')) {
      open.push(word);
      return { line, at, opens: open.join('/') };
    }
    if (code === '}') open.pop();
    return { line, at };
  });
}

/**
 * Puts every exported directive right below the head of the block of the same kind; a directive of the same name that the export
 * says it replaces (`# was:`) is taken out.
 */
export function paste(own: string, exported: string, syntax: 'braces' | 'sections'): string {
  const lines = linesIn(exported, syntax);
  const code = (line: string) => line.trim();
  const fresh = lines.filter(
    ({ line, opens }) => opens === undefined && code(line) !== '' && !/^(#|\})/.test(code(line)),
  );
  const gone = new Set(
    lines.flatMap(({ line, at }) => /^# (?:was|remove): ([^#]*)/.exec(code(line))?.[1].trim().concat(` ${at}`) ?? []),
  );
  const missing = new Set(fresh.map(({ at }) => at));
  const pasted = linesIn(own, syntax).flatMap(({ line, at, opens }) => {
    if (gone.has(`${code(line)} ${at}`)) return [];
    if (opens === undefined) return [line];
    missing.delete(opens);
    return [line, ...fresh.filter((one) => one.at === opens).map((one) => one.line)];
  });
  if (missing.size > 0) throw new Error(`the own configuration has no ${[...missing].join(', ')}`);
  return pasted.join('\n');
}
