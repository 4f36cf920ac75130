/** Small file operations that a record needs: whole or not at all, one line at a time, and the link to the latest run. */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Replaces a file's text so that a reader sees the old text or the new one, never a part. */
export function writeWhole(path: string, text: string): void {
  const temporary = join(dirname(path), `.${basename(path)}.new`);
  const fd = openSync(temporary, 'w');
  try {
    writeFileSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  renameSync(temporary, path);
}

/**
 * Makes a folder and those above it that are missing. Node's own `recursive` never ends where a file system takes no
 * folders and answers ENOENT, such as /proc (seen with Node 20).
 */
export function makeFolders(path: string): void {
  if (existsSync(path)) return;
  makeFolders(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    // Another run may have made it meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

const REASONS: Record<string, string> = {
  EACCES: 'writing here is not permitted',
  EISDIR: 'this is a folder',
  ENOTDIR: 'a file is in the way',
  ENOENT: 'no folder can be made here',
  ENOSPC: 'the disk is full',
  EROFS: 'the file system is read-only',
};

/** Why a file or a folder could not be made, in words. */
export function whyNotWritten(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === undefined ? message : (REASONS[code] ?? code);
}

/** An open file of JSON lines. */
export interface LineFile {
  /** Writes one value as one line, at once. */
  append(value: object): void;
  /** Many values in few writes. */
  appendAll(values: Iterable<object>): void;
  /** Closes the file; every line that was appended is in it. */
  close(): void;
}

/** Text gathered for one write; all of a large trial's lines would not fit into one string. */
const WRITE_CHARACTERS = 1 << 20;

/** Creates a file of JSON lines (https://github.com/ndjson/ndjson-spec). */
export function createLineFile(path: string): LineFile {
  const fd = openSync(path, 'a');
  const write = (text: string) => {
    const bytes = Buffer.from(text);
    let at = 0;
    while (at < bytes.length) at += writeSync(fd, bytes, at);
  };
  return {
    append: (value) => write(`${JSON.stringify(value)}\n`),
    appendAll(values) {
      let text = '';
      for (const value of values) {
        text += `${JSON.stringify(value)}\n`;
        if (text.length < WRITE_CHARACTERS) continue;
        write(text);
        text = '';
      }
      if (text !== '') write(text);
    },
    close: () => closeSync(fd),
  };
}

/** Points `<folder>/latest` at a run beside it. Where links are impossible there is none: `readRun` then looks for the newest run. */
export function linkLatest(folder: string, id: string): void {
  const temporary = join(folder, `.latest-${id}`);
  try {
    symlinkSync(id, temporary);
    renameSync(temporary, join(folder, 'latest'));
  } catch {
    try {
      unlinkSync(temporary);
    } catch {
      // It was never made.
    }
  }
}

/** A name as a part of a file name: what file systems or shells treat specially becomes `_`. */
export function fileNamePart(name: string): string {
  return name.replace(/[^\w.-]+/g, '_').replace(/^\./, '_');
}

/** A trial's part of a file's or folder's name: `as-shipped-1`. */
export function trialName(variant: string, trial: number): string {
  return `${fileNamePart(variant)}-${trial}`;
}
