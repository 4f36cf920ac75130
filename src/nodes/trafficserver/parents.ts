/** The backends of a configuration in their order, and how often each is tried: what the access log does not tell. */

/** What records.config and parent.config say of further tries. */
export interface Parents {
  /** `address:port`. */
  ring: string[];
  /** Tries of one request after the first one. */
  more: number;
  /** Tries in a row at the same backend. */
  each: number;
}

/** The product's defaults (mgmt/RecordsConfig.cc). */
const DEFAULT_MORE = 4;
const DEFAULT_EACH = 2;

/** Reads both files. */
export function parentsOf(records: string, parentConfig: string): Parents {
  const setting = (name: string, otherwise: number) =>
    Number(
      new RegExp(`^\\s*CONFIG\\s+proxy\\.config\\.http\\.parent_proxy\\.${name}\\s+INT\\s+(\\d+)`, 'm').exec(
        records,
      )?.[1] ?? otherwise,
    );
  return {
    ring: /\bparent="([^"]*)"/.exec(parentConfig)?.[1].split(/[;,]\s*/) ?? [],
    more: setting('total_connect_attempts', DEFAULT_MORE),
    each: setting('per_parent_connect_attempts', DEFAULT_EACH),
  };
}

/** The backend that was tried `before` tries before the last one of `count`, which went to `last`. */
export function triedBefore({ ring, each }: Parents, last: string, count: number, before: number): string {
  const position = ring.indexOf(last);
  if (position < 0) return last;
  const turn = (index: number) => Math.floor(index / each);
  const back = turn(count - 1) - turn(count - 1 - before);
  return ring[(((position - back) % ring.length) + ring.length) % ring.length];
}
