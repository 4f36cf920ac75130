/** One visitor's cookies: name and value only, since every request of a visitor goes to the same site. */

/** A later cookie of the same name replaces the earlier one; attributes such as Path and Expires are not looked at. */
export interface CookieJar {
  /** Takes the value of one Set-Cookie header. */
  keep(line: string): void;
  /** The Cookie header, undefined while there is none. */
  header(): string | undefined;
}

/** A jar without cookies. */
export function cookieJar(): CookieJar {
  const pairs = new Map<string, string>();
  let text: string | undefined;
  return {
    keep(line) {
      const pair = line.split(';', 1)[0].trim();
      pairs.set(pair.split('=', 1)[0], pair);
      // Kept as text, since it is asked for with every request and changes with few.
      text = [...pairs.values()].join('; ');
    },
    header: () => text,
  };
}
