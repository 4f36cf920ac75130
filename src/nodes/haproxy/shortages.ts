/** haproxy's messages that a try found no source port: they name no request, and are shared out among those that they can belong to. */
import type { LogLine, RequestLine } from './logs.js';

/** A request's line, when it began (Unix time in ms), and how many of its tries may have left such a message. */
export interface Claimant extends LogLine {
  line: RequestLine;
  startedAt: number;
  tries: number;
  /** Its last try found no port, so that there must be messages of it. */
  certain: boolean;
}

interface Shortage extends LogLine {
  backend: string;
  taken: boolean;
}

const MESSAGE = /^Connect\(\) failed for backend (\S+): (?:no free ports|local address already in use)/;

/** A try leaves its message before its request's line; with several threads it may come a little behind it, ms. */
const THREADS_MS = 20;

/** The messages of each request, in their order. Those that must have some come first, and each takes the newest before its own line. */
export function shareShortages(lines: LogLine[], claimants: Claimant[]): Map<Claimant, LogLine[]> {
  const shortages = lines.flatMap((line): Shortage[] => {
    const backend = MESSAGE.exec(line.text)?.[1];
    return backend === undefined ? [] : [{ ...line, backend, taken: false }];
  });
  const shares = new Map<Claimant, LogLine[]>(claimants.map((claimant) => [claimant, []]));
  if (shortages.length === 0) return shares;
  const share = (wanted: (claimant: Claimant) => boolean, slackMs: number) => {
    for (const claimant of claimants) if (wanted(claimant)) take(shortages, claimant, shares.get(claimant)!, slackMs);
  };
  share(({ certain }) => certain, 0);
  share(({ certain }) => certain, THREADS_MS);
  share(({ certain }) => !certain, 0);
  return shares;
}

function take(
  shortages: Shortage[],
  { line, at, startedAt, tries }: Claimant,
  share: LogLine[],
  slackMs: number,
): void {
  const [backend] = line.server.split('/');
  for (let index = countUntil(shortages, at + slackMs) - 1; index >= 0 && share.length < tries; index--) {
    const shortage = shortages[index];
    if (shortage.at < startedAt - 1) break;
    if (shortage.taken || shortage.backend !== backend) continue;
    shortage.taken = true;
    share.unshift(shortage);
  }
}

/** How many are of this time or before; they are in the order of their time. */
function countUntil(shortages: Shortage[], at: number): number {
  let [low, high] = [0, shortages.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (shortages[middle].at <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}
