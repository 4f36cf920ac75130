/** What Traffic Server's diags.log tells of its backends and of itself. */

/** A backend was held down from then on. */
export interface MarkDown {
  /** Unix time, ms. */
  at: number;
  /** `address:port`. */
  to: string;
  line: string;
}

/** What Traffic Server's own log (diags.log) told of one host. */
export interface Diags {
  markDowns: MarkDown[];
  /** Lines that tell of too many connections for its descriptors: at most one in ten minutes is written. */
  shortages: { at: number; line: string }[];
}

const LINE = /^\[(\w{3}) +(\d+) (\d\d:\d\d:\d\d\.\d{3})\] (?:\[[^\]]*\]|\S+) \w+: (.*)$/;
/** proxy/ParentSelectionStrategy.cc */
const MARKED_DOWN = /^Failure threshold met failcount:\d+ >= threshold:\d+, http parent proxy (\S+) marked down/;
/** iocore/net/P_UnixNet.h */
const THROTTLING = /^too many connections, throttling\./;

/** Reads the log; it must be in UTC. It has no year: that of `year` is taken. */
export function readDiags(text: string, year: number): Diags {
  const diags: Diags = { markDowns: [], shortages: [] };
  for (const line of text.split('\n')) {
    const [, month, day, time, words] = LINE.exec(line) ?? [];
    if (words === undefined) continue;
    const at = Date.parse(`${day} ${month} ${year} ${time} UTC`);
    const to = MARKED_DOWN.exec(words)?.[1];
    if (to !== undefined) diags.markDowns.push({ at, to, line });
    else if (THROTTLING.test(words)) diags.shortages.push({ at, line });
  }
  return diags;
}
