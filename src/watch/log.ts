/** The log of a watch: a line of JSON per sample and per warning, in a file that rotates by size. */
import { closeSync, openSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { finished } from 'node:stream/promises';
import { createStream } from 'rotating-file-stream';
import { testbedError, usageError } from '../errors.js';

/** Where it goes and how large it gets. */
export interface WatchLogOptions {
  file: string;
  /** A file is set aside when it has this size: `10M`, `500K`. */
  size: string;
  /** As many old files are kept beside it: FILE.1 is the last one. */
  keep: number;
}

/** An open log. */
export interface WatchLog {
  /** Writes a value as one line. Throws a PortPartyError (exit 3) where an earlier one could not be written. */
  write(value: unknown): void;
  /** Resolves when all of it is in the file. */
  close(): Promise<void>;
}

/** Opens or continues it. Throws a usageError where the file cannot be written. */
export function openWatchLog({ file, size, keep }: WatchLogOptions): WatchLog {
  try {
    closeSync(openSync(file, 'a'));
  } catch (error) {
    throw usageError(`cannot write the log: ${(error as Error).message}`, `--log ${file}`);
  }
  const stream = createStream(basename(file), { path: dirname(file), size, rotate: keep });
  let failure: Error | undefined;
  stream.on('error', (error) => {
    failure ??= error;
  });
  const check = () => {
    if (failure !== undefined) throw testbedError(`cannot write the log: ${failure.message}`, file);
  };
  return {
    write(value) {
      check();
      stream.write(`${JSON.stringify(value)}\n`);
    },
    async close() {
      stream.end();
      await finished(stream).catch((error: Error) => {
        failure ??= error;
      });
      check();
    },
  };
}
