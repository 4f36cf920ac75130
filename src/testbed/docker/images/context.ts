/** What an image is built from: its folder of `docker/`, the built package where it runs one, and a hash over all of it. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, posix, sep } from 'node:path';
import { Readable } from 'node:stream';
import { type Pack, pack } from 'tar-stream';
import { testbedError } from '../../../errors.js';
import { DOCKER_DIR, PACKAGE_DIR } from './catalog.js';
import { importClosure } from './import-closure.js';
import { type NodeModules, nodeModules } from './node-modules.js';

/** A build's input, not read yet where that would take long. */
export interface BuildContext {
  /** Texts by path in the context, `Dockerfile` among them. */
  texts: Map<string, string>;
  /** Names of the packages that these texts import. */
  packages: Set<string>;
  /** They and what they depend on, to be copied. */
  modules: NodeModules;
  /** Files of this machine by path in the context. */
  binaries: Map<string, string>;
  version: string;
}

/** Collects the context of an image that runs these files of `dist/`, but for the packages, which depend on the daemon. Throws a PortPartyError (exit 3). */
export function imageContext(folder: string, programs: string[]): BuildContext {
  const version = packageVersion();
  const texts = readFolder(folder);
  const packages = new Set<string>();
  if (programs.length > 0) {
    const closure = importClosure(join(PACKAGE_DIR, 'dist'), programs);
    for (const [path, text] of closure.files) texts.set(`package/dist/${path}`, text);
    for (const name of closure.packages) packages.add(name);
    texts.set('package/package.json', JSON.stringify({ name: 'portparty', version, type: 'module' }));
  }
  return { texts, packages, modules: { placed: [], missing: [] }, binaries: new Map(), version };
}

/** Adds the packages for the daemon's processor, in Node's words. Throws a PortPartyError (exit 3). */
export function addPackages(context: BuildContext, cpu: string): void {
  context.modules = nodeModules(PACKAGE_DIR, context.packages, cpu);
}

function packageVersion(): string {
  return (JSON.parse(readFileSync(join(PACKAGE_DIR, 'package.json'), 'utf8')) as { version: string }).version;
}

function readFolder(folder: string): Map<string, string> {
  const root = join(DOCKER_DIR, folder);
  const texts = new Map<string, string>();
  try {
    for (const entry of readdirSync(root, { recursive: true, encoding: 'utf8' }))
      if (statSync(join(root, entry)).isFile())
        texts.set(entry.split(sep).join('/'), readFileSync(join(root, entry), 'utf8'));
  } catch (error) {
    throw testbedError(`cannot read docker/${folder}: ${(error as Error).message}`, undefined, undefined, error);
  }
  return texts;
}

/**
 * 12 hexadecimal digits over all that goes in. A published package never changes under its version, so its name and version
 * stand for it; a file of this machine is known by `salt`.
 */
export function contextHash(context: BuildContext, baseId: string, salt = ''): string {
  const hash = createHash('sha256').update(`${baseId}\0${salt}\0${context.version}\0`);
  for (const [path, text] of [...context.texts].sort(byFirst)) hash.update(`${path}\0${text}\0`);
  for (const { path, version } of context.modules.placed) hash.update(`${path}@${version}\0`);
  for (const native of context.modules.missing) hash.update(`${native}\0`);
  return hash.digest('hex').slice(0, 12);
}

function byFirst([one]: [string, string], [other]: [string, string]): number {
  return one < other ? -1 : 1;
}

/** Of a package only what runs: code, data and the licence. */
const RUNS = /\.(?:[cm]?js|json|node|wasm)$|^licen[cs]e/i;
/** Folders of packages that hold what does not run there. */
const DOES_NOT_RUN = new Set(['test', 'tests', 'docs', 'doc', 'example', 'examples', 'benchmarks', 'node_modules']);

/** The context as a tar stream, for the daemon; read while it is sent. */
export function contextTar(context: BuildContext): Readable {
  const tar = pack();
  fill(tar, context).then(
    () => tar.finalize(),
    (error) => tar.destroy(error as Error),
  );
  return Readable.from(tar);
}

async function fill(tar: Pack, { texts, modules, binaries }: BuildContext): Promise<void> {
  for (const [name, text] of texts) await add(tar, name, Buffer.from(text));
  for (const { path, source } of modules.placed) {
    for (const file of runningFiles(source))
      await add(tar, posix.join('package', path, file.split(sep).join('/')), readFileSync(join(source, file)));
  }
  for (const [name, file] of binaries) await add(tar, name, await readFile(file), 0o755);
}

/** The same every time, so that the daemon finds its cached step again. */
const ENTRY = { uid: 0, gid: 0, mtime: new Date(0) };

function add(tar: Pack, name: string, content: Buffer, mode = 0o644): Promise<void> {
  return new Promise((resolve, reject) => {
    tar.entry({ ...ENTRY, name, mode }, content, (error) => (error ? reject(error) : resolve()));
  });
}

function runningFiles(folder: string, below = ''): string[] {
  return readdirSync(join(folder, below), { withFileTypes: true }).flatMap((entry) => {
    const path = join(below, entry.name);
    if (entry.isDirectory()) return DOES_NOT_RUN.has(entry.name) ? [] : runningFiles(folder, path);
    return entry.isFile() && RUNS.test(entry.name) ? [path] : [];
  });
}
