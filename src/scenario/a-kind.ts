/** A kind of node with its article, for messages. */

/** `a client`, `an attacker`. */
export function aKind(kind: string): string {
  return `${/^[aeiou]/.test(kind) ? 'an' : 'a'} ${kind}`;
}
