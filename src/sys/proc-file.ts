/** Files of /proc that are read every second: kept open, read into one buffer, and only the wanted numbers looked at, for a watch runs for months. */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

/** Text of a file below /proc, read once; '' where this kernel does not have it, or its process has just ended. */
export function readProc(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** An open file of /proc; it tells of the network namespace in which it was opened. */
export interface ProcFile {
  /** Its text now; '' where this kernel does not have it. */
  read(): string;
  /** Closes it. */
  close(): void;
}

/** The longest of them, /proc/net/netstat, has 4 KiB; /proc/net/stat/nf_conntrack has 150 bytes for each core. */
const buffer = Buffer.alloc(1 << 17);

/** Opens a file of /proc. */
export function procFile(path: string): ProcFile {
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
  } catch {
    // This kernel does not have it, or it is closed to this user: the same as an empty one.
  }
  return {
    read() {
      if (fd === undefined) return '';
      try {
        return buffer.toString('latin1', 0, readSync(fd, buffer, 0, buffer.length, 0));
      } catch {
        return '';
      }
    },
    close() {
      if (fd !== undefined) closeSync(fd);
      fd = undefined;
    },
  };
}

/** Reads wanted numbers of /proc/net/netstat or /proc/net/snmp, in their order; 0 for one that the kernel does not have. */
export type NumberPicker = (text: string) => number[];

/** A picker of `names` of one group, such as `TcpExt`: a line of names above a line of values. Where they stand is found once. */
export function pickNumbers(group: string, names: readonly string[]): NumberPicker {
  let places: number[] | undefined;
  const lead = `${group}: `;
  return (text) => {
    const head = text.startsWith(lead) ? 0 : text.indexOf(`\n${lead}`) + 1;
    const line = text.indexOf(`\n${lead}`, head) + 1;
    if (line === 0) return names.map(() => 0);
    if (places === undefined) {
      const columns = text.slice(head, line - 1).split(' ');
      places = names.map((name) => columns.indexOf(name));
    }
    return places.map((place) => (place < 0 ? 0 : numberAt(text, line, place)));
  };
}

/** The number behind the `place`th space of a line. */
function numberAt(text: string, line: number, place: number): number {
  let at = line;
  for (let space = 0; space < place; space++) at = text.indexOf(' ', at) + 1;
  return Number.parseInt(text.slice(at, at + 20), 10);
}
