/** IPv4 addresses as text and as numbers. */

/** `198.18.0.1` as a 32-bit number, host byte order. */
export function ipToNumber(address: string): number {
  return address.split('.').reduce((number, part) => number * 256 + Number(part), 0);
}

/** A 32-bit number as a dotted IPv4 address. */
export function numberToIp(number: number): string {
  return `${number >>> 24}.${(number >>> 16) & 255}.${(number >>> 8) & 255}.${number & 255}`;
}
