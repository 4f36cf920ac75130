/** IPv4 addresses as text and as numbers. */

const DOT = '.'.charCodeAt(0);
const ZERO = '0'.charCodeAt(0);

/** `198.18.0.1` as a 32-bit number, host byte order. */
export function ipToNumber(address: string): number {
  let number = 0;
  let part = 0;
  for (let at = 0; at < address.length; at++) {
    const code = address.charCodeAt(at);
    if (code === DOT) {
      number = number * 256 + part;
      part = 0;
    } else part = part * 10 + code - ZERO;
  }
  return number * 256 + part;
}

/** A 32-bit number as a dotted IPv4 address. */
export function numberToIp(number: number): string {
  return `${number >>> 24}.${(number >>> 16) & 255}.${(number >>> 8) & 255}.${number & 255}`;
}
