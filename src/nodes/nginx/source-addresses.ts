/** Several source addresses towards the backends: nginx has no turn-taking for them, so the connection's number decides. */

/**
 * `map` blocks that give `$portparty_source`, the address for `proxy_bind`.
 *
 * nginx numbers client and backend connections with one counter. In a burst the numbers of client connections run on by
 * ones, else by twos, with a backend connection in between; half of the number takes turns evenly in both cases. nginx
 * cannot calculate, so the last digits are looked up: as many digits as give every address the same share, within 2%.
 */
export function sourceMaps(sources: string[]): string {
  const digits = [2, 3, 4].find((many) => (10 ** many / 2) % sources.length === 0) ?? 4;
  const keys = new Map<string, string>();
  for (let tail = 0; tail < 10 ** digits; tail++) {
    const source = sources[Math.floor(tail / 2) % sources.length];
    keys.set(String(tail).padStart(digits, '0'), source);
    // The first connections have fewer digits.
    keys.set(String(tail), source);
  }
  const entries = [...keys].map(([key, source]) => `${key} ${source};`);
  return `
  map_hash_max_size 65536;
  map $connection $portparty_tail {
    "~(\\d{1,${digits}})$" $1;
  }
  map $portparty_tail $portparty_source {
    default ${sources[0]};
    ${entries.join(' ')}
  }
`;
}
