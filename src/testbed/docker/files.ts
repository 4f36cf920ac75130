/** Files of a container: through the daemon's archive calls, or straight from its root where this process sees it. */
import { constants, mkdirSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { basename, dirname, posix, resolve, sep } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import type { Container } from 'dockerode';
import { extract, pack } from 'tar-stream';
import { daemonError, isNotFound } from './daemon.js';

/** The user of our own images (docker/), whose folders are theirs. */
const IMAGE_USER = 10001;

/** A file to put into a container. */
export interface FileToPut {
  /** Absolute path in the container. */
  path: string;
  text: string;
}

/**
 * Puts files into a container, started or not; folders that are missing are made, and all may write to them. The files belong to the
 * user of our own images: in a folder that all may write to, a daemon must not even open another one's file to write it
 * (`fs.protected_regular`, Documentation/admin-guide/sysctl/fs.rst). Throws a PortPartyError (exit 3).
 */
export async function putFiles(
  container: Container,
  where: string,
  files: FileToPut[],
  folders: string[] = [],
): Promise<void> {
  const archive = pack();
  for (const folder of folders) archive.entry({ name: `${folder.slice(1)}/`, type: 'directory', mode: 0o1777 });
  for (const { path, text } of files)
    archive.entry({ name: path.slice(1), mode: 0o644, uid: IMAGE_USER, gid: IMAGE_USER }, text);
  archive.finalize();
  try {
    await container.putArchive(await buffer(archive), { path: '/' });
  } catch (error) {
    throw daemonError(`writing ${files.map(({ path }) => path).join(', ')}`, error, where);
  }
}

/**
 * Text of a file in a container, '' when there is none. `root` is the container's root as this process sees it; undefined: by the API.
 * Throws a PortPartyError (exit 3).
 */
export async function readText(
  container: Container,
  where: string,
  root: string | undefined,
  path: string,
): Promise<string> {
  if (root !== undefined) {
    try {
      // A link would lead to a file of this machine.
      return await readFile(`${root}${path}`, { encoding: 'utf8', flag: constants.O_RDONLY | constants.O_NOFOLLOW });
    } catch (error) {
      // A link, which the daemon follows inside the container, or gone with the container's processes: the daemon still has the files.
      if (!['ELOOP', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? ''))
        throw daemonError(`reading ${path}`, error, where);
    }
  }
  let text = '';
  await eachFile(container, where, path, (_name, content) => {
    text = content.toString('utf8');
  });
  return text;
}

/** Copies all files of a container's folder to a folder of this machine; names that lead out of it are left out. */
export async function copyFolder(container: Container, where: string, from: string, to: string): Promise<void> {
  const files: [string, Buffer][] = [];
  await eachFile(container, where, from, (name, content) => files.push([name, content]));
  const top = resolve(to);
  for (const [name, content] of files) {
    // The archive's names begin with the folder's own.
    const path = resolve(top, name.split('/').slice(1).join('/') || basename(name));
    if (!path.startsWith(`${top}${sep}`)) continue;
    mkdirSync(dirname(path), { recursive: true });
    await writeFile(path, content);
  }
}

/** Visits the regular files of an archive of the path; none when the path is not there. */
async function eachFile(
  container: Container,
  where: string,
  path: string,
  visit: (name: string, content: Buffer) => void,
): Promise<void> {
  try {
    const archive = extract();
    archive.on('entry', (header, stream, next) => {
      if (header.type !== 'file') {
        stream.resume();
        stream.once('end', () => next());
        return;
      }
      buffer(stream).then((content) => {
        visit(header.name, content);
        next();
      }, next);
    });
    await pipeline(await container.getArchive({ path }), archive);
  } catch (error) {
    if (isNotFound(error)) return;
    throw daemonError(`reading ${path}`, error, where);
  }
}

/** A path in the container, relative ones from `folder`. */
export function inFolder(folder: string, path: string): string {
  return path.startsWith('/') ? path : posix.join(folder, path);
}
