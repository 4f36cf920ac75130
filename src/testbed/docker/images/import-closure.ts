/** Which files of `dist/` and which packages a program needs: all that its entry files import, and what those import. */
import { readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import { testbedError } from '../../../errors.js';

/** Everything that a program imports. */
export interface ImportClosure {
  /** Text by path, relative to `dist/`. */
  files: Map<string, string>;
  /** Names of the packages that these files import. */
  packages: Set<string>;
}

/**
 * How our compiled files name others: static imports, `import()`, the `new URL()` of a thread's file, and the `require` of
 * a CommonJS package. A relative name is one of our files.
 */
const IMPORTS = [
  /^(?:import|export)\s(?:[^'";]*\sfrom\s)?['"]([^'"]+)['"]/gm,
  /\bimport\(['"]([^'"]+)['"]\)/g,
  /\bnew URL\(['"](\.\/[^'"]+\.js)['"], import\.meta\.url\)/g,
  /\bcreateRequire\(import\.meta\.url\)\(['"]([^'".][^'"]*)['"]\)/g,
];

/** Follows the imports from the entry files. Throws a PortPartyError (exit 3) for a file that is not built. */
export function importClosure(distDir: string, entries: string[]): ImportClosure {
  const files = new Map<string, string>();
  const packages = new Set<string>();
  const open = [...entries];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (files.has(path)) continue;
    const text = readBuilt(distDir, path);
    files.set(path, text);
    for (const pattern of IMPORTS)
      for (const [, name] of text.matchAll(pattern)) {
        if (name.startsWith('.')) open.push(posix.join(posix.dirname(path), name));
        else if (!isBuiltin(name)) packages.add(packageOf(name));
      }
  }
  return { files, packages };
}

function readBuilt(distDir: string, path: string): string {
  try {
    return readFileSync(`${distDir}/${path}`, 'utf8');
  } catch (error) {
    throw testbedError(`cannot read dist/${path}: ${(error as Error).message}`, undefined, 'npm run build', error);
  }
}

/** `undici/lib/x.js` is of `undici`, `@koromix/koffi/x` of `@koromix/koffi`. */
function packageOf(name: string): string {
  return name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/');
}
