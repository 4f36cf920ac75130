/** The `node_modules` of an image: the packages that are needed, with their dependencies, for the daemon's system and processor. */
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { testbedError } from '../../../errors.js';

/** A package as it is to lie in an image. */
export interface PlacedPackage {
  /** Relative to the image's package folder, e.g. `node_modules/koffi`. */
  path: string;
  /** Where it lies on this machine. */
  source: string;
  version: string;
}

/** The packages of an image. */
export interface NodeModules {
  placed: PlacedPackage[];
  /** Native code that is not installed here, because this machine is another than the daemon's: `name@version`. */
  missing: string[];
}

interface Manifest {
  version: string;
  os?: string[];
  cpu?: string[];
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
}

interface Wanted {
  name: string;
  range: string;
  optional: boolean;
  /** Folder on this machine from which Node would look for it. */
  from: string;
  /** Folders in the image in which Node would look for it, the outermost first. */
  within: string[];
}

/**
 * Places packages and their dependencies: at the top, or in the folder of whoever needs them where the top has another
 * version. So any layout on this machine (npm, pnpm, a workspace) comes to one that Node resolves in the image.
 * `cpu` is the image's processor in Node's words, `x64`. Throws a PortPartyError (exit 3) when one is not installed.
 */
export function nodeModules(packageDir: string, names: Iterable<string>, cpu: string): NodeModules {
  const placed = new Map<string, PlacedPackage>();
  const missing: string[] = [];
  const wanted = Array.from(
    names,
    (name): Wanted => ({ name, range: '', optional: false, from: packageDir, within: [''] }),
  );
  // In this order, so that what is asked for directly has its place at the top.
  for (const { name, range, optional, from, within } of wanted) {
    const found = findPackage(from, name);
    if (found === undefined) {
      if (!optional) throw testbedError(`the package ${name} is not installed`, packageDir, 'npm ci');
      if (name.endsWith(`linux-${cpu}`)) missing.push(`${name}@${range}`);
      continue;
    }
    const { source, manifest } = found;
    const { version, os = ['linux'], cpu: cpus = [cpu], dependencies, optionalDependencies } = manifest;
    if (optional && !(os.includes('linux') && cpus.includes(cpu))) continue;
    const visible = within.map((folder) => placed.get(modulePath(folder, name))).findLast((one) => one !== undefined);
    if (visible?.version === version) continue;
    const home = visible === undefined ? '' : within.at(-1)!;
    const path = modulePath(home, name);
    placed.set(path, { path, source, version });
    const inside = [...within.slice(0, within.indexOf(home) + 1), path];
    for (const [dependency, of] of Object.entries({ ...dependencies, ...optionalDependencies }))
      wanted.push({
        name: dependency,
        range: of,
        optional: optionalDependencies?.[dependency] !== undefined,
        from: source,
        within: inside,
      });
  }
  return { placed: [...placed.values()], missing };
}

function modulePath(folder: string, name: string): string {
  return posix.join(folder, 'node_modules', name);
}

interface FoundPackage {
  source: string;
  manifest: Manifest;
}

/** As Node resolves it: the folder's own `node_modules`, then those of the folders around it. */
function findPackage(from: string, name: string): FoundPackage | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const modules = join(folder, 'node_modules');
    const found = hasFolder(modules) ? readPackage(join(modules, name)) : undefined;
    if (found !== undefined || folder === dirname(folder)) return found;
  }
}

const hasFolder = remembered(existsSync);

const readPackage = remembered((folder: string): FoundPackage | undefined => {
  const path = join(folder, 'package.json');
  // Asked first, as an exception costs much more than the question.
  if (!existsSync(path)) return undefined;
  return { source: realpathSync.native(folder), manifest: JSON.parse(readFileSync(path, 'utf8')) as Manifest };
});

/** Most questions are asked many times, and what is installed does not change under a running process. */
function remembered<Answer>(ask: (path: string) => Answer): (path: string) => Answer {
  const answers = new Map<string, Answer>();
  return (path) => {
    if (!answers.has(path)) answers.set(path, ask(path));
    return answers.get(path) as Answer;
  };
}
